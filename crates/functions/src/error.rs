//! What can go wrong on the way to a function and back.

use std::error::Error;
use std::sync::Arc;

use claimgate_config::reach::Unreachable;
use thiserror::Error;

use crate::process::NoInstance;

/// What a library reported, for the log.
pub type Source = Arc<dyn Error + Send + Sync>;

/// Functions cannot be reached at all.
#[derive(Debug, Error)]
pub enum StartError {
    /// The TLS library refused its own settings.
    #[error("cannot set up TLS for functions")]
    Tls(#[source] tokio_rustls::rustls::Error),
}

/// A function gave no answer.
#[derive(Debug, Clone, Error)]
pub enum InvokeError {
    /// No connection: the function's name has no address, or nobody listens there. The function's
    /// fault, or the configuration's.
    #[error("cannot connect to the function")]
    Connect(#[source] Source),
    /// The address of a stored function is one that it may not have. The configuration's fault.
    #[error("the function's address is not allowed: {0}")]
    NotAllowed(#[from] Unreachable),
    /// No connection within `timeouts.connect`. The function's fault, or the network's.
    #[error("no connection to the function in time")]
    ConnectTimeout,
    /// The TLS handshake failed; most often the certificate is not for this name or its issuer is not
    /// trusted. The function's fault, or the configuration's.
    #[error("TLS with the function failed")]
    Tls(#[source] Source),
    /// The function is behind `https` and no root certificate is there to verify it with. The
    /// gateway machine's fault.
    #[error(
        "no root certificates to verify the function with: install the system's, or name a file in SSL_CERT_FILE"
    )]
    NoRootCertificates,
    /// The function took the request, or stopped taking it, and was silent for `timeouts.first_byte`.
    /// The function's fault.
    #[error("no answer from the function in time")]
    FirstByteTimeout,
    /// No answer within `timeouts.response`. The function's fault.
    #[error("no answer from the function within the time for a whole answer")]
    ResponseTimeout,
    /// The connection ended before the head of an answer was complete. The function's fault, or the
    /// network's; whether it has acted on the request is unknown.
    #[error("the function closed the connection without an answer")]
    Closed(#[source] Source),
    /// What is stored of the function cannot be served. The configuration's fault.
    #[error("what is stored of the function cannot be served")]
    Unavailable,
    /// What came back is not HTTP, or not the version that was asked for. The function's fault.
    #[error("the function's answer is not valid HTTP")]
    InvalidAnswer(#[source] Source),
    /// No process of the function takes the request.
    #[error(transparent)]
    NoInstance(#[from] NoInstance),
    /// The request's body ended early. The client's fault, not the function's.
    #[error("the request's body did not arrive")]
    RequestBody(#[source] RequestBodyError),
    /// The function's address and the request's path make no URI. The configuration's fault, or the
    /// path is too long together with the function's.
    #[error("the function's address and the request's path make no valid URI")]
    InvalidTarget(#[source] Source),
}

impl InvokeError {
    /// A word for logs and metrics that stays the same.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Connect(_) => "connect",
            Self::NotAllowed(_) => "address_not_allowed",
            Self::ConnectTimeout => "connect_timeout",
            Self::Tls(_) => "tls",
            Self::NoRootCertificates => "no_root_certificates",
            Self::FirstByteTimeout => "first_byte_timeout",
            Self::ResponseTimeout => "response_timeout",
            Self::Closed(_) => "closed",
            Self::InvalidAnswer(_) => "invalid_answer",
            Self::RequestBody(error) => error.reason(),
            Self::InvalidTarget(_) => "invalid_target",
            Self::NoInstance(error) => error.reason(),
            Self::Unavailable => "configuration_unavailable",
        }
    }
}

/// A request's body ended early.
#[derive(Debug, Clone, Error)]
pub enum RequestBodyError {
    /// The client's connection broke, or what it sent is no valid body.
    #[error("the client broke off")]
    Broken(#[source] Source),
    /// The client sent nothing for `timeouts.idle`.
    #[error("the client stalled")]
    Timeout,
}

impl RequestBodyError {
    /// A word for logs and metrics that stays the same.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Broken(_) => "request_body",
            Self::Timeout => "request_body_timeout",
        }
    }
}

/// A function's answer ended early, after its head. The function's fault, or the network's.
#[derive(Debug, Error)]
pub enum ResponseBodyError {
    /// The connection broke, or what came is no valid body. It also happens when the request's body
    /// ended early while the function was answering already.
    #[error("the function broke off its answer")]
    Broken(#[source] Source),
    /// The function sent nothing for `timeouts.idle`.
    #[error("the function stalled in its answer")]
    Timeout,
    /// It had not ended within `timeouts.response`.
    #[error("the function's answer took longer than a whole answer may take")]
    TooLong,
}

impl ResponseBodyError {
    /// A word for logs and metrics that stays the same.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Broken(_) => "response_body",
            Self::Timeout => "response_body_timeout",
            Self::TooLong => "response_body_too_long",
        }
    }
}
