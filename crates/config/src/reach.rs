//! Which addresses a function may be at that is not declared in the configuration file.
//!
//! A function is usually on this machine or in a private network, so both are allowed. The gateway's own
//! listeners are not: through them, a caller who may store functions would send requests to the admin listener from
//! an address that is trusted there. Names can lead anywhere, so connections are judged when they are opened,
//! before anything is sent.
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{Mutex, PoisonError};

use http::Uri;
use http::uri::Scheme;

use crate::special_addresses;

static OWN_LISTENERS: Mutex<Vec<SocketAddr>> = Mutex::new(Vec::new());

/// Where requests to a function may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Reach {
    /// To every address: the configuration file names the function.
    #[default]
    Everywhere,
    /// Not to the gateway's own listeners, and to link-local addresses and those of metadata services of clouds
    /// only when that is allowed.
    Bounded {
        /// `control.allow.linkLocalAddresses`.
        link_local: bool,
    },
}

/// Why no request is sent to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    /// The gateway listens there itself.
    #[error("it is an address of claimgate's own listeners, which no stored function may have")]
    OwnListener,
    /// An address of a kind that has to be allowed.
    #[error(
        "it is {0}; stored functions may have such an address when the configuration file says \
         control.allow.linkLocalAddresses: true"
    )]
    LinkLocal(&'static str),
}

/// Notes an address that this process listens on.
pub fn note_own_listener(address: SocketAddr) {
    OWN_LISTENERS.lock().unwrap_or_else(PoisonError::into_inner).push(address);
}

impl Reach {
    /// Judges a connection by both of its ends.
    ///
    /// # Errors
    ///
    /// Why nothing may be sent on it.
    pub fn judge_connection(self, peer: SocketAddr, local: IpAddr) -> Result<(), Unreachable> {
        self.judge(peer, || peer.ip().to_canonical() == local.to_canonical())
    }

    /// Judges a URL, as far as its host is an address. Other names are judged when they are connected to.
    ///
    /// # Errors
    ///
    /// Why no function may have it.
    pub fn judge_url(self, origin: &Uri) -> Result<(), Unreachable> {
        let Some(ip) = origin.host().and_then(literal) else { return Ok(()) };
        let usual = if origin.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
        let port = origin.port_u16().unwrap_or(usual);
        // Connections to unspecified addresses go to this machine.
        let ip = match ip.to_canonical() {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        self.judge(SocketAddr::new(ip, port), || is_of_this_machine(ip))
    }

    fn judge(self, peer: SocketAddr, is_local: impl FnOnce() -> bool) -> Result<(), Unreachable> {
        let Self::Bounded { link_local } = self else { return Ok(()) };
        let ip = peer.ip().to_canonical();
        let own = OWN_LISTENERS.lock().unwrap_or_else(PoisonError::into_inner);
        if is_own(ip, peer.port(), &own, is_local) {
            return Err(Unreachable::OwnListener);
        }
        match special_addresses::refusal(ip, &[]) {
            Some(kind) if !link_local => Err(Unreachable::LinkLocal(kind)),
            _ => Ok(()),
        }
    }
}

fn is_own(ip: IpAddr, port: u16, own: &[SocketAddr], is_local: impl FnOnce() -> bool) -> bool {
    let mut everywhere = false;
    for listener in own.iter().filter(|listener| listener.port() == port) {
        let at = listener.ip().to_canonical();
        if at == ip {
            return true;
        }
        everywhere |= at.is_unspecified();
    }
    everywhere && (ip.is_loopback() || is_local())
}

/// Whether an address is one of this machine's. Nothing is sent.
fn is_of_this_machine(ip: IpAddr) -> bool {
    let any: IpAddr = match ip {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let from = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((ip, 9))?;
        socket.local_addr()
    });
    from.is_ok_and(|from| from.ip() == ip)
}

/// The address that a host is, in every form that resolvers take for one.
fn literal(host: &str) -> Option<IpAddr> {
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.eq_ignore_ascii_case("localhost") {
        return Some(Ipv4Addr::LOCALHOST.into());
    }
    if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let (address, _zone) = inner.split_once('%').unwrap_or((inner, ""));
        return address.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    }
    inet_aton(host).map(IpAddr::V4)
}

