//! The certificates of a configuration's domains.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use claimgate_config::Snapshot;
use claimgate_config::certificate::Certificate;
use claimgate_config::snapshot::{CertificateSource, Domain, DomainTls, TlsSettings};
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{ClientHello, NoServerSessionStorage, ProducesTickets, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::acme::{Acme, AcmeDomain, AcmeError};
use crate::files::WatchedFiles;
use crate::metrics::Metrics;

/// What the domains of a configuration are served with over HTTPS.
#[derive(Debug, Default)]
pub struct Certificates {
    /// By the domain's number.
    domains: Vec<Option<Arc<DomainCertificate>>>,
    shared: Option<Arc<Shared>>,
    acme: Option<Arc<Acme>>,
}

/// What all domains use, and what outlives reloads.
#[derive(Debug)]
struct Shared {
    provider: Arc<CryptoProvider>,
    /// What sessions are resumed with; rustls resumes none under another name than it began with.
    tickets: Arc<dyn ProducesTickets>,
    no_storage: Arc<NoServerSessionStorage>,
}

/// Why nothing can be served over HTTPS.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Most often for want of random numbers.
    #[error("cannot make keys for the tickets that TLS sessions are resumed with: {0}")]
    Tickets(#[source] rustls::Error),
    /// No certificate can be obtained.
    #[error(transparent)]
    Acme(#[from] AcmeError),
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
    /// What obtains the certificate, where that is done.
    acme: Option<Arc<AcmeDomain>>,
    config: Arc<ServerConfig>,
}

/// The certificate that handshakes use from now on; `None` until there is one.
#[derive(Debug)]
pub struct Current(ArcSwapOption<Certificate>);

impl Certificates {
    /// Takes over the certificates of a configuration. `previous` are those of the one before.
    ///
    /// Certificates from an ACME server are obtained in tasks on the runtime that this is called on, and
    /// kept in a folder. Tasks of domains that stay go on; others end when `previous` is dropped.
    ///
    /// # Errors
    ///
    /// When TLS cannot be set up.
    pub fn start(
        snapshot: &Snapshot,
        acme_folder: &Path,
        previous: Option<&Certificates>,
        metrics: &Metrics,
    ) -> Result<Self, StartError> {
        metrics.forget_certificates();
        if !snapshot.domains.iter().any(|domain| domain.tls.is_some()) {
            return Ok(Self::default());
        }
        let shared = match previous.and_then(|previous| previous.shared.clone()) {
            Some(shared) => shared,
            None => Arc::new(Shared::new().map_err(StartError::Tickets)?),
        };
        let uses_acme = |domain: &Arc<Domain>| {
            matches!(&domain.tls, Some(DomainTls { certificate: CertificateSource::Acme, .. }))
        };
        let acme = match &snapshot.gateway.acme {
            Some(settings) if snapshot.domains.iter().any(uses_acme) => {
                match previous.and_then(|previous| previous.acme.clone()) {
                    Some(acme) if acme.settings == *settings => Some(acme),
                    _ => Some(Arc::new(Acme::new(settings, acme_folder, metrics)?)),
                }
            }
            _ => None,
        };
        let is_same_server = match (&acme, previous.and_then(|previous| previous.acme.as_ref())) {
            (Some(acme), Some(before)) => Arc::ptr_eq(acme, before),
            _ => false,
        };
        let earlier =
            previous.map(|previous| previous.domains().map(|domain| (domain.name.as_str(), domain)));
        let earlier: HashMap<&str, &Arc<DomainCertificate>> = earlier.into_iter().flatten().collect();
        let mut domains = vec![None; snapshot.domains.numbers()];
        for domain in snapshot.domains.iter() {
            let (Some(tls), Some(slot)) = (&domain.tls, domains.get_mut(domain.number)) else { continue };
            let name = domain.name.as_str();
            let earlier = earlier.get(name);
            let obtained = match (&tls.certificate, &acme, earlier.and_then(|earlier| earlier.acme.clone())) {
                (CertificateSource::Acme, _, Some(obtained)) if is_same_server => Some(obtained),
                (CertificateSource::Acme, Some(acme), _) => {
                    let before = earlier.and_then(|earlier| earlier.current.0.load_full());
                    Some(Arc::new(AcmeDomain::start(Arc::clone(acme), name, before)))
                }
                _ => None,
            };
            let started = DomainCertificate::start(name, tls, obtained, &shared, metrics);
            let started =
                started.map_err(|error| StartError::Settings { domain: domain.name.clone(), error })?;
            *slot = Some(Arc::new(started));
        }
        Ok(Self { domains, shared: Some(shared), acme })
    }

    /// What handshakes for a domain use; `None` when it is not served over HTTPS, or there is no
    /// certificate for it yet.
    pub(crate) fn config(&self, domain: &Domain) -> Option<&Arc<ServerConfig>> {
        let served = self.domains.get(domain.number)?.as_ref()?;
        served.current.0.load().is_some().then_some(&served.config)
    }

    /// What is answered to a request over plain HTTP by which an ACME server sees that its domain is ours.
    pub fn http_challenge(&self, path: &str) -> Option<String> {
        self.acme.as_ref()?.challenges.http(path)
    }

    /// What a handshake uses by which an ACME server sees that a domain is ours.
    pub(crate) fn tls_challenge(&self, name: &str) -> Option<Arc<ServerConfig>> {
        self.acme.as_ref()?.challenges.tls(name)
    }

    /// Every domain that is served over HTTPS.
    pub(crate) fn domains(&self) -> impl Iterator<Item = &Arc<DomainCertificate>> {
        self.domains.iter().flatten()
    }
}

impl Shared {
    fn new() -> Result<Self, rustls::Error> {
        Ok(Self {
            provider: Arc::new(aws_lc_rs::default_provider()),
            tickets: aws_lc_rs::Ticketer::new()?,
            no_storage: Arc::new(NoServerSessionStorage {}),
        })
    }
}

impl DomainCertificate {
    fn start(
        name: &str,
        tls: &DomainTls,
        acme: Option<Arc<AcmeDomain>>,
        shared: &Shared,
        metrics: &Metrics,
    ) -> Result<Self, rustls::Error> {
        let new = |certificate: &Arc<Certificate>| Arc::new(Current::new(Some(Arc::clone(certificate))));
        let (current, files) = match (&tls.certificate, &acme) {
            (CertificateSource::Inline(certificate), _) => (new(certificate), None),
            (CertificateSource::Files { files, version, certificate }, _) => {
                (new(certificate), Some(WatchedFiles::new(files, version)))
            }
            (CertificateSource::Acme, Some(acme)) => (Arc::clone(&acme.current), None),
            (CertificateSource::Acme, None) => (Arc::new(Current::new(None)), None),
        };
        if let Some(certificate) = &*current.0.load() {
            metrics.note_certificate(name, certificate);
        }
        let config = Arc::new(server_config(&tls.settings, Arc::clone(&current), shared)?);
        Ok(Self { name: name.to_owned(), current, files, acme, config })
    }
}

impl Current {
    pub fn new(certificate: Option<Arc<Certificate>>) -> Self {
        Self(ArcSwapOption::new(certificate))
    }

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
    shared: &Shared,
) -> Result<ServerConfig, rustls::Error> {
    let provider = if settings.cipher_suites == shared.provider.cipher_suites {
        Arc::clone(&shared.provider)
    } else {
        let cipher_suites = settings.cipher_suites.clone();
        Arc::new(CryptoProvider { cipher_suites, ..CryptoProvider::clone(&shared.provider) })
    };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&settings.versions)?
        .with_no_client_auth()
        .with_cert_resolver(current);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ticketer = Arc::clone(&shared.tickets);
    // Sessions are resumed with tickets alone, so that threads and domains share no table of them.
    config.session_storage = shared.no_storage.clone();
    Ok(config)
}
