//! Every answer that the gateway makes itself, and what it says to whom: a status, a code and a message
//! for the client, a reason for log and metric.

use std::sync::Arc;
use std::time::Duration;

use claimgate_functions::{InvokeError, RequestBodyError};
use claimgate_jose::VerifyError;
use claimgate_remote_keys::FetchError;
use http::{Method, StatusCode};

use crate::authority::AuthorityError;
use crate::parameters::form::FormError;
use crate::path::PathError;
use crate::refusal::Refusal;
use crate::rewrite::RewriteError;

/// Why a request got no answer of a function.
#[derive(Debug, thiserror::Error)]
pub enum Rejection {
    /// The client's fault: no usable Host.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The client's fault: no usable path.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The client's fault: a head that is malformed, too large or too late.
    #[error(transparent)]
    Head(#[from] Refusal),
    /// CONNECT asks for a tunnel, and the gateway is no proxy.
    #[error("the gateway is no proxy and serves no CONNECT")]
    Connect,
    /// No custom domain has the request's host.
    #[error("no custom domain has this host")]
    UnknownDomain,
    /// The connection was opened for another domain, or the domain is not served over HTTPS.
    #[error("the connection was opened for another domain than the request is for")]
    Misdirected,
    /// The domain is served over HTTPS alone.
    #[error("this domain is served over https only")]
    HttpsOnly {
        /// The URL that is asked for, with `https`.
        location: String,
    },
    /// The host is that of an HTTP trigger with `disableURLInternet`.
    #[error("the HTTP trigger of the function is disabled")]
    TriggerDisabled,
    /// The domain has no route for the path.
    #[error("the domain has no route for this path")]
    NoRoute,
    /// What is stored for the domain, or of the function that its route leads to, cannot be served.
    #[error("the configuration that is stored for this cannot be served")]
    ConfigurationUnavailable,
    /// The path has routes, but none for the method.
    #[error("the route does not serve this method")]
    MethodNotAllowed(Vec<Method>),
    /// No token at any of the places of `tokenLookup`.
    #[error("no token at any place of tokenLookup")]
    MissingToken(StatusCode),
    /// Two values where the token is looked for.
    #[error("more than one value at the place of the token")]
    AmbiguousToken,
    /// The header has a value, but without the configured prefix.
    #[error("the header lacks the prefix that tokenLookup gives it")]
    WrongPrefix,
    /// Longer than `limits.tokenBytes`.
    #[error("the token is longer than {limit} bytes")]
    TokenTooLong {
        /// In bytes.
        limit: usize,
    },
    /// The token did not pass verification.
    #[error(transparent)]
    InvalidToken(#[from] VerifyError),
    /// The token's key may be one that is fetched, and none could be fetched yet.
    #[error(
        "no key of the configuration is the token's, and none could be fetched from {from} yet: {}",
        failure.as_ref().map_or("it takes too long".to_owned(), |failure| failure.to_string())
    )]
    KeysUnavailable {
        /// Where they come from.
        from: String,
        /// Why they could not be fetched.
        failure: Option<Arc<FetchError>>,
        /// How long to wait before the request is sent again.
        retry_after: Duration,
    },
    /// The token's signature is slow to verify, and too many such wait.
    #[error("too many signatures that are slow to verify wait already")]
    VerifierBusy,
    /// The client's fault: a form that cannot be read without doubt.
    #[error(transparent)]
    Form(#[from] FormError),
    /// A form that has to be buffered is larger than `limits.formBytes`.
    #[error("the form is larger than {limit} bytes")]
    FormTooLarge {
        /// In bytes.
        limit: usize,
    },
    /// A form that has to be buffered did not arrive within `timeouts.formReadSeconds`.
    #[error("the form did not arrive in time")]
    FormTimeout,
    /// The client's fault: with this path a rule of `rewriteConfig` makes none that may be forwarded.
    #[error(transparent)]
    Rewrite(#[from] RewriteError),
    /// The client's connection broke while its body was read.
    #[error("the body broke off")]
    BodyBrokeOff,
    /// The function, or the way to it.
    #[error(transparent)]
    Function(InvokeError),
    /// The function switched protocols though the request did not ask for it.
    #[error("the function switched protocols unasked")]
    UnaskedUpgrade,
}

/// Whether a request that got no answer of a function was refused or failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The request was refused.
    Client,
    /// The function, or the way to it, failed; or keys could not be fetched, too many slow signatures wait, or
    /// what is stored cannot be served.
    Function,
}

impl Fault {
    /// The word for it in log and metric.
    pub fn outcome(self) -> &'static str {
        match self {
            Self::Client => "refused",
            Self::Function => "failed",
        }
    }
}

