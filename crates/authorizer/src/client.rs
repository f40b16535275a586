//! Whose attempts are counted together.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};

use crate::configuration::Network;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client's address: that of the connection, or what trusted proxies say of it. They append to the
/// header, so that from its end on each entry is as good as the proxy that it names is trusted.
pub(crate) fn address_of(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address| trusted.iter().any(|network| network.contains(address));
    let mut client = peer;
    let values = headers.get_all(X_FORWARDED_FOR);
    let entries =
        values.iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).collect::<Vec<_>>();
    for entry in entries.into_iter().rev() {
        if !is_trusted(client) {
            break;
        }
        match parse(entry) {
            Some(address) => client = address,
            None => break,
        }
    }
    client
}

fn parse(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let text_without_brackets = text.trim_matches(['[', ']']);
    text_without_brackets.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let trusted = [Network::parse("10.0.0.0/8").unwrap(), Network::parse("::1").unwrap()];
        for (peer, forwarded, right) in [
            ("192.0.2.1", &["198.51.100.1"] as &[&str], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", &["1.1.1.1", "198.51.100.1,10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", &["1.1.1.1, junk"], "10.0.0.1"),
            ("10.0.0.1", &["junk, 10.0.0.2"], "10.0.0.2"),
            ("::1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("::1", &["2001:db8::1"], "2001:db8::1"),
            ("::1", &["198.51.100.1:80"], "198.51.100.1"),
        ] {
            let headers = forwarded.iter().map(|value| (X_FORWARDED_FOR, value.parse().unwrap())).collect();
            let address = address_of(peer.parse().unwrap(), &headers, &trusted);
            assert_eq!(address, right.parse::<IpAddr>().unwrap(), "{peer} {forwarded:?}");
        }
    }
}
