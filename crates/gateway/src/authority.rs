//! The host that a request is for: one normalised name, or a refusal.

use std::ops::RangeInclusive;

use claimgate_functions::Request;
use http::header::HOST;
use http::{HeaderMap, HeaderValue, Uri, Version};
use memchr::memchr;

use crate::byte_set::ByteSet;

/// The host of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// In lower case, without port and trailing dot; what domains are looked up by.
    pub host: String,
    /// As the request target has it; what the function receives as its Host. `None` where the Host header alone
    /// names it.
    pub target: Option<HeaderValue>,
}

/// Why no domain is looked up for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// RFC 9112, 3.2: a request without a Host, or with more than one.
    #[error("the request needs exactly one Host")]
    NotExactlyOne,
    /// The request target names another host than the Host header.
    #[error("the request target and the Host header name different hosts")]
    Conflict,
    /// No host name with an optional port.
    #[error("the Host is not a host name with an optional port")]
    Invalid,
}

impl Authority {
    /// Reads the host from the request target (absolute form, `:authority`) and the Host header, which
    /// have to agree.
    pub fn of(request: &Request) -> Result<Self, AuthorityError> {
        Self::read(&request.uri, request.version, request.fields.get_all(&HOST))
    }

    fn read<'h>(
        uri: &Uri,
        version: Version,
        mut hosts: impl Iterator<Item = &'h [u8]>,
    ) -> Result<Self, AuthorityError> {
        let header = hosts.next();
        if hosts.next().is_some() {
            return Err(AuthorityError::NotExactlyOne);
        }
        let target = uri.authority().map(|authority| authority.as_str());
        match (target, header) {
            (None, None) => Err(AuthorityError::NotExactlyOne),
            (Some(_), None) if version < Version::HTTP_2 => Err(AuthorityError::NotExactlyOne),
            (None, Some(header)) => Ok(Self { host: normalize(header)?, target: None }),
            (Some(target), None) => Self::of_target(target),
            (Some(target), Some(header)) => {
                let authority = Self::of_target(target)?;
                if authority.host == normalize(header)? {
                    Ok(authority)
                } else {
                    Err(AuthorityError::Conflict)
                }
            }
        }
    }

    fn of_target(target: &str) -> Result<Self, AuthorityError> {
        let host = normalize(target.as_bytes())?;
        let target = HeaderValue::from_str(target).map_err(|_| AuthorityError::Invalid)?;
        Ok(Self { host, target: Some(target) })
    }
}

/// The host of a request to another listener than the data plane's, read as there: in lower case, without port
/// and trailing dot.
///
/// # Errors
///
/// When the request has no Host, or two, or one that is not a name or an address.
pub fn requested_host(uri: &Uri, version: Version, headers: &HeaderMap) -> Result<String, AuthorityError> {
    let hosts = headers.get_all(HOST).into_iter().map(HeaderValue::as_bytes);
    Authority::read(uri, version, hosts).map(|authority| authority.host)
}

fn normalize(written: &[u8]) -> Result<String, AuthorityError> {
    let is_address = written.first() == Some(&b'[');
    let (name, port) = if is_address {
        let end = memchr(b']', written).ok_or(AuthorityError::Invalid)?;
        (written.get(1..end), written.get(end + 1..))
    } else {
        let end = memchr(b':', written).unwrap_or(written.len());
        let name = written.get(..end);
        (name.map(|name| name.strip_suffix(b".").unwrap_or(name)), written.get(end..))
    };
    let (name, port) = (name.unwrap_or_default(), port.unwrap_or_default());
    if !is_port(port) || !is_name(name, is_address) {
        return Err(AuthorityError::Invalid);
    }
    String::from_utf8(name.to_ascii_lowercase()).map_err(|_| AuthorityError::Invalid)
}

