//! Key sets that are fetched: where they are, and within which bounds.
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use http::Uri;

/// Where a domain's keys are fetched from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RemoteKeySource {
    /// `jwksUri`: the URL of a JWK set.
    JwksUri(Uri),
    /// `oidcIssuer`: an issuer whose JWK set is found by OpenID Connect Discovery 1.0.
    OidcIssuer {
        /// The issuer's identifier as it was written, which has to be that of the issuer to the letter.
        issuer: String,
        /// The URL of its configuration (section 4).
        configuration: Uri,
    },
}

/// As it was written in the configuration: the URL or the issuer.
impl fmt::Display for RemoteKeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::JwksUri(uri) => write!(f, "{uri}"),
            Self::OidcIssuer { issuer, .. } => f.write_str(issuer),
        }
    }
}

/// `gateway.remoteJwks`: how key sets are fetched and kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteJwksSettings {
    /// Whether `http` is allowed to other hosts than this machine.
    pub allow_http: bool,
    /// Addresses that are connected to although they are refused by default.
    pub allow_addresses: Vec<AddressRange>,
    /// A file of root certificates in PEM, trusted in addition to the system's.
    pub ca_file: Option<PathBuf>,
    /// Where the last good sets are kept for the next start.
    pub cache_folder: CacheFolder,
    /// The least time from one fetch to the next, whatever the server says.
    pub min_refresh: Duration,
    /// The longest time from one fetch to the next, whatever the server says.
    pub max_refresh: Duration,
    /// The time from one fetch to the next when the server says nothing.
    pub refresh: Duration,
    /// How long a set is used that could not be fetched again; `None` means for ever.
    pub max_stale: Option<Duration>,
    /// For a fetch as a whole, discovery and redirects included.
    pub timeout: Duration,
    /// Size of an answer, in bytes.
    pub max_bytes: usize,
    /// How many redirects are followed.
    pub max_redirects: usize,
    /// After a fetch that an unknown `kid` asked for, until one may ask again.
    pub unknown_key_id_cooldown: Duration,
    /// How long a request waits for a fetch that may bring its key.
    pub wait: Duration,
}

/// Where the last good sets are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheFolder {
    /// Where the process keeps its state.
    Default,
    /// Nowhere.
    None,
    /// In this folder.
    At(PathBuf),
}

impl RemoteJwksSettings {
    /// Takes relative paths as beginning at a folder.
    pub(crate) fn resolve_paths(&mut self, folder: &Path) {
        self.ca_file = self.ca_file.as_ref().map(|file| folder.join(file));
        if let CacheFolder::At(path) = &mut self.cache_folder {
            *path = folder.join(&path);
        }
    }
}

impl Default for RemoteJwksSettings {
    fn default() -> Self {
        Self {
            allow_http: false,
            allow_addresses: Vec::new(),
            ca_file: None,
            cache_folder: CacheFolder::Default,
            min_refresh: Duration::from_secs(60),
            max_refresh: Duration::from_secs(3600),
            refresh: Duration::from_secs(600),
            max_stale: None,
            timeout: Duration::from_secs(5),
            max_bytes: 1024 * 1024,
            max_redirects: 3,
            unknown_key_id_cooldown: Duration::from_secs(10),
            wait: Duration::from_secs(3),
        }
    }
}

/// IP addresses that begin with the same bits, as `10.1.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressRange {
    network: IpAddr,
    /// Number of bits that have to be equal.
    bits: u32,
}

impl AddressRange {
    /// Whether an address is in the range.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                (network.to_bits() ^ address.to_bits()).leading_zeros() >= self.bits
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                (network.to_bits() ^ address.to_bits()).leading_zeros() >= self.bits
            }
            _ => false,
        }
    }
}

/// An address alone, or with a slash and the number of bits that count.
impl FromStr for AddressRange {
    type Err = NoAddressRange;

    fn from_str(text: &str) -> Result<Self, NoAddressRange> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().map_err(|_| NoAddressRange)?)),
            None => (text, None),
        };
        let network: IpAddr = address.parse().map_err(|_| NoAddressRange)?;
        let most = if network.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        if bits > most { Err(NoAddressRange) } else { Ok(Self { network, bits }) }
    }
}

/// The text is no range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an IP address or a range, as 10.1.0.0/16 or fd12:3456::/32")]
pub struct NoAddressRange;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_range_holds_what_begins_with_its_bits() {
        // (range, inside, outside)
        let cases = [
            ("10.1.0.0/16", "10.1.255.255", "10.2.0.0"),
            ("10.1.2.3/16", "10.1.0.0", "10.0.255.255"),
            ("169.254.169.254", "169.254.169.254", "169.254.169.255"),
            ("0.0.0.0/0", "255.255.255.255", "::"),
            ("10.0.0.0/31", "10.0.0.1", "10.0.0.2"),
            ("fd12:3456::/32", "fd12:3456:ffff::1", "fd12:3457::"),
            ("::/0", "ffff::", "1.2.3.4"),
            ("::1", "::1", "::2"),
        ];
        for (range, inside, outside) in cases {
            let range: AddressRange = range.parse().unwrap();
            assert!(range.contains(inside.parse().unwrap()), "{range:?} {inside}");
            assert!(!range.contains(outside.parse().unwrap()), "{range:?} {outside}");
        }
        for text in ["", "10.1/16", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "a", "10.0.0.0/8/8"]
        {
            assert_eq!(text.parse::<AddressRange>(), Err(NoAddressRange), "{text}");
        }
    }
}
