//! Addresses that nothing is fetched from and no stored function is at, unless that is allowed.
//!
//! What is judged is the address that a connection goes to, so that no name, no redirect and no second
//! answer of a name server leads past it. Private networks and this machine are allowed: there many
//! issuers are.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::snapshot::AddressRange;

/// Why an address is not connected to; `None` when it is.
pub fn refusal(address: IpAddr, allowed: &[AddressRange]) -> Option<&'static str> {
    let address = address.to_canonical();
    if allowed.iter().any(|range| range.contains(address)) {
        return None;
    }
    match address {
        IpAddr::V4(address) => refusal_v4(address),
        IpAddr::V6(address) => refusal_v6(address)
            // What a gateway on the way makes an IPv4 address of again.
            .or_else(|| {
                let inner = embedded(address)?;
                let is_allowed = allowed.iter().any(|range| range.contains(inner.into()));
                if is_allowed { None } else { refusal_v4(inner) }
            }),
    }
}

const METADATA: &str = "an address of a cloud's metadata service";

fn refusal_v4(address: Ipv4Addr) -> Option<&'static str> {
    /// Of Alibaba Cloud, Azure and Oracle Cloud; others are link-local.
    const METADATA_ADDRESSES: [Ipv4Addr; 3] =
        [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(192, 0, 0, 192)];
    if METADATA_ADDRESSES.contains(&address) {
        return Some(METADATA);
    }
    match address.octets() {
        // RFC 1122, 3.2.1.3: "this host", which systems take for the machine itself.
        [0, ..] => Some("an unspecified address"),
        // RFC 3927; clouds put their metadata service there.
        [169, 254, ..] => Some("a link-local address"),
        [224..=239, ..] => Some("a multicast address"),
        [240..=255, ..] => Some("a broadcast or reserved address"),
        _ => None,
    }
}

fn refusal_v6(address: Ipv6Addr) -> Option<&'static str> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some("an unspecified address"),
        // RFC 4291, 2.5.6 and 2.5.7.
        [0xfe80..=0xfebf, ..] => Some("a link-local address"),
        [0xfec0..=0xfeff, ..] => Some("a site-local address"),
        [0xff00..=0xffff, ..] => Some("a multicast address"),
        // Of AWS and Google Cloud.
        [0xfd00, 0x0ec2, ..] | [0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254] => Some(METADATA),
        _ => None,
    }
}

/// The IPv4 address within an IPv6 address.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        // ::1 is this machine.
        [0, 0, 0, 0, 0, 0, 0, 1] => None,
        // IPv4-compatible (RFC 4291, 2.5.5.1), NAT64 (RFC 6052 and 8215), translated (RFC 2765).
        [0, 0, 0, 0, 0, 0, high, low]
        | [0x64, 0xff9b, 0 | 1, _, _, _, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low] => Some(of(high, low)),
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => Some(of(high, low)),
        // Teredo (RFC 4380) holds it with each bit turned.
        [0x2001, 0, _, _, _, _, high, low] => Some(of(!high, !low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const REFUSED: [&str; 32] = [
        "0.0.0.0",
        "0.1.2.3",
        "169.254.169.254",
        "169.254.0.1",
        "169.254.170.2",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
        "::ffff:169.254.169.254",
        "::ffff:0.0.0.0",
        "::ffff:100.100.100.200",
        "::169.254.169.254",
        "::ffff:0:169.254.169.254",
        "64:ff9b::169.254.169.254",
        "64:ff9b::192.0.0.192",
        "64:ff9b:1::169.254.169.254",
        "64:ff9b:1:ffff::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "2002:e000:1::",
        "2001:0:1:2:3:4:5601:5601",
    ];

    const CONNECTED: [&str; 18] = [
        "127.0.0.1",
        "127.9.9.9",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "100.100.100.199",
        "169.253.255.255",
        "169.255.0.0",
        "223.255.255.255",
        "8.8.8.8",
        "::1",
        "fd12:3456::1",
        "fd00:ec3::254",
        "2606:4700::1111",
        "::ffff:10.0.0.1",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
    ];

    fn is_refused(address: &str, allowed: &[&str]) -> bool {
        let allowed: Vec<AddressRange> = allowed.iter().map(|range| range.parse().unwrap()).collect();
        refusal(address.parse().unwrap(), &allowed).is_some()
    }

    #[test]
    fn metadata_and_link_local_addresses_are_refused_in_every_form() {
        for address in REFUSED {
            assert!(is_refused(address, &[]), "{address}");
            assert!(is_refused(address, &["10.0.0.0/8", "fd12::/16"]), "{address}");
        }
        for address in CONNECTED {
            assert!(!is_refused(address, &[]), "{address}");
        }
    }

    #[test]
    fn what_is_allowed_is_connected_to_in_every_form() {
        for address in ["169.254.10.1", "::ffff:169.254.10.1", "64:ff9b::169.254.10.1", "2002:a9fe:a01::"] {
            assert!(is_refused(address, &[]), "{address}");
            assert!(!is_refused(address, &["169.254.10.0/24"]), "{address}");
        }
        assert!(!is_refused("fd00:ec2::254", &["fd00:ec2::254"]));
        assert!(!is_refused("fe80::1", &["::/0"]));
        assert!(is_refused("169.254.11.1", &["169.254.10.0/24"]));
    }
}
