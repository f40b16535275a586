//! Cookies (RFC 6265, 4.2.1).
//!
//! Servers disagree on what ends a cookie: all take `;`, some take `,` or white space too, and some
//! honour quotes. A removed cookie is therefore looked for behind each of these, and a set one goes to
//! the very front, where no open quote of the client's can swallow it.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode, utf8_percent_encode};

use super::names_parameter;

/// Everything outside cookie-octet, and `%` itself.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b',').add(b';').add(b'\\').add(b'%');

/// The values of a cookie, under exactly its name, as they were written.
pub fn values<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a [u8]> + 'a {
    let cookies =
        headers.get_all(COOKIE).iter().flat_map(|field| field.as_bytes().split(|&byte| byte == b';'));
    cookies.filter_map(move |cookie| {
        let (written, value) = split(cookie.trim_ascii())?;
        (written.trim_ascii() == name.as_bytes()).then_some(value.trim_ascii())
    })
}

/// Removes every spelling of a cookie and tells whether there was any; the others keep their bytes.
pub fn remove(headers: &mut HeaderMap, name: &str) -> bool {
    if !headers
        .get_all(COOKIE)
        .iter()
        .any(|field| cookies(field.as_bytes()).any(|cookie| is_named(cookie, name)))
    {
        return false;
    }
    let fields: Vec<HeaderValue> = headers.get_all(COOKIE).iter().cloned().collect();
    headers.remove(COOKIE);
    for field in fields {
        let kept = remove_from(field.as_bytes(), name);
        if let (false, Ok(kept)) = (kept.is_empty(), HeaderValue::from_bytes(&kept)) {
            headers.append(COOKIE, kept);
        }
    }
    true
}

/// Sets a cookie before all others. The value is percent-encoded where a cookie cannot carry it.
pub fn prepend(headers: &mut HeaderMap, name: &str, value: &str) {
    let cookie = format!("{name}={}", utf8_percent_encode(value, ENCODED));
    let mut fields = headers.get_all(COOKIE).iter();
    let first = match fields.next() {
        Some(first) => [cookie.as_bytes(), b"; ", first.as_bytes()].concat(),
        None => cookie.into_bytes(),
    };
    let others: Vec<HeaderValue> = fields.cloned().collect();
    // Both halves were header values before, and what was encoded is ASCII.
    if let Ok(first) = HeaderValue::from_bytes(&first) {
        headers.insert(COOKIE, first);
        for other in others {
            headers.append(COOKIE, other);
        }
    }
}

/// Joins the fields of a request into one, as HTTP/2 clients may split them (RFC 9113, 8.2.3).
pub fn join_fields(headers: &mut HeaderMap) {
    let fields: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if fields.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&fields.join(&b"; "[..]))
    {
        headers.insert(COOKIE, joined);
    }
}

fn remove_from(field: &[u8], name: &str) -> Vec<u8> {
    let mut kept: Vec<u8> = Vec::with_capacity(field.len());
    let mut rest = field;
    let mut separator: &[u8] = &[];
    loop {
        let end = rest.iter().position(|&byte| is_separator(byte)).unwrap_or(rest.len());
        let (cookie, behind) = rest.split_at(end);
        if !is_named(cookie, name) {
            if !kept.is_empty() {
                kept.extend_from_slice(separator);
            }
            kept.extend_from_slice(cookie);
        }
        if behind.is_empty() {
            return kept;
        }
        let behind_separator = behind.iter().position(|&byte| !is_separator(byte)).unwrap_or(behind.len());
        (separator, rest) = behind.split_at(behind_separator);
        if rest.is_empty() {
            kept.extend_from_slice(separator);
            return kept;
        }
    }
}

fn cookies(field: &[u8]) -> impl Iterator<Item = &[u8]> {
    field.split(|&byte| is_separator(byte))
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b';' | b',' | b' ' | b'\t')
}

/// Few functions decode the name of a cookie, but some do.
fn is_named(cookie: &[u8], name: &str) -> bool {
    let written = split(cookie).map_or(cookie, |(written, _)| written);
    let decoded: Vec<u8> = percent_decode(written).collect();
    names_parameter(trim(written), name) || names_parameter(trim(&decoded), name)
}

/// Without quotes and what is no graphic character at the ends: functions that trim a name as text trim
/// white space beyond ASCII too, which depends on the encoding that they read the bytes in.
fn trim(name: &[u8]) -> &[u8] {
    let belongs = |byte: &u8| byte.is_ascii_graphic() && *byte != b'"';
    let start = name.iter().position(belongs).unwrap_or(name.len());
    let end = name.iter().rposition(belongs).map_or(start, |last| last + 1);
    name.get(start..end).unwrap_or_default()
}

fn split(cookie: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = cookie.iter().position(|&byte| byte == b'=')?;
    Some((cookie.get(..at)?, cookie.get(at + 1..)?))
}
