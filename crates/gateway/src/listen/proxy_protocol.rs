//! The header that a proxy puts before everything else on a connection, to tell whom it is for: the PROXY
//! protocol, versions 1 and 2 (<https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt>).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tokio::io::{AsyncRead, AsyncReadExt};

/// What version 2 begins with (2.2). It is shorter than any header of version 1.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// The longest line of version 1, its end included (2.1).
const LONGEST_LINE: usize = 107;

/// Why a connection is not served.
#[derive(Debug, thiserror::Error)]
pub enum HeaderError {
    /// There is no header, or one that follows neither version.
    #[error("the connection does not begin with a header of the PROXY protocol")]
    Malformed,
    /// The connection broke, or ended within the header.
    #[error("the connection ended before its header of the PROXY protocol did")]
    Broken(#[from] io::Error),
}

/// Reads the header and nothing behind it. Gives the address that the proxy tells; `None` when it tells
/// none, as of connections of its own.
pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<IpAddr>, HeaderError> {
    let mut start = [0; SIGNATURE.len()];
    stream.read_exact(&mut start).await?;
    if start == *SIGNATURE { read_version_2(stream).await } else { read_version_1(stream, &start).await }
}

async fn read_version_1(
    stream: &mut (impl AsyncRead + Unpin),
    start: &[u8],
) -> Result<Option<IpAddr>, HeaderError> {
    if !start.starts_with(b"PROXY ") {
        return Err(HeaderError::Malformed);
    }
    let mut line = start.to_vec();
    while !line.ends_with(b"\r\n") {
        if line.len() == LONGEST_LINE {
            return Err(HeaderError::Malformed);
        }
        // Byte by byte, as what follows the line is another's.
        line.push(stream.read_u8().await?);
    }
    parse_line(&line).ok_or(HeaderError::Malformed)
}

/// `PROXY TCP4 <source> <destination> <source port> <destination port>` and CR LF, or `PROXY UNKNOWN` with
/// anything behind it.
fn parse_line(line: &[u8]) -> Option<Option<IpAddr>> {
    let line = str::from_utf8(line).ok()?.strip_suffix("\r\n")?;
    if line == "PROXY UNKNOWN" || line.starts_with("PROXY UNKNOWN ") {
        return Some(None);
    }
    let mut words = line.split(' ').skip(1);
    let family = words.next()?;
    let mut address = || {
        let word = words.next()?;
        match family {
            "TCP4" => word.parse().ok().map(IpAddr::V4),
            "TCP6" => word.parse().ok().map(IpAddr::V6),
            _ => None,
        }
    };
    let (source, _) = (address()?, address()?);
    let is_port = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit()) && word.parse::<u16>().is_ok();
    let ports = [words.next()?, words.next()?];
    (ports.into_iter().all(is_port) && words.next().is_none()).then_some(Some(source))
}

