//! Cookies (RFC 6265, 4.2.1).
//!
//! Servers disagree on what ends a cookie: all take `;`, some take `,` or white space too, and some
//! honour quotes. A removed cookie is therefore looked for behind each of these, and a set one goes to
//! the very front, where no open quote of the client's can swallow it.

use claimgate_functions::Fields;
use http::HeaderValue;
use http::header::COOKIE;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode, utf8_percent_encode};

use super::names_parameter;

/// Everything outside cookie-octet, and `%` itself.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b',').add(b';').add(b'\\').add(b'%');

/// The values of a cookie, under exactly its name, as they were written.
pub fn values<'a>(fields: &'a Fields, name: &'a str) -> impl Iterator<Item = &'a [u8]> + 'a {
    let cookies = fields.get_all(&COOKIE).flat_map(|field| field.split(|&byte| byte == b';'));
    cookies.filter_map(move |cookie| {
        let (written, value) = split(cookie.trim_ascii())?;
        (written.trim_ascii() == name.as_bytes()).then_some(value.trim_ascii())
    })
}

/// Removes every spelling of a cookie and tells whether there was any; the others keep their bytes.
pub fn remove(fields: &mut Fields, name: &str) -> bool {
    if !fields.get_all(&COOKIE).any(|field| cookies(field).any(|cookie| is_named(cookie, name))) {
        return false;
    }
    let kept: Vec<_> = fields.get_all(&COOKIE).map(|field| remove_from(field, name)).collect();
    fields.remove(&COOKIE);
    for field in kept.iter().filter(|field| !field.is_empty()) {
        // It was part of a field before.
        if let Ok(field) = HeaderValue::from_bytes(field) {
            fields.append(&COOKIE, &field);
        }
    }
    true
}

/// Sets a cookie before all others. The value is percent-encoded where a cookie cannot carry it.
pub fn prepend(fields: &mut Fields, name: &str, value: &str) {
    let cookie = format!("{name}={}", utf8_percent_encode(value, ENCODED));
    let mut sent: Vec<Vec<u8>> = fields.get_all(&COOKIE).map(<[u8]>::to_vec).collect();
    match sent.first_mut() {
        Some(first) => *first = [cookie.as_bytes(), b"; ", first].concat(),
        None => sent.push(cookie.into_bytes()),
    }
    fields.remove(&COOKIE);
    for field in &sent {
        // It was a field before, and what was encoded is ASCII.
        if let Ok(field) = HeaderValue::from_bytes(field) {
            fields.append(&COOKIE, &field);
        }
    }
}

/// Joins the fields of a request into one, as HTTP/2 clients may split them (RFC 9113, 8.2.3).
pub fn join_fields(fields: &mut Fields) {
    let cookies: Vec<&[u8]> = fields.get_all(&COOKIE).collect();
    if cookies.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&cookies.join(&b"; "[..]))
    {
        fields.insert(&COOKIE, &joined);
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
