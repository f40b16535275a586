//! Certificates from an ACME server (RFC 8555): obtained, kept in a folder, and renewed in time.

mod account;
mod challenges;
mod folder;
mod order;
mod task;

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use claimgate_config::snapshot::AcmeSettings;
use instant_acme::Account;
use tokio::sync::{Mutex, Semaphore};

pub(crate) use challenges::{ALPN, Challenges};
use folder::Folder;
pub use folder::FolderError;
pub(crate) use task::AcmeDomain;

use crate::metrics::Metrics;

/// Orders that are underway at once; servers limit them too.
const ORDERS: usize = 4;

/// What all domains that use an ACME server share.
pub(crate) struct Acme {
    pub settings: AcmeSettings,
    pub challenges: Arc<Challenges>,
    folder: Folder,
    client: account::Client,
    /// As it was used last; `None` until it is needed, and after each failure.
    account: Mutex<Option<Account>>,
    orders: Semaphore,
    metrics: Metrics,
}

impl Acme {
    /// Nothing is asked of the server yet. `folder` is where things are kept unless the settings name
    /// another.
    pub fn new(settings: &AcmeSettings, folder: &Path, metrics: &Metrics) -> Result<Self, AcmeError> {
        let folder = settings.folder.as_deref().unwrap_or(folder);
        Ok(Self {
            settings: settings.clone(),
            challenges: Arc::default(),
            folder: Folder::open(folder, &settings.directory_url)?,
            client: account::Client::new(settings.ca_file.as_deref())?,
            account: Mutex::new(None),
            orders: Semaphore::new(ORDERS),
            metrics: metrics.clone(),
        })
    }
}

/// Tells nothing of keys.
impl std::fmt::Debug for Acme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Acme").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Why no certificate can be had from an ACME server.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    /// What is kept cannot be written or read.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// `gateway.acme.caFile`, or TLS as a client.
    #[error("cannot use gateway.acme: {0}")]
    Client(String),
    /// The server, or the way to it.
    #[error("{}", with_causes(.0))]
    Server(#[from] instant_acme::Error),
    /// The server offers none of `gateway.acme.challenges`.
    #[error("the ACME server offers none of the challenges of gateway.acme.challenges")]
    NoChallenge,
    /// The server was not convinced.
    #[error("the ACME server could not validate the domain: {0}")]
    Invalid(String),
    /// It sent what cannot be served.
    #[error("the ACME server's certificate cannot be used: {0}")]
    Certificate(#[from] claimgate_config::certificate::CertificateError),
    /// The certificate for a challenge.
    #[error("cannot make the certificate for tls-alpn-01: {0}")]
    Challenge(String),
    /// Everything together took too long.
    #[error("it takes too long")]
    Timeout,
}

fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Some say what their cause says.
        let told = error.to_string();
        if !text.ends_with(&told) {
            text = format!("{text}: {told}");
        }
        cause = error.source();
    }
    text
}
