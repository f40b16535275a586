//! `corsConfig`: which pages of other origins may read a domain's answers.
use http::HeaderValue;

/// The CORS rules of a domain, as the header values that say them.
#[derive(Debug, Clone)]
pub struct CorsRules {
    /// Whose pages may read answers.
    pub origins: AllowedOrigins,
    /// Whether their requests may carry cookies; never with [`AllowedOrigins::Any`].
    pub allow_credentials: bool,
    /// `Access-Control-Allow-Methods`.
    pub methods: HeaderValue,
    /// `Access-Control-Allow-Headers`; `None` allows whatever a preflight request asks for.
    pub headers: Option<HeaderValue>,
    /// `Access-Control-Expose-Headers`.
    pub exposed_headers: Option<HeaderValue>,
    /// `Access-Control-Max-Age`.
    pub max_age: Option<HeaderValue>,
}

/// Whose pages may read answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// Everybody's.
    Any,
    /// These; never empty.
    Listed(Vec<OriginPattern>),
}

/// An origin as browsers write it, or all of one label more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OriginPattern {
    /// This one.
    Exact(String),
    /// Those with one label in place of the `*`.
    Wildcard {
        /// What stands before the `*`: scheme and `://`.
        scheme: String,
        /// What stands behind it: a dot, the domain and perhaps a port.
        parent: String,
    },
}

impl AllowedOrigins {
    /// Whether an `Origin` is allowed.
    pub fn allow(&self, origin: &[u8]) -> bool {
        match self {
            AllowedOrigins::Any => true,
            AllowedOrigins::Listed(patterns) => patterns.iter().any(|pattern| pattern.matches(origin)),
        }
    }
}

impl OriginPattern {
    fn matches(&self, origin: &[u8]) -> bool {
        match self {
            OriginPattern::Exact(exact) => exact.as_bytes() == origin,
            OriginPattern::Wildcard { scheme, parent } => {
                let label = origin
                    .strip_prefix(scheme.as_bytes())
                    .and_then(|rest| rest.strip_suffix(parent.as_bytes()))
                    .unwrap_or_default();
                !label.is_empty() && label.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
            }
        }
    }
}
