//! `users.postgresql` of the configuration.

use std::path::{Path, PathBuf};
use std::time::Duration;

use claimgate_config::reader::Field;
use claimgate_config::report::Report;
use tokio_postgres::Config;

use claimgate_login::password::{Parameters, PasswordHash};

/// How to reach the database and what to ask it.
#[derive(Debug, Clone)]
pub struct PostgreSqlSettings {
    pub(super) connection: Config,
    pub(super) password_file: Option<PathBuf>,
    pub(super) root_certificate_file: Option<PathBuf>,
    pub(super) query: String,
    pub(super) max_connections: usize,
    pub(super) timeout: Duration,
    pub(super) hash_parameters: Parameters,
}

impl PostgreSqlSettings {
    /// Reads the settings; `folder` is what paths are relative to.
    pub(crate) fn read(field: &Field<'_>, folder: &Path, report: &mut Report) -> Option<Self> {
        let mut object = field.object("an object with the fields connection and query", report)?;
        let right = "a connection string, as \"host=127.0.0.1 user=authorizer dbname=users\"";
        let connection = object
            .required("connection", right, report)
            .and_then(|field| read_connection(&field, right, report));
        let mut file = |name| {
            let path = object.field(name)?.text("the path of a file", report)?;
            Some(folder.join(path.value))
        };
        let password_file = file("passwordFile");
        let root_certificate_file = file("rootCertificateFile");
        let right =
            "a query with the parameter $1, as \"select password_hash, name from users where username = $1\"";
        let query = object.required("query", right, report).and_then(|field| {
            let query = field.text(right, report)?;
            if query.value.contains("$1") {
                return Some(query.value.trim_end().trim_end_matches(';').to_owned());
            }
            report.error(&query.place, format!("expected {right}; this one does not ask for the name"));
            None
        });
        let max_connections =
            object.field("maxConnections").and_then(|field| field.integer(1..=1000, " connections", report));
        let timeout =
            object.field("timeoutSeconds").and_then(|field| field.integer(1..=60, " seconds", report));
        let hash_parameters = object
            .field("hashParameters")
            .and_then(|field| read_parameters(&field, report))
            .unwrap_or_default();
        object.finish(report);
        Some(Self {
            connection: connection?,
            password_file,
            root_certificate_file,
            query: query?,
            max_connections: usize::try_from(max_connections.unwrap_or(4)).ok()?,
            timeout: Duration::from_secs(timeout.unwrap_or(5)),
            hash_parameters,
        })
    }
}

/// What is wrong with a connection string is told without quoting it: it may hold a password.
fn read_connection(field: &Field<'_>, right: &str, report: &mut Report) -> Option<Config> {
    let text = field.secret(right, report)?;
    // Certificates and names are verified whenever TLS is used, which others call verify-full.
    let strict = || text.value.replace("sslmode=verify-full", "sslmode=require");
    let parsed = text.value.parse::<Config>().or_else(|_| strict().parse());
    let Ok(mut config) = parsed else {
        let message = format!(
            "expected {right}; this one has an unknown setting or a value out of range (sslmode is disable, \
             prefer, require or verify-full)"
        );
        report.error(&text.place, message);
        return None;
    };
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        report.error(&text.place, format!("expected {right}; this one names no host"));
        return None;
    }
    if config.get_application_name().is_none() {
        config.application_name("claimgate authorizer");
    }
    Some(config)
}

fn read_parameters(field: &Field<'_>, report: &mut Report) -> Option<Parameters> {
    let mut object =
        field.object("an object with the fields memoryKib, iterations and parallelism", report)?;
    let mut parameters = Parameters::default();
    for (name, parameter) in [
        ("memoryKib", &mut parameters.memory_kib),
        ("iterations", &mut parameters.iterations),
        ("parallelism", &mut parameters.parallelism),
    ] {
        let number = object.field(name).and_then(|field| field.integer(1..=4_194_304, "", report));
        if let Some(number) = number.and_then(|number| u32::try_from(number).ok()) {
            *parameter = number;
        }
    }
    let place = object.place.clone();
    object.finish(report);
    if let Err(error) = PasswordHash::of_nobody(parameters) {
        report.error(&place, error.to_string());
        return None;
    }
    Some(parameters)
}