async fn read_version_2(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<IpAddr>, HeaderError> {
    let (command, family) = (stream.read_u8().await?, stream.read_u8().await?);
    let length = stream.read_u16().await?;
    let mut rest = vec![0; usize::from(length)];
    stream.read_exact(&mut rest).await?;
    let source = match (command, family) {
        // LOCAL: a connection of the proxy's own, as to see whether the gateway is there.
        (0x20, _) => return Ok(None),
        // PROXY: UNSPEC, and unix sockets, whose addresses say nothing here.
        (0x21, 0x00 | 0x31 | 0x32) => return Ok(None),
        // TCP over IPv4: two addresses and two ports.
        (0x21, 0x11) if rest.len() >= 12 => {
            rest.first_chunk().map(|source: &[u8; 4]| IpAddr::V4(Ipv4Addr::from(*source)))
        }
        // TCP over IPv6.
        (0x21, 0x21) if rest.len() >= 36 => {
            rest.first_chunk().map(|source: &[u8; 16]| IpAddr::V6(Ipv6Addr::from(*source)))
        }
        _ => None,
    };
    source.map(Some).ok_or(HeaderError::Malformed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// What a stream tells, and what is left of it.
    async fn told(bytes: &[u8]) -> (Result<Option<IpAddr>, HeaderError>, &[u8]) {
        let mut stream = bytes;
        let result = read(&mut stream).await;
        (result, stream)
    }

    fn version_2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [SIGNATURE.as_slice(), &[command, family], &length, rest, b"GET"].concat()
    }

    #[tokio::test]
    async fn an_address_is_told() {
        let v4 = [192, 0, 2, 1, 10, 0, 0, 1, 1, 1, 2, 2];
        let v6 = [[0x20; 16].as_slice(), &[1; 16], &[1, 1, 2, 2]].concat();
        let with_more = [v4.as_slice(), &[4, 0, 1, 0]].concat();
        let one = |text: &str| text.as_bytes().to_vec();
        for (bytes, address) in [
            (one("PROXY TCP4 192.0.2.1 10.0.0.1 56324 443\r\nGET"), Some("192.0.2.1")),
            (one("PROXY TCP6 2001:db8::1 ::1 0 65535\r\nGET"), Some("2001:db8::1")),
            (one("PROXY UNKNOWN\r\nGET"), None),
            (one("PROXY UNKNOWN ffff::1 ::1 1 2\r\nGET"), None),
            (version_2(0x21, 0x11, &v4), Some("192.0.2.1")),
            (version_2(0x21, 0x11, &with_more), Some("192.0.2.1")),
            (version_2(0x21, 0x21, &v6), Some("2020:2020:2020:2020:2020:2020:2020:2020")),
            (version_2(0x20, 0x11, &v4), None),
            (version_2(0x20, 0x00, &[]), None),
            (version_2(0x21, 0x00, &[1, 2, 3]), None),
            (version_2(0x21, 0x31, &[0; 216]), None),
        ] {
            let (result, left) = told(&bytes).await;
            assert_eq!(result.unwrap(), address.map(|address| address.parse().unwrap()), "{bytes:?}");
            assert_eq!(left, b"GET");
        }
    }

    #[tokio::test]
    async fn anything_else_is_malformed() {
        let long = format!("PROXY UNKNOWN {}\r\n", "a".repeat(LONGEST_LINE));
        for bytes in [
            b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 10.0.0.1 56324\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 10.0.0.1 56324 443 1\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 10.0.0.1 56324 65536\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 10.0.0.1 +1 443\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1  10.0.0.1 56324 443\r\n".to_vec(),
            b"PROXY TCP4 ::1 ::1 56324 443\r\n".to_vec(),
            b"PROXY TCP6 192.0.2.1 10.0.0.1 56324 443\r\n".to_vec(),
            b"PROXY TCP4 256.0.2.1 10.0.0.1 56324 443\r\n".to_vec(),
            b"PROXY UDP4 192.0.2.1 10.0.0.1 56324 443\r\n".to_vec(),
            b"PROXY UNKNOWNS 1 2\r\n".to_vec(),
            b"proxy TCP4 192.0.2.1 10.0.0.1 56324 443\r\n".to_vec(),
            b"PROXY TCP4 \xff\xff 10.0.0.1 56324 443\r\n".to_vec(),
            long.into_bytes(),
            version_2(0x11, 0x11, &[0; 12]),
            version_2(0x22, 0x11, &[0; 12]),
            version_2(0x21, 0x12, &[0; 12]),
            version_2(0x21, 0x11, &[0; 11]),
            version_2(0x21, 0x21, &[0; 35]),
        ] {
            let (result, _) = told(&bytes).await;
            assert!(matches!(result, Err(HeaderError::Malformed)), "{bytes:?}");
        }
        for bytes in
            [b"".as_slice(), b"PROXY ", b"PROXY TCP4 192.0.2.1 ", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c1234"]
        {
            assert!(matches!(told(bytes).await.0, Err(HeaderError::Broken(_))), "{bytes:?}");
        }
    }
}
