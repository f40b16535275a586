//! Cookies of the console.
//!
//! Over HTTPS their names begin with `__Host-`: a browser takes such a cookie only over HTTPS, from this very host
//! and for all of it, so that no other host of the domain can plant one. Over plain HTTP no browser but those that
//! trust loopback would take them, so there they have their bare names.

use axum::http::header::COOKIE;
use axum::http::{Extensions, HeaderMap};
use claimgate_gateway::Sender;

/// A cookie that holds a secret.
#[derive(Debug, Clone, Copy)]
pub struct SecretCookie {
    plain: &'static str,
    protected: &'static str,
}

/// What the client's side of a request runs over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// HTTPS, to this process or to a trusted proxy.
    Https,
    /// Plain HTTP.
    None,
}

/// Holds the token of a session.
pub const SESSION: SecretCookie =
    SecretCookie { plain: "claimgate_session", protected: "__Host-claimgate_session" };

/// Shows that a user has signed in with this browser before.
pub const DEVICE: SecretCookie =
    SecretCookie { plain: "claimgate_device", protected: "__Host-claimgate_device" };

impl SecretCookie {
    /// Its value in a request; that of the other name does not count.
    pub fn of(self, headers: &HeaderMap, protection: Protection) -> Option<&str> {
        cookie(headers, self.name(protection))
    }

    /// The value of `Set-Cookie` that gives it to a browser, for so many seconds; 0 takes it away.
    pub fn set(self, value: &str, seconds: u64, protection: Protection) -> String {
        let name = self.name(protection);
        let secure = match protection {
            Protection::Https => "; Secure",
            Protection::None => "",
        };
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}")
    }

    fn name(self, protection: Protection) -> &'static str {
        match protection {
            Protection::Https => self.protected,
            Protection::None => self.plain,
        }
    }
}

impl Protection {
    /// Of a request of this client.
    pub fn of(sender: &Sender) -> Self {
        if sender.is_https { Self::Https } else { Self::None }
    }
}

/// What a request came over. One whose sender is not known counts as plain.
pub fn protection(extensions: &Extensions) -> Protection {
    extensions.get().map_or(Protection::None, Protection::of)
}

/// The value of a cookie.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let fields = headers.get_all(COOKIE).into_iter().filter_map(|field| field.to_str().ok());
    let mut pairs = fields.flat_map(|field| field.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}