/// One to four numbers, each decimal, octal or hexadecimal, of which the last fills what is left (inet_aton(3)).
fn inet_aton(host: &str) -> Option<Ipv4Addr> {
    let numbers: Option<Vec<u64>> = host.split('.').map(number).collect();
    let numbers = numbers.filter(|numbers| numbers.len() <= 4)?;
    let (last, first) = numbers.split_last()?;
    let bits_left = 32 - 8 * u32::try_from(first.len()).ok()?;
    if *last >= 1 << bits_left {
        return None;
    }
    let mut bits = *last;
    for (position, number) in (0..).zip(first) {
        if *number > 255 {
            return None;
        }
        bits |= number << (24 - 8 * position);
    }
    u32::try_from(bits).ok().map(Ipv4Addr::from_bits)
}

fn number(text: &str) -> Option<u64> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some("") => return Some(0),
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    if digits.starts_with('+') {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NO_LINK_LOCAL: Reach = Reach::Bounded { link_local: false };

    fn url(host: &str, port: u16) -> Uri {
        format!("http://{host}:{port}/").parse().unwrap()
    }

    #[test]
    fn own_listeners_are_found_in_every_spelling() {
        // No other test of this process has these ports.
        note_own_listener("127.0.0.1:41".parse().unwrap());
        note_own_listener("0.0.0.0:42".parse().unwrap());
        note_own_listener("[::1]:43".parse().unwrap());
        let spellings = [
            "127.0.0.1",
            "localhost",
            "LOCALHOST",
            "localhost.",
            "0.0.0.0",
            "0",
            "127.1",
            "127.0.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "017700000001",
            "0x7F.0x0.0x0.0x1",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::FFFF:127.0.0.1]",
        ];
        for host in spellings {
            for port in [41, 42] {
                let found = NO_LINK_LOCAL.judge_url(&url(host, port));
                assert_eq!(found, Err(Unreachable::OwnListener), "{host}:{port}");
                assert_eq!(Reach::Everywhere.judge_url(&url(host, port)), Ok(()), "{host}:{port}");
            }
            assert_eq!(NO_LINK_LOCAL.judge_url(&url(host, 44)), Ok(()), "{host}");
        }
        for host in ["[::1]", "[::]", "[0:0:0:0:0:0:0:1]"] {
            assert_eq!(NO_LINK_LOCAL.judge_url(&url(host, 43)), Err(Unreachable::OwnListener), "{host}");
        }
        // Every address of the machine, where a listener has them all.
        assert!(NO_LINK_LOCAL.judge_url(&url("127.9.9.9", 42)).is_err());
        assert!(NO_LINK_LOCAL.judge_url(&url("127.9.9.9", 41)).is_ok());
        let peer = "10.1.2.3:42".parse().unwrap();
        assert!(NO_LINK_LOCAL.judge_connection(peer, "10.1.2.3".parse().unwrap()).is_err());
        assert!(NO_LINK_LOCAL.judge_connection(peer, "10.1.2.4".parse().unwrap()).is_ok());
    }

    #[test]
    fn link_local_and_metadata_addresses_have_to_be_allowed() {
        for host in [
            "169.254.169.254",
            "2852039166",
            "0xa9fea9fe",
            "169.254.43518",
            "[fe80::1]",
            "[fe80::1%25eth0]",
            "[fd00:ec2::254]",
            "[::ffff:169.254.169.254]",
            "[64:ff9b::a9fe:a9fe]",
            "100.100.100.200",
        ] {
            let Ok(url) = format!("http://{host}/").parse::<Uri>() else { continue };
            assert!(matches!(NO_LINK_LOCAL.judge_url(&url), Err(Unreachable::LinkLocal(_))), "{host}");
            assert_eq!(Reach::Bounded { link_local: true }.judge_url(&url), Ok(()), "{host}");
        }
        for host in ["10.0.0.1", "192.168.0.1", "orders.example.com", "1.2.3.4.5", "256.1.1.1", "08.1", "+1"]
        {
            assert_eq!(NO_LINK_LOCAL.judge_url(&url(host, 80)), Ok(()), "{host}");
        }
    }
}
