//! Why keys cannot be fetched.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ::http::StatusCode;

/// Remote keys cannot be fetched at all with these settings.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The file of root certificates cannot be read, or holds none.
    #[error("gateway.remoteJwks.caFile: {file} holds no certificate that can be used: {why}")]
    CaFile {
        /// The file.
        file: PathBuf,
        /// Why.
        why: String,
    },
    /// The TLS library refused its own settings.
    #[error("cannot set up TLS to fetch keys: {0}")]
    Tls(tokio_rustls::rustls::Error),
}

/// A fetch brought no keys.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Not ready within `timeoutSeconds`.
    #[error("it took longer than {} s, while {stage}", limit.as_secs())]
    Timeout {
        /// For the fetch as a whole.
        limit: Duration,
        /// What was waited for.
        stage: &'static str,
    },
    /// The host has no address.
    #[error("the name {host} has no address: {error}")]
    Name {
        /// Its name.
        host: String,
        /// What the system says.
        error: io::Error,
    },
    /// The host has no address that may be connected to.
    #[error(
        "{host} is at {address}, {why}, which is not connected to unless gateway.remoteJwks.allowAddresses \
         has it"
    )]
    RefusedAddress {
        /// Its name.
        host: String,
        /// One of its addresses.
        address: IpAddr,
        /// What the address is.
        why: &'static str,
    },
    /// `http` to another machine.
    #[error(
        "{host} is at {address}, another machine, and http to it is not used unless \
         gateway.remoteJwks.allowHttp is true"
    )]
    RefusedScheme {
        /// Its name.
        host: String,
        /// One of its addresses.
        address: IpAddr,
    },
    /// No connection.
    #[error("cannot connect to {address}: {error}")]
    Connect {
        /// The last address that was tried.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// No certificate to verify the server with.
    #[error(
        "there are no root certificates to verify the server with: install the system's, or name a file in \
         gateway.remoteJwks.caFile"
    )]
    NoRootCertificates,
    /// The TLS handshake failed; most often the certificate is not for the name or nobody vouches for it.
    #[error("TLS with {host} failed: {error}")]
    Tls {
        /// The name that the certificate must be for.
        host: String,
        /// What the TLS library says.
        error: io::Error,
    },
    /// No HTTP, or a connection that broke off.
    #[error("the answer is not whole, or not HTTP: {0}")]
    Broken(String),
    /// Another status than 200.
    #[error("{url} answers {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// The status.
        status: StatusCode,
    },
    /// A redirect that is not followed.
    #[error("{url} redirects, and {why}")]
    Redirect {
        /// What was asked for.
        url: String,
        /// Why it is not followed.
        why: String,
    },
    /// More than `maxBytes`.
    #[error("the answer of {url} is larger than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        url: String,
        /// In bytes.
        limit: usize,
    },
    /// A compressed answer, which was not asked for.
    #[error("the answer of {url} is encoded, which was not asked for")]
    Encoded {
        /// What was asked for.
        url: String,
    },
    /// What came is no JSON.
    #[error("the answer of {url} is not acceptable JSON: {why}")]
    Json {
        /// What was asked for.
        url: String,
        /// Where and why.
        why: String,
    },
    /// What came is no key set, or has no key that can be used.
    #[error("{url} has no key that can be used: {why}")]
    NoKey {
        /// What was asked for.
        url: String,
        /// What is wrong with the set and with each key.
        why: String,
    },
    /// An issuer's configuration that cannot be used (OpenID Connect Discovery 1.0, 4.3).
    #[error("the configuration at {url} cannot be used: {why}")]
    Discovery {
        /// Where it is.
        url: String,
        /// What is wrong.
        why: String,
    },
}

impl FetchError {
    /// The server says that nothing has changed, without having been asked that.
    pub(crate) fn unasked_not_modified() -> Self {
        Self::Broken("the server says that nothing has changed, which was not asked".to_owned())
    }

    /// A word for logs and metrics that stays the same.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Timeout { .. } => "timeout",
            Self::Name { .. } => "name",
            Self::RefusedAddress { .. } => "refused_address",
            Self::RefusedScheme { .. } => "refused_scheme",
            Self::Connect { .. } => "connect",
            Self::NoRootCertificates => "no_root_certificates",
            Self::Tls { .. } => "tls",
            Self::Broken(_) => "broken",
            Self::Status { .. } => "status",
            Self::Redirect { .. } => "redirect",
            Self::TooLarge { .. } => "too_large",
            Self::Encoded { .. } => "encoded",
            Self::Json { .. } => "json",
            Self::NoKey { .. } => "no_key",
            Self::Discovery { .. } => "discovery",
        }
    }
}
