//! Names, addresses, TCP and TLS.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use ::http::Uri;
use claimgate_config::snapshot::{AddressRange, RemoteJwksSettings};
use claimgate_config::special_addresses;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::Deadline;
use crate::error::{FetchError, StartError};

/// Opens connections to what may be connected to.
#[derive(Debug)]
pub struct Connector {
    tls: Arc<ClientConfig>,
    has_roots: bool,
    allow_http: bool,
    allow_addresses: Vec<AddressRange>,
}

/// Something that bytes go over both ways.
pub trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

impl Connector {
    /// Trusts the system's root certificates, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name, and
    /// those of `caFile`.
    pub fn new(settings: &RemoteJwksSettings) -> Result<Self, StartError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(file) = &settings.ca_file {
            add_roots(file, &mut roots)
                .map_err(|why| StartError::CaFile { file: file.clone(), why: why.to_string() })?;
        }
        let has_roots = !roots.is_empty();
        let mut tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(StartError::Tls)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            tls: Arc::new(tls),
            has_roots,
            allow_http: settings.allow_http,
            allow_addresses: settings.allow_addresses.clone(),
        })
    }

    /// Connects to a URL's host, whose certificate is verified when the scheme is `https`.
    pub async fn connect(&self, url: &Uri, deadline: Deadline) -> Result<Box<dyn Transport>, FetchError> {
        let is_https = url.scheme_str() == Some("https");
        let host = url.host().unwrap_or_default();
        // A URI has brackets around an IPv6 address, names and certificates have none.
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let port = url.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        if is_https && !self.has_roots {
            return Err(FetchError::NoRootCertificates);
        }
        let addresses = self.addresses(host, port, is_https, deadline).await?;
        let stream = connect_to_first(&addresses, host, deadline).await?;
        if !is_https {
            return Ok(Box::new(stream));
        }
        let tls_failed = |error| FetchError::Tls { host: host.to_owned(), error };
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| tls_failed(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
        let handshake = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream);
        let stream = deadline.within("shaking hands for TLS", handshake).await?.map_err(tls_failed)?;
        Ok(Box::new(stream))
    }

    /// The host's addresses that may be connected to; never none.
    async fn addresses(
        &self,
        host: &str,
        port: u16,
        is_https: bool,
        deadline: Deadline,
    ) -> Result<Vec<SocketAddr>, FetchError> {
        let found = deadline.within("looking up the host's addresses", lookup_host((host, port))).await?;
        let no_name = |error| FetchError::Name { host: host.to_owned(), error };
        let mut allowed = Vec::new();
        let mut refused = None;
        for address in found.map_err(no_name)? {
            match self.refusal(host, address.ip(), is_https) {
                None => allowed.push(address),
                Some(refusal) => refused = Some(refusal),
            }
        }
        match refused {
            _ if !allowed.is_empty() => Ok(allowed),
            Some(refusal) => Err(refusal),
            None => Err(no_name(io::ErrorKind::NotFound.into())),
        }
    }

    fn refusal(&self, host: &str, address: IpAddr, is_https: bool) -> Option<FetchError> {
        let host = host.to_owned();
        if let Some(why) = special_addresses::refusal(address, &self.allow_addresses) {
            return Some(FetchError::RefusedAddress { host, address, why });
        }
        let is_safe = is_https || self.allow_http || address.to_canonical().is_loopback();
        if is_safe { None } else { Some(FetchError::RefusedScheme { host, address }) }
    }
}

fn add_roots(file: &Path, roots: &mut RootCertStore) -> Result<(), Box<dyn std::error::Error>> {
    let mut found = 0;
    for certificate in CertificateDer::pem_file_iter(file)? {
        roots.add(certificate?)?;
        found += 1;
    }
    if found == 0 { Err("there is no CERTIFICATE in it".into()) } else { Ok(()) }
}

/// The first of the addresses that a connection can be opened to.
async fn connect_to_first(
    addresses: &[SocketAddr],
    host: &str,
    deadline: Deadline,
) -> Result<TcpStream, FetchError> {
    let mut failure = None;
    let mut left = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    for &address in addresses {
        let connection = deadline.within_part(left, "connecting", TcpStream::connect(address)).await;
        left = left.saturating_sub(1);
        match connection {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => failure = Some(FetchError::Connect { address, error }),
            Err(timeout) => failure = Some(timeout),
        }
    }
    let no_address = || FetchError::Name { host: host.to_owned(), error: io::ErrorKind::NotFound.into() };
    Err(failure.unwrap_or_else(no_address))
}
