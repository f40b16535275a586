//! `admin`: the settings of the admin listener.
use std::net::SocketAddr;

use super::{AccessKey, AddressRange, CertificateFiles};

/// Settings of the admin listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminSettings {
    /// Address of the admin listener; `None` for no admin listener.
    pub listen: Option<SocketAddr>,
    /// What the admin listener is served with over HTTPS; `None` when it is not.
    pub tls: Option<CertificateFiles>,
    /// Whether it may be reached from other machines without TLS.
    pub allow_insecure: bool,
    /// Whether `/metrics` is answered to everybody, where the listener is not on a loopback address.
    pub open_metrics: bool,
    /// Keys that requests to the API are signed with, in addition to those that are stored.
    pub access_keys: Vec<AccessKey>,
    /// Names that requests may have as their Host, in addition to those that need no entry.
    pub hosts: Vec<HostPattern>,
    /// Proxies whose client-address headers are trusted.
    pub trusted_proxies: Vec<AddressRange>,
    /// How many connections the listener takes.
    pub limits: AdminLimits,
}

/// How many connections the admin listener takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdminLimits {
    /// In all.
    pub connections: usize,
    /// From one address: an IPv4 address or an IPv6 network of 64 bits. Trusted proxies are not limited.
    pub connections_per_address: usize,
}

/// A name that requests may have as their Host, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostPattern {
    /// This name.
    Name(String),
    /// Every name below this one, at any depth.
    Below(String),
}

impl HostPattern {
    /// Whether a name, in lower case and without a dot at its end, is meant.
    pub fn matches(&self, host: &str) -> bool {
        match self {
            Self::Name(name) => host == name,
            Self::Below(name) => host
                .strip_suffix(name.as_str())
                .and_then(|rest| rest.strip_suffix('.'))
                .is_some_and(|label| !label.is_empty()),
        }
    }
}

impl Default for AdminLimits {
    fn default() -> Self {
        Self { connections: 256, connections_per_address: 64 }
    }
}
