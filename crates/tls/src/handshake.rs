//! Handshakes: the name that a client asks for picks the domain, and with it certificate, versions and
//! cipher suites.

use std::io;
use std::sync::Arc;

use claimgate_config::snapshot::DomainTable;
use rustls::server::{Acceptor, ClientHello};
use rustls::{AlertDescription, HandshakeKind, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use crate::acme;
use crate::certificates::Certificates;

/// A connection whose keys are agreed upon.
#[derive(Debug)]
pub struct Secured<S> {
    /// What is sent and received.
    pub stream: TlsStream<S>,
    /// The name that the client asked for, in lower case.
    pub server_name: Arc<str>,
}

impl<S> Secured<S> {
    /// A word for the metric.
    pub fn result(&self) -> &'static str {
        match self.stream.get_ref().1.handshake_kind() {
            Some(HandshakeKind::Resumed) => "resumed",
            _ => "completed",
        }
    }
}

/// Why a handshake came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// RFC 8446, 9.2.
    #[error("the client names no server, and there is nothing else to choose a certificate by")]
    NoServerName,
    /// RFC 6066, 3.
    #[error("no custom domain that is served over HTTPS has the name that the client asks for")]
    UnknownServerName,
    /// No failure: an ACME server has seen what it came for.
    #[error("an ACME server has looked at its challenge")]
    Challenge,
    /// The domain's certificate is still awaited.
    #[error("there is no certificate yet for the domain that the client asks for")]
    NoCertificate,
    /// The connection broke, or what came over it was no TLS, or nothing both sides can speak.
    #[error(transparent)]
    Failed(#[from] io::Error),
}

impl HandshakeError {
    /// A word for the metric.
    pub fn result(&self) -> &'static str {
        match self {
            Self::NoServerName => "no_server_name",
            Self::UnknownServerName => "unknown_server_name",
            Self::NoCertificate => "no_certificate",
            Self::Challenge => "acme_challenge",
            Self::Failed(_) => "failed",
        }
    }

    /// What the client is told; nothing where rustls has told it.
    fn alert(&self) -> Option<AlertDescription> {
        match self {
            Self::NoServerName => Some(AlertDescription::MissingExtension),
            Self::UnknownServerName => Some(AlertDescription::UnrecognisedName),
            Self::NoCertificate => Some(AlertDescription::InternalError),
            Self::Challenge | Self::Failed(_) => None,
        }
    }
}

/// Shakes hands for the domain that the client names: the exact name before the wildcard, as for requests.
/// The caller sets a limit to the time that this takes.
///
/// # Errors
///
/// When nothing can be served on the connection.
pub async fn shake_hands<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    domains: &DomainTable,
    certificates: &Certificates,
) -> Result<Secured<S>, HandshakeError> {
    let mut begun = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    let server_name = begun.client_hello().server_name().map(str::to_ascii_lowercase);
    if let Some(config) = challenge(&begun.client_hello(), server_name.as_deref(), certificates) {
        begun.into_stream(config).await?.shutdown().await?;
        return Err(HandshakeError::Challenge);
    }
    let config = match &server_name {
        Some(name) => match domains.find(name) {
            Some(domain) if domain.tls.is_some() => {
                certificates.config(domain).ok_or(HandshakeError::NoCertificate)
            }
            _ => Err(HandshakeError::UnknownServerName),
        },
        None => Err(HandshakeError::NoServerName),
    };
    match config {
        Ok(config) => {
            let stream = begun.into_stream(Arc::clone(config)).await?;
            Ok(Secured { stream, server_name: server_name.unwrap_or_default().into() })
        }
        Err(error) => {
            if let Some(alert) = error.alert() {
                tell(&mut begun.io, alert).await;
            }
            Err(error)
        }
    }
}

/// What an ACME server is shown; nothing for anybody else (RFC 8737, 3).
fn challenge(
    client: &ClientHello<'_>,
    server_name: Option<&str>,
    certificates: &Certificates,
) -> Option<Arc<ServerConfig>> {
    let mut protocols = client.alpn()?;
    if protocols.next() != Some(acme::ALPN) || protocols.next().is_some() {
        return None;
    }
    certificates.tls_challenge(server_name?)
}

/// Ends a handshake with a fatal alert (RFC 8446, 6.2), which is still sent in the clear.
async fn tell(stream: &mut (impl AsyncWrite + Unpin), alert: AlertDescription) {
    const ALERT: u8 = 21;
    const FATAL: u8 = 2;
    let record = [ALERT, 3, 3, 0, 2, FATAL, alert.into()];
    // A client that has gone learns nothing.
    if stream.write_all(&record).await.is_ok() {
        let _ = stream.shutdown().await;
    }
}