impl From<InvokeError> for Rejection {
    /// A form that was filtered while it arrived and turned out to be malformed is the client's fault.
    fn from(error: InvokeError) -> Self {
        if let InvokeError::RequestBody(RequestBodyError::Broken(source)) = &error
            && let Some(form) = source.downcast_ref::<FormError>()
        {
            return Self::Form(*form);
        }
        if matches!(error, InvokeError::Unavailable) {
            return Self::ConfigurationUnavailable;
        }
        Self::Function(error)
    }
}

impl Rejection {
    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Authority(_) | Self::Path(_) | Self::Connect | Self::Rewrite(_) | Self::BodyBrokeOff => {
                StatusCode::BAD_REQUEST
            }
            Self::Head(refusal) => refusal.status(),
            Self::UnknownDomain | Self::NoRoute => StatusCode::NOT_FOUND,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::HttpsOnly { .. } => StatusCode::PERMANENT_REDIRECT,
            Self::TriggerDisabled => StatusCode::FORBIDDEN,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::MissingToken(status) => *status,
            Self::AmbiguousToken | Self::WrongPrefix | Self::TokenTooLong { .. } | Self::InvalidToken(_) => {
                StatusCode::UNAUTHORIZED
            }
            Self::Form(
                FormError::Encoded | FormError::Charset | FormError::CharsetOfClaim | FormError::NotAForm,
            ) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Form(FormError::NoMemory(_)) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Form(_) => StatusCode::BAD_REQUEST,
            Self::FormTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::FormTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::KeysUnavailable { .. } | Self::VerifierBusy | Self::ConfigurationUnavailable => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Function(error) => function_status(error),
            Self::UnaskedUpgrade => StatusCode::BAD_GATEWAY,
        }
    }

    /// The `Code` of the answer: Function Compute's where it has one.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Authority(_) | Self::Path(_) | Self::Connect | Self::Rewrite(_) | Self::BodyBrokeOff => {
                "InvalidArgument"
            }
            Self::Form(
                FormError::Encoded | FormError::Charset | FormError::CharsetOfClaim | FormError::NotAForm,
            ) => "UnsupportedMediaType",
            Self::Form(FormError::NoMemory(_)) => "ServiceUnavailable",
            Self::Form(_) => "InvalidArgument",
            Self::Head(refusal) => refusal.code(),
            Self::UnknownDomain => "DomainNameNotFound",
            Self::Misdirected => "MisdirectedRequest",
            Self::HttpsOnly { .. } => "HTTPSRequired",
            Self::TriggerDisabled => "AccessDenied",
            Self::NoRoute => "DomainRouteNotFound",
            Self::ConfigurationUnavailable => "ConfigurationUnavailable",
            Self::MethodNotAllowed(_) => "MethodNotAllowed",
            Self::MissingToken(_)
            | Self::AmbiguousToken
            | Self::WrongPrefix
            | Self::TokenTooLong { .. }
            | Self::InvalidToken(_) => "Unauthorized",
            Self::FormTooLarge { .. } => "EntityTooLarge",
            Self::FormTimeout => "RequestTimeout",
            Self::KeysUnavailable { .. } | Self::VerifierBusy => "ServiceUnavailable",
            Self::Function(error) => function_code(error),
            Self::UnaskedUpgrade => "FunctionUnavailable",
        }
    }

    /// The `Message` of the answer. It tells a client how to mend a malformed request, and nothing of
    /// why a token was refused or where a function is.
    pub fn public_message(&self) -> String {
        match self {
            Self::Authority(_)
            | Self::Path(_)
            | Self::Connect
            | Self::Head(_)
            | Self::UnknownDomain
            | Self::Misdirected
            | Self::HttpsOnly { .. }
            | Self::TriggerDisabled
            | Self::NoRoute
            | Self::MethodNotAllowed(_)
            | Self::Form(_)
            | Self::FormTooLarge { .. }
            | Self::FormTimeout
            | Self::BodyBrokeOff => self.to_string(),
            Self::ConfigurationUnavailable => "this cannot be served now".to_owned(),
            Self::Rewrite(_) => "the function does not serve this path".to_owned(),
            Self::MissingToken(_) => "missing or malformed jwt".to_owned(),
            Self::AmbiguousToken | Self::WrongPrefix | Self::TokenTooLong { .. } | Self::InvalidToken(_) => {
                "invalid or expired jwt".to_owned()
            }
            Self::KeysUnavailable { .. } | Self::VerifierBusy => {
                "the request cannot be authenticated now".to_owned()
            }
            Self::Function(error) => match function_status(error) {
                StatusCode::GATEWAY_TIMEOUT => "the function did not answer in time".to_owned(),
                StatusCode::BAD_GATEWAY => {
                    "the function cannot be reached or gave no valid answer".to_owned()
                }
                StatusCode::SERVICE_UNAVAILABLE => "the function cannot take the request now".to_owned(),
                _ => "the request could not be read to its end".to_owned(),
            },
            Self::UnaskedUpgrade => "the function cannot be reached or gave no valid answer".to_owned(),
        }
    }

    /// A stable word for log and metric.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Authority(AuthorityError::NotExactlyOne) => "not_exactly_one_host",
            Self::Authority(AuthorityError::Conflict) => "conflicting_hosts",
            Self::Authority(AuthorityError::Invalid) => "invalid_host",
            Self::Path(_) => "invalid_path",
            Self::Connect => "connect_method",
            Self::Head(refusal) => refusal.reason(),
            Self::UnknownDomain => "unknown_domain",
            Self::Misdirected => "misdirected",
            Self::HttpsOnly { .. } => "https_only",
            Self::TriggerDisabled => "trigger_disabled",
            Self::NoRoute => "no_route",
            Self::ConfigurationUnavailable => "configuration_unavailable",
            Self::MethodNotAllowed(_) => "method_not_allowed",
            Self::MissingToken(_) => "missing_token",
            Self::AmbiguousToken => "ambiguous_token",
            Self::WrongPrefix => "wrong_prefix",
            Self::TokenTooLong { .. } => "token_too_long",
            Self::InvalidToken(error) => error.reason(),
            Self::Form(FormError::Encoded | FormError::Charset | FormError::CharsetOfClaim) => "encoded_form",
            Self::Form(FormError::NotAForm) => "not_a_form",
            Self::Form(FormError::NoMemory(_)) => "form_memory",
            Self::Form(_) => "invalid_form",
            Self::FormTooLarge { .. } => "form_too_large",
            Self::FormTimeout => "form_timeout",
            Self::KeysUnavailable { .. } => "keys_unavailable",
            Self::VerifierBusy => "verifier_busy",
            Self::Rewrite(_) => "invalid_rewritten_path",
            Self::BodyBrokeOff => "body_broke_off",
            Self::Function(error) => error.reason(),
            Self::UnaskedUpgrade => "unasked_upgrade",
        }
    }

    /// How long to wait before the request is sent again, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::KeysUnavailable { retry_after, .. } => Some(*retry_after),
            Self::VerifierBusy | Self::Form(FormError::NoMemory(_)) => Some(Duration::from_secs(1)),
            Self::Function(InvokeError::NoInstance(error)) => Some(error.retry_after()),
            _ => None,
        }
    }

    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        if self.status().is_server_error() { Fault::Function } else { Fault::Client }
    }

    /// Whether the connection cannot be trusted to carry another request.
    pub fn ends_connection(&self) -> bool {
        match self {
            Self::Head(_) | Self::Authority(_) | Self::Connect | Self::BodyBrokeOff => true,
            Self::Function(error) => matches!(error, InvokeError::RequestBody(_)),
            _ => false,
        }
    }
}