/// Whether this is nothing, or a port behind its colon, which may be empty (RFC 3986, 3.2.3).
fn is_port(written: &[u8]) -> bool {
    match written {
        [] | b":" => true,
        // A number might have a sign.
        [b':', digits @ ..] if digits.iter().all(u8::is_ascii_digit) => {
            str::from_utf8(digits).is_ok_and(|digits| digits.parse::<u16>().is_ok())
        }
        _ => false,
    }
}

/// Whether this is a host name, or the address that stood in brackets. RFC 1035, 2.3.4: labels of 1 to 63
/// bytes, 253 with the dots between them.
fn is_name(name: &[u8], is_address: bool) -> bool {
    const NAMES: ByteSet = ByteSet::alphanumeric_and(b"-_");
    const ADDRESSES: ByteSet = ByteSet::alphanumeric_and(b":");
    const LABEL: RangeInclusive<usize> = 1..=63;
    let set = if is_address { &ADDRESSES } else { &NAMES };
    let mut label = 0;
    for &byte in name {
        if byte == b'.' {
            if !LABEL.contains(&label) {
                return false;
            }
            label = 0;
        } else if set.has(byte) {
            label += 1;
        } else {
            return false;
        }
    }
    LABEL.contains(&label) && name.len() <= 253
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use claimgate_functions::RequestBody;

    use super::*;

    #[test]
    fn spellings_of_one_host() {
        for written in [
            "a.example.com",
            "A.Example.COM",
            "a.example.com.",
            "a.example.com:8080",
            "a.example.com.:443",
            "a.example.com:",
        ] {
            assert_eq!(normalize(written.as_bytes()), Ok("a.example.com".to_owned()), "{written}");
        }
        assert_eq!(normalize(b"[::1]:80"), Ok("::1".to_owned()));
    }

    #[test]
    fn what_is_no_host() {
        for written in [
            "",
            ".",
            ":80",
            "a b",
            "a:b",
            "a:80:80",
            "user@a.example.com",
            "a:65536",
            "a:+80",
            "a.example.com..",
            ".a",
            "a/b",
            "[::1",
            "[::1]x",
            "a.example.com,b.example.com",
            "a%2e",
            "ä.example.com",
        ] {
            assert_eq!(normalize(written.as_bytes()), Err(AuthorityError::Invalid), "{written}");
        }
    }

    #[test]
    fn names_that_dns_cannot_hold() {
        for (label, labels, is_valid) in [(63, 1, true), (64, 1, false), (50, 4, true), (50, 5, false)] {
            let name = vec!["a".repeat(label); labels].join(".");
            assert_eq!(normalize(name.as_bytes()).is_ok(), is_valid, "{name}");
        }
    }

    fn request(version: Version, uri: &str, hosts: &[&str]) -> Request {
        let mut request = http::Request::builder().version(version).uri(uri);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        request.body(RequestBody::empty()).unwrap().into()
    }

    #[test]
    fn target_and_header_have_to_agree() {
        let host = |version, uri, hosts: &[&str]| {
            Authority::of(&request(version, uri, hosts)).map(|found| found.host)
        };
        let (h1, h2) = (Version::HTTP_11, Version::HTTP_2);
        assert_eq!(host(h1, "/", &["a.test"]), Ok("a.test".into()));
        assert_eq!(host(h1, "http://a.test/", &["A.test:80"]), Ok("a.test".into()));
        assert_eq!(host(h1, "http://a.test/", &["b.test"]), Err(AuthorityError::Conflict));
        assert_eq!(host(h1, "http://a.test/", &[]), Err(AuthorityError::NotExactlyOne));
        assert_eq!(host(h1, "/", &[]), Err(AuthorityError::NotExactlyOne));
        assert_eq!(host(h1, "/", &["a.test", "a.test"]), Err(AuthorityError::NotExactlyOne));
        assert_eq!(host(h2, "http://a.test/", &[]), Ok("a.test".into()));
        assert_eq!(host(h2, "http://a.test/", &["b.test"]), Err(AuthorityError::Conflict));
    }
}
