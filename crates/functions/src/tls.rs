//! TLS to functions behind `https`.

use std::sync::Arc;

use http::Uri;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::connect::Protocol;
use crate::error::{InvokeError, StartError};

/// TLS as a client, certificates verified.
#[derive(Clone, Debug)]
pub(crate) struct Tls {
    http1: Arc<ClientConfig>,
    http2: Arc<ClientConfig>,
    root_certificates: usize,
}

impl Tls {
    pub(crate) fn new(
        certificates: impl IntoIterator<Item = CertificateDer<'static>>,
    ) -> Result<Self, StartError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates);
        let root_certificates = roots.len();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut http1 = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(StartError::Tls)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut http2 = http1.clone();
        http1.alpn_protocols = vec![b"http/1.1".to_vec()];
        http2.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Self { http1: Arc::new(http1), http2: Arc::new(http2), root_certificates })
    }

    pub(crate) fn root_certificates(&self) -> usize {
        self.root_certificates
    }

    /// Shakes hands on a connection to `address`, whose host is what the certificate must be for.
    pub(crate) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        address: &Uri,
        protocol: Protocol,
    ) -> Result<TlsStream<S>, InvokeError> {
        if self.root_certificates == 0 {
            return Err(InvokeError::NoRootCertificates);
        }
        let host = address.host().unwrap_or_default();
        // A URI has brackets around an IPv6 address, a certificate has none.
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let name =
            ServerName::try_from(host.to_owned()).map_err(|error| InvokeError::Tls(Arc::new(error)))?;
        let config = match protocol {
            Protocol::Http1 => &self.http1,
            Protocol::Http2 => &self.http2,
        };
        TlsConnector::from(config.clone())
            .connect(name, stream)
            .await
            .map_err(|error| InvokeError::Tls(Arc::new(error)))
    }
}
