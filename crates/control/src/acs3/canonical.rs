//! The canonical form of a request, which is what is signed.

use axum::http::header;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};

use super::{BodyHash, Request, hex};

/// All but the unreserved characters of RFC 3986, 2.3.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Method, path, query, headers, names of headers and hash of the body, a line each.
pub(super) fn request(
    request: &Request<'_>,
    signed_headers: &[String],
    signed_headers_text: &str,
    body: BodyHash,
) -> Vec<u8> {
    let mut canonical = Vec::new();
    let mut line = |parts: &[&[u8]]| {
        parts.iter().for_each(|part| canonical.extend_from_slice(part));
        canonical.push(b'\n');
    };
    line(&[request.method.as_bytes()]);
    // As it was sent: signers sign the path that they have encoded.
    line(&[request.uri.path().as_bytes()]);
    line(&[query(request.uri.query().unwrap_or_default()).as_bytes()]);
    for name in signed_headers {
        line(&[name.as_bytes(), b":", value(request, name)]);
    }
    line(&[]);
    line(&[signed_headers_text.as_bytes()]);
    canonical.extend_from_slice(hex::encode(&body.0).as_bytes());
    canonical
}

/// The host as the client has written it; HTTP/2 has it in the target.
pub(super) fn host<'a>(request: &Request<'a>) -> Option<&'a [u8]> {
    match request.headers.get(header::HOST) {
        Some(host) => Some(host.as_bytes()),
        None => request.uri.authority().map(|authority| authority.as_str().as_bytes()),
    }
}

/// That of a header that was not sent is empty, so that its absence can be signed.
fn value<'a>(request: &Request<'a>, name: &str) -> &'a [u8] {
    let value = match name {
        "host" => host(request),
        _ => request.headers.get(name).map(|value| value.as_bytes()),
    };
    value.unwrap_or_default().trim_ascii()
}

/// Decoded as forms are and encoded anew, sorted: Python's SDK sends a space as `+` and signs `%20`, Node's
/// leaves `'()!*` as they are and signs them encoded.
pub(super) fn query(query: &str) -> String {
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode(text.as_bytes()).collect::<Vec<u8>>()
    };
    let mut parameters: Vec<(Vec<u8>, Vec<u8>)> = query
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect();
    parameters.sort_unstable();
    let encoded = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", percent_encode(name, ESCAPED), percent_encode(value, ESCAPED)));
    encoded.collect::<Vec<_>>().join("&")
}
