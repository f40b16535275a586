//! The checks of a token, for those who want to follow them.
use crate::json::Object;
use crate::{Algorithm, Jwk};
use std::time::Duration;

/// A check that a token has passed, with what it brought to light. None holds a secret: of the key it is
/// what [`Jwk`] shows.
#[derive(Debug, Clone, Copy)]
pub enum Check<'a> {
    /// Three segments (RFC 7515 section 7.1).
    Form,
    /// The header is a JSON object.
    Header(&'a Object),
    /// `alg` is supported.
    Algorithm(Algorithm),
    /// The header asks for no extension: neither `crit` nor `b64`.
    Extensions,
    /// `kid` is a string; `None` when it is absent or empty.
    KeyId(Option<&'a str>),
    /// The set has a key for the `kid`.
    Key(&'a Jwk),
    /// The key may be used with the token's algorithm.
    KeyFits,
    /// The signature is the key's.
    Signature,
    /// The payload is a JSON object.
    Payload(&'a Object),
    /// Each time is a number in range.
    Times(Times),
    /// `exp` is to come.
    Expiry,
    /// `nbf` has come.
    NotBefore,
    /// `iss` is accepted.
    Issuer,
    /// `aud` is accepted.
    Audience,
}

impl Check<'_> {
    /// The names of all checks in the order in which they are made.
    pub const NAMES: [&'static str; 14] = [
        "form",
        "header",
        "alg",
        "crit",
        "kid",
        "key",
        "key_fit",
        "signature",
        "payload",
        "times",
        "exp",
        "nbf",
        "iss",
        "aud",
    ];

    /// A name that stays the same.
    pub fn name(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Header(_) => "header",
            Self::Algorithm(_) => "alg",
            Self::Extensions => "crit",
            Self::KeyId(_) => "kid",
            Self::Key(_) => "key",
            Self::KeyFits => "key_fit",
            Self::Signature => "signature",
            Self::Payload(_) => "payload",
            Self::Times(_) => "times",
            Self::Expiry => "exp",
            Self::NotBefore => "nbf",
            Self::Issuer => "iss",
            Self::Audience => "aud",
        }
    }
}

/// The times of a token, counted from the Unix epoch; `None` where the claim is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// `exp`.
    pub expires_at: Option<Duration>,
    /// `nbf`.
    pub not_before: Option<Duration>,
    /// `iat`.
    pub issued_at: Option<Duration>,
}

impl Times {
    /// Whether a token with these times is valid at the time `now`, counted from the Unix epoch, with
    /// `leeway` for the issuer's clock.
    pub fn contain(&self, now: Duration, leeway: Duration) -> bool {
        super::check_expiry(self, leeway, now).is_ok() && super::check_not_before(self, leeway, now).is_ok()
    }
}
