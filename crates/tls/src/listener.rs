//! A listener with one certificate of its own.

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use claimgate_config::snapshot::CertificateFiles;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// The certificate of a listener, as it was when it was last good.
#[derive(Debug)]
pub struct ListenerCertificate {
    files: CertificateFiles,
    config: ArcSwap<ServerConfig>,
}

impl ListenerCertificate {
    /// Reads certificate and key; the error names the file and quotes nothing of it.
    pub fn load(files: &CertificateFiles) -> Result<Self, String> {
        Ok(Self { files: files.clone(), config: ArcSwap::new(Arc::new(read(files)?)) })
    }

    /// Reads both files again; when one is bad, everything stays as it is.
    pub fn reload(&self) -> Result<(), String> {
        self.config.store(Arc::new(read(&self.files)?));
        Ok(())
    }

    /// For the next connection.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.load_full())
    }
}

fn read(files: &CertificateFiles) -> Result<ServerConfig, String> {
    let unusable = |field: &str, file: &Path, error: &dyn Display| {
        format!("cannot use tls.{field} {}: {error}", file.display())
    };
    let bad_certificate = |error: &dyn Display| unusable("certificateFile", &files.certificate, error);
    let bad_key = |error: &dyn Display| unusable("privateKeyFile", &files.private_key, error);
    let certificates = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| bad_certificate(&error))?;
    if certificates.is_empty() {
        return Err(bad_certificate(&"there is no certificate in it"));
    }
    let key = PrivateKeyDer::from_pem_file(&files.private_key).map_err(|error| bad_key(&error))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(|error| bad_key(&error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
