//! Where a function is, as a URI.

use std::ffi::OsString;
use std::fmt::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};

use crate::error::InvokeError;

/// Scheme of a unix socket's address. It stays inside of this crate.
pub(crate) const UNIX: &str = "unix";

/// Puts a function's origin and base path before a request's path.
pub(crate) fn join(origin: &Uri, base_path: &str, target: &Uri) -> Result<Uri, InvokeError> {
    let mut parts = origin.clone().into_parts();
    let target = target.path_and_query().cloned();
    let target = target.unwrap_or_else(|| PathAndQuery::from_static("/"));
    // `OPTIONS *` asks about the server, not about a path on it.
    parts.path_and_query = Some(if base_path.is_empty() || target.path() == "*" {
        target
    } else {
        PathAndQuery::from_maybe_shared(format!("{base_path}{target}")).map_err(invalid)?
    });
    Uri::from_parts(parts).map_err(invalid)
}

/// The address of a unix socket: connections are pooled by authority, so the path becomes one.
pub(crate) fn unix_origin(path: &Path) -> Result<Uri, InvokeError> {
    let bytes = path.as_os_str().as_bytes();
    let mut authority = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(authority, "{byte:02x}");
    }
    Uri::builder().scheme(UNIX).authority(authority).path_and_query("/").build().map_err(invalid)
}

/// The path of a unix socket, from its address.
pub(crate) fn unix_path(address: &Uri) -> Option<PathBuf> {
    let (pairs, []) = address.host()?.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let bytes = pairs.iter().map(|[high, low]| Some(hex_digit(*high)? << 4 | hex_digit(*low)?));
    Some(OsString::from_vec(bytes.collect::<Option<_>>()?).into())
}

/// A URI without its path: what a connection is opened for.
pub(crate) fn address(uri: &Uri) -> Result<Uri, InvokeError> {
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::from_static("/"));
    Uri::from_parts(parts).map_err(invalid)
}

/// A URI with another scheme and authority.
pub(crate) fn with_authority(uri: &Uri, scheme: Scheme, authority: Authority) -> Result<Uri, InvokeError> {
    let mut parts = uri.clone().into_parts();
    parts.scheme = Some(scheme);
    parts.authority = Some(authority);
    Uri::from_parts(parts).map_err(invalid)
}

fn hex_digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> InvokeError {
    InvokeError::InvalidTarget(Arc::new(error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn joins_the_base_path_and_leaves_the_rest_as_it_is() {
        // (origin, base path, target, joined)
        let cases = [
            ("http://f:9000/", "", "/", "http://f:9000/"),
            ("http://f:9000/", "", "/a?b=c", "http://f:9000/a?b=c"),
            ("http://f:9000/", "/v1", "/", "http://f:9000/v1/"),
            ("http://f:9000/", "/v1", "/a%20b?c=%20", "http://f:9000/v1/a%20b?c=%20"),
            ("http://f:9000/", "/v1", "//a//", "http://f:9000/v1//a//"),
            ("http://f:9000/", "", "//a//", "http://f:9000//a//"),
            ("https://f/", "/v1/x", "/?q", "https://f/v1/x/?q"),
            ("http://f/", "/v1", "*", "http://f*"),
        ];
        for (origin, base_path, target, joined) in cases {
            let uri = join(&origin.parse().unwrap(), base_path, &target.parse().unwrap()).unwrap();
            assert_eq!(uri.to_string(), joined, "{origin} {base_path} {target}");
        }
    }

    #[test]
    fn a_target_that_grows_too_long_is_an_error() {
        let target = format!("/{}", "a".repeat(65_000));
        let error =
            join(&Uri::from_static("http://f/"), &"/b".repeat(500), &target.parse().unwrap()).unwrap_err();
        assert_eq!(error.reason(), "invalid_target");
    }

    #[test]
    fn a_socket_path_survives_the_way_through_a_uri() {
        for path in ["/run/f.sock", "relative", "/With Space/ä%:@", "/\u{1F980}"] {
            let origin = unix_origin(Path::new(path)).unwrap();
            assert_eq!(unix_path(&origin).unwrap(), Path::new(path));
        }
    }
}
