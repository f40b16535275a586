//! How certificates are obtained from an ACME server.
use std::path::PathBuf;
use std::time::Duration;

/// `gateway.acme`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcmeSettings {
    /// The URL of the server's directory (RFC 8555, 7.1.1); it begins with `https://`.
    pub directory_url: String,
    /// URLs by which the server's operator reaches the account's owner, as `mailto:ops@example.com`.
    pub contacts: Vec<String>,
    /// Where account and certificates are kept; `None` means where the process keeps its state.
    pub folder: Option<PathBuf>,
    /// A file of root certificates in PEM, trusted in addition to the system's.
    pub ca_file: Option<PathBuf>,
    /// The challenges that are answered, the preferred one first; never none.
    pub challenges: Vec<AcmeChallenge>,
    /// The time from a first failure to the next try; each further failure doubles it.
    pub retry: Duration,
}

/// How a server is shown that a domain is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcmeChallenge {
    /// By an answer on the listener for HTTP, which the server reaches at port 80 (RFC 8555, 8.3).
    Http01,
    /// By a certificate on the listener for HTTPS, which the server reaches at port 443 (RFC 8737).
    TlsAlpn01,
}
