//! TLS towards etcd.

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;

use claimgate_config::snapshot::EtcdSettings;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Reads the files that the settings name; so a certificate that was replaced is used by the next
/// connection.
pub(super) fn connector(settings: &EtcdSettings) -> Result<TlsConnector, String> {
    let mut roots = RootCertStore::empty();
    match &settings.ca_file {
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Some(file) => {
            for certificate in certificates(file)? {
                roots.add(certificate).map_err(|error| unusable(file, error))?;
            }
        }
    }
    if roots.is_empty() {
        return Err("the system has no root certificates; name those that are trusted with caFile".to_owned());
    }
    let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots);
    let mut tls = match &settings.client_certificate {
        None => tls.with_no_client_auth(),
        Some((certificate, key)) => {
            let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, error))?;
            tls.with_client_auth_cert(certificates(certificate)?, secret)
                .map_err(|error| unusable(certificate, error))?
        }
    };
    tls.alpn_protocols = vec![b"h2".to_vec()];
    Ok(TlsConnector::from(Arc::new(tls)))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| unusable(file, error))?;
    let certificates: Vec<_> =
        certificates.collect::<Result<_, _>>().map_err(|error| unusable(file, error))?;
    if certificates.is_empty() {
        return Err(unusable(file, "there is no CERTIFICATE in it"));
    }
    Ok(certificates)
}

fn unusable(file: &Path, why: impl Display) -> String {
    format!("cannot use {}: {why}", file.display())
}
