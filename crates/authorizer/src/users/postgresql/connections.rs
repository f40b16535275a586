//! Connections to the database: made when they are needed, kept, and replaced when they break.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;
use tokio_postgres::config::SslMode;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Error, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::{PostgreSqlSettings, StartError, Unavailable};

pub(super) struct Connections {
    settings: PostgreSqlSettings,
    tls: MakeRustlsConnect,
    /// As many as there may be connections at once.
    permits: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

struct Connection {
    client: Client,
    statement: Statement,
}

impl Connections {
    pub(super) fn new(settings: &PostgreSqlSettings) -> Result<Self, StartError> {
        Ok(Self {
            tls: MakeRustlsConnect::new(tls(settings)?),
            permits: Semaphore::new(settings.max_connections),
            idle: Mutex::new(Vec::new()),
            settings: settings.clone(),
        })
    }

    /// Connects unless a connection is there.
    pub(super) async fn check(&self) -> Result<(), Unavailable> {
        let _permit = self.permits.acquire().await.map_err(|_| Unavailable::Closed)?;
        let connection = match self.take_idle() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        self.give_back(connection);
        Ok(())
    }

    /// The rows for a name as JSON, two at most.
    pub(super) async fn query(&self, username: &str) -> Result<Vec<String>, Unavailable> {
        let _permit = self.permits.acquire().await.map_err(|_| Unavailable::Closed)?;
        // The database may have closed what was kept, and that shows only now.
        while let Some(connection) = self.take_idle() {
            match self.query_on(connection, username).await {
                Err(Unavailable::Closed) => {}
                answered => return answered,
            }
        }
        self.query_on(self.connect().await?, username).await
    }

    async fn query_on(&self, connection: Connection, username: &str) -> Result<Vec<String>, Unavailable> {
        let rows = connection.client.query(&connection.statement, &[&username]).await.map_err(failed)?;
        self.give_back(connection);
        rows.iter().map(|row| row.try_get(0).map_err(failed)).collect()
    }

    async fn connect(&self) -> Result<Connection, Unavailable> {
        let mut config: Config = self.settings.connection.clone();
        if let Some(file) = &self.settings.password_file {
            let password = std::fs::read_to_string(file).map_err(Unavailable::PasswordFile)?;
            config.password(password.trim_end_matches(['\r', '\n']));
        }
        let (client, connection) = config.connect(self.tls.clone()).await.map_err(Unavailable::Connect)?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "a connection to the database broke"
                );
            }
        });
        let milliseconds = self.settings.timeout.as_millis();
        client
            .batch_execute(&format!("set statement_timeout = {milliseconds}"))
            .await
            .map_err(Unavailable::Connect)?;
        let query =
            format!("select row_to_json(found)::text from (\n{}\n) as found limit 2", self.settings.query);
        let statement = client.prepare(&query).await.map_err(Unavailable::Query)?;
        match statement.params() {
            [kind] if <&str as ToSql>::accepts(kind) => Ok(Connection { client, statement }),
            _ => Err(Unavailable::Parameter),
        }
    }

    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|connection| !connection.client.is_closed());
        idle.pop()
    }

    fn give_back(&self, connection: Connection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }
}

fn failed(error: Error) -> Unavailable {
    match error.code() {
        // 57P01 and its neighbours: the server is shut down, restarted or crashed.
        Some(code) if code.code().starts_with("57P") => Unavailable::Closed,
        Some(code) => Unavailable::Failed(code.code().to_owned()),
        None => Unavailable::Closed,
    }
}

/// TLS as a client, certificates and names always verified.
fn tls(settings: &PostgreSqlSettings) -> Result<ClientConfig, StartError> {
    let mut roots = RootCertStore::empty();
    if let Some(file) = &settings.root_certificate_file {
        let unusable = |error: &dyn std::fmt::Display| {
            StartError::Tls(format!(
                "cannot use users.postgresql.rootCertificateFile {}: {error}",
                file.display()
            ))
        };
        for certificate in CertificateDer::pem_file_iter(file).map_err(|error| unusable(&error))? {
            let certificate = certificate.map_err(|error| unusable(&error))?;
            roots.add(certificate).map_err(|error| unusable(&error))?;
        }
        if roots.is_empty() {
            return Err(unusable(&"there is no certificate in it"));
        }
    } else if settings.connection.get_ssl_mode() != SslMode::Disable {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| StartError::Tls(error.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
