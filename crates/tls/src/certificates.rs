//! The certificates of a configuration's domains.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use claimgate_config::Snapshot;
use claimgate_config::certificate::Certificate;
use claimgate_config::snapshot::{CertificateSource, Domain, DomainTls, TlsSettings};
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{ClientHello, NoServerSessionStorage, ProducesTickets, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::files::WatchedFiles;
use crate::metrics::Metrics;

/// What the domains of a configuration are served with over HTTPS.
#[derive(Debug, Default)]
pub struct Certificates {
    /// By the domain's number.
    domains: Vec<Option<Arc<DomainCertificate>>>,
    /// What sessions are resumed with. It outlives reloads, and rustls resumes none under another name
    /// than it began with.
    tickets: Option<Arc<dyn ProducesTickets>>,
}

/// Why nothing can be served over HTTPS.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Most often for want of random numbers.
    #[error("cannot make keys for the tickets that TLS sessions are resumed with: {0}")]
    Tickets(#[source] rustls::Error),
    /// Versions and cipher suites do not fit.
    #[error("cannot serve {domain} over HTTPS: {error}")]
    Settings {
        /// Which domain.
        domain: String,
        /// Why.
        #[source]
        error: rustls::Error,
    },
}

/// What one domain is served with.
#[derive(Debug)]
pub struct DomainCertificate {
    pub name: String,
    pub current: Arc<Current>,
    pub files: Option<WatchedFiles>,
    config: Arc<ServerConfig>,
}

/// The certificate that handshakes use from now on; `None` until there is one.
#[derive(Debug)]
pub struct Current(ArcSwapOption<Certificate>);

impl Certificates {
    /// Takes over the certificates of a configuration. `previous` are those of the one before.
    ///
    /// # Errors
    ///
    /// When TLS cannot be set up.
    pub fn start(
        snapshot: &Snapshot,
        previous: Option<&Certificates>,
        metrics: &Metrics,
    ) -> Result<Self, StartError> {
        metrics.forget_certificates();
        if !snapshot.domains.iter().any(|domain| domain.tls.is_some()) {
            return Ok(Self::default());
        }
        let tickets = match previous.and_then(|previous| previous.tickets.clone()) {
            Some(tickets) => tickets,
            None => aws_lc_rs::Ticketer::new().map_err(StartError::Tickets)?,
        };
        let mut domains = vec![None; snapshot.domains.len()];
        for domain in snapshot.domains.iter() {
            let (Some(tls), Some(slot)) = (&domain.tls, domains.get_mut(domain.number)) else { continue };
            let started = DomainCertificate::start(&domain.name, tls, &tickets, metrics);
            let started =
                started.map_err(|error| StartError::Settings { domain: domain.name.clone(), error })?;
            *slot = Some(Arc::new(started));
        }
        Ok(Self { domains, tickets: Some(tickets) })
    }

    /// What handshakes for a domain use; `None` when it is not served over HTTPS, or there is no
    /// certificate for it yet.
    pub(crate) fn config(&self, domain: &Domain) -> Option<&Arc<ServerConfig>> {
        let served = self.domains.get(domain.number)?.as_ref()?;
        served.current.0.load().is_some().then_some(&served.config)
    }

    /// Every domain that is served over HTTPS.
    pub(crate) fn domains(&self) -> impl Iterator<Item = &Arc<DomainCertificate>> {
        self.domains.iter().flatten()
    }
}

impl DomainCertificate {
    fn start(
        name: &str,
        tls: &DomainTls,
        tickets: &Arc<dyn ProducesTickets>,
        metrics: &Metrics,
    ) -> Result<Self, rustls::Error> {
        let (certificate, files) = match &tls.certificate {
            CertificateSource::Inline(certificate) => (certificate, None),
            CertificateSource::Files { files, version, certificate } => {
                (certificate, Some(WatchedFiles::new(files, version)))
            }
        };
        metrics.note_certificate(name, certificate);
        let current = Arc::new(Current(ArcSwapOption::from(Some(Arc::clone(certificate)))));
        let config = Arc::new(server_config(&tls.settings, Arc::clone(&current), tickets)?);
        Ok(Self { name: name.to_owned(), current, files, config })
    }
}

impl Current {
    pub fn replace(&self, certificate: Arc<Certificate>) {
        self.0.store(Some(certificate));
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.load().as_ref().map(|certificate| Arc::clone(certificate.certified_key()))
    }
}

fn server_config(
    settings: &TlsSettings,
    current: Arc<Current>,
    tickets: &Arc<dyn ProducesTickets>,
) -> Result<ServerConfig, rustls::Error> {
    let provider =
        CryptoProvider { cipher_suites: settings.cipher_suites.clone(), ..aws_lc_rs::default_provider() };
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&settings.versions)?
        .with_no_client_auth()
        .with_cert_resolver(current);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ticketer = Arc::clone(tickets);
    // Sessions are resumed with tickets alone, so that threads and domains share no table of them.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(config)
}
