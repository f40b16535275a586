//! Takes over certificates whose files have changed.

use std::sync::{Arc, Mutex, PoisonError};

use claimgate_config::snapshot::{CertificateFiles, CertificateFilesVersion};

use crate::certificates::{Certificates, DomainCertificate};
use crate::metrics::Metrics;

/// Files of a certificate, and which versions of them are known.
#[derive(Debug)]
pub struct WatchedFiles {
    files: CertificateFiles,
    versions: Mutex<Versions>,
}

#[derive(Debug)]
struct Versions {
    loaded: CertificateFilesVersion,
    seen: CertificateFilesVersion,
}

impl WatchedFiles {
    pub fn new(files: &CertificateFiles, loaded: &CertificateFilesVersion) -> Self {
        let versions = Versions { loaded: loaded.clone(), seen: loaded.clone() };
        Self { files: files.clone(), versions: Mutex::new(versions) }
    }

    /// Whether there is another version to load. That is so only when two looks find the same, as
    /// certificate and key are two files, and between their changes they do not fit.
    fn has_changed(&self) -> bool {
        let current = self.files.version();
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        let has_settled = versions.seen == current;
        versions.seen = current;
        let has_changed = has_settled && versions.seen != versions.loaded;
        if has_changed {
            versions.loaded = versions.seen.clone();
        }
        has_changed
    }
}

impl Certificates {
    /// Whether there are files to be looked at.
    pub fn has_files(&self) -> bool {
        self.domains().any(|domain| domain.files.is_some())
    }

    /// Loads what has changed since the last look but one, and keeps the last good certificate of a domain
    /// whose files are bad now. This reads files.
    pub fn look_at_files(&self, metrics: &Metrics) {
        for domain in self.domains() {
            if let Some(watched) = &domain.files
                && watched.has_changed()
            {
                reload(domain, &watched.files, metrics);
            }
        }
    }
}

fn reload(domain: &DomainCertificate, files: &CertificateFiles, metrics: &Metrics) {
    let name = &domain.name;
    match files.load(name) {
        Ok(certificate) => {
            if let Some(expiry) = certificate.expiry(std::time::SystemTime::now()) {
                tracing::warn!(domain = %name, "{expiry}");
            }
            metrics.note_certificate(name, &certificate);
            metrics.count_update(name, true);
            domain.current.replace(Arc::new(certificate));
            tracing::info!(domain = %name, "certificate reloaded");
        }
        Err(error) => {
            metrics.count_update(name, false);
            tracing::error!(domain = %name, "certificate refused, the last good one stays: {error}");
        }
    }
}