fn function_status(error: &InvokeError) -> StatusCode {
    match error {
        InvokeError::Connect(_)
        | InvokeError::NotAllowed(_)
        | InvokeError::Tls(_)
        | InvokeError::NoRootCertificates
        | InvokeError::Closed(_)
        | InvokeError::InvalidAnswer(_)
        | InvokeError::InvalidTarget(_) => StatusCode::BAD_GATEWAY,
        InvokeError::ConnectTimeout | InvokeError::FirstByteTimeout | InvokeError::ResponseTimeout => {
            StatusCode::GATEWAY_TIMEOUT
        }
        InvokeError::NoInstance(_) | InvokeError::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        InvokeError::RequestBody(RequestBodyError::Broken(_)) => StatusCode::BAD_REQUEST,
        InvokeError::RequestBody(RequestBodyError::Timeout) => StatusCode::REQUEST_TIMEOUT,
    }
}

fn function_code(error: &InvokeError) -> &'static str {
    match function_status(error) {
        StatusCode::BAD_REQUEST => "InvalidArgument",
        StatusCode::REQUEST_TIMEOUT => "RequestTimeout",
        StatusCode::GATEWAY_TIMEOUT => "FunctionTimeout",
        StatusCode::SERVICE_UNAVAILABLE => "FunctionNotStarted",
        _ => "FunctionUnavailable",
    }
}
