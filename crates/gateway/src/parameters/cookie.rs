//! Cookies (RFC 6265, 4.2.1).
//!
//! Servers disagree on what ends a cookie: all take `;`, some take `,` or white space too, some honour quotes,
//! and some read no cookie at all when one of them is malformed. So a pair is removed as a whole when the name
//! may be found anywhere in it, what is not `name=value` is removed too, and a set cookie goes to the very
//! front, where no open quote of the client's can swallow it.

use claimgate_config::readings::{MappedNames, NamePlace, NameReader};
use claimgate_functions::Fields;
use http::HeaderValue;
use http::header::COOKIE;
use percent_encoding::utf8_percent_encode;

use super::urlencoded::ENCODED;
use crate::byte_set::is_token;

/// The values of a cookie, under exactly its name, as they were written.
pub fn values<'a>(fields: &'a Fields, name: &'a str) -> impl Iterator<Item = &'a [u8]> + 'a {
    let cookies = fields.get_all(&COOKIE).flat_map(|field| field.split(|&byte| byte == b';'));
    cookies.filter_map(move |cookie| {
        let (written, value) = split(cookie.trim_ascii())?;
        (written.trim_ascii() == name.as_bytes()).then_some(value.trim_ascii())
    })
}

/// Removes every spelling of the mapped cookies and what is not a cookie pair; `removed` is called with the position of
/// each mapped name. The other pairs keep their bytes, in one field.
pub fn remove(fields: &mut Fields, mapped: &MappedNames, mut removed: impl FnMut(usize)) {
    join_fields(fields);
    let Some(field) = fields.get(&COOKIE) else { return };
    let mut names = mapped.reader();
    let mut is_kept = |pair: &[u8]| match mapped_name(pair, &mut names) {
        Some(position) => {
            removed(position);
            false
        }
        None => is_pair(pair.trim_ascii()),
    };
    let mut kept: Vec<u8> = Vec::with_capacity(field.len());
    let mut is_changed = false;
    for pair in field.split(|&byte| byte == b';') {
        if pair.trim_ascii().is_empty() {
            continue;
        }
        if !is_kept(pair) {
            is_changed = true;
        } else if kept.is_empty() {
            kept.extend_from_slice(pair.trim_ascii_start());
        } else {
            kept.push(b';');
            kept.extend_from_slice(pair);
        }
    }
    if !is_changed {
        return;
    }
    fields.remove(&COOKIE);
    if !kept.is_empty()
        && let Ok(field) = HeaderValue::from_bytes(&kept)
    {
        fields.append(&COOKIE, &field);
    }
}

/// Sets a cookie before all others. Its value is percent-encoded but for what all functions leave as it is:
/// some take `+` for a space, and some end a value at `&`.
pub fn prepend(fields: &mut Fields, name: &str, value: &str) {
    let mut cookies = format!("{name}={}", utf8_percent_encode(value, ENCODED)).into_bytes();
    for field in fields.get_all(&COOKIE) {
        cookies.extend_from_slice(b"; ");
        cookies.extend_from_slice(field);
    }
    // It was a field before, and what was encoded is ASCII.
    if let Ok(field) = HeaderValue::from_maybe_shared(cookies) {
        fields.insert(&COOKIE, &field);
    }
}

/// Joins the fields of a request into one, as HTTP/2 clients may split them (RFC 9113, 8.2.3) and some functions
/// read only one.
pub fn join_fields(fields: &mut Fields) {
    let cookies: Vec<&[u8]> = fields.get_all(&COOKIE).collect();
    if cookies.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&cookies.join(&b"; "[..]))
    {
        fields.insert(&COOKIE, &joined);
    }
}

/// The mapped name that some function finds in a pair: at its beginning, or behind a byte that ends a value for
/// those who are strict. To WebOb 1.8 brackets end a value too.
fn mapped_name(pair: &[u8], names: &mut NameReader<'_>) -> Option<usize> {
    let not_in_brackets = |byte| is_cookie_octet(byte) && !matches!(byte, b'[' | b']');
    name_in_runs(pair, names, is_cookie_octet).or_else(|| {
        let has_brackets = pair.iter().any(|byte| matches!(byte, b'[' | b']'));
        if has_brackets { name_in_runs(pair, names, not_in_brackets) } else { None }
    })
}

/// The mapped name of a run of such bytes that has a `=` behind it; the first one need not have it.
fn name_in_runs(pair: &[u8], names: &mut NameReader<'_>, is_inside: impl Fn(u8) -> bool) -> Option<usize> {
    let mut runs = pair.split(|&byte| !is_inside(byte)).filter(|run| !run.is_empty()).peekable();
    let mut is_first = true;
    while let Some(run) = runs.next() {
        let name = match split(run) {
            Some((name, _)) => Some(name),
            None => (is_first || runs.peek().is_some_and(|next| next.starts_with(b"="))).then_some(run),
        };
        is_first = false;
        if let Some(position) = name.and_then(|name| names.find(name, NamePlace::Cookie)) {
            return Some(position);
        }
    }
    None
}

/// Whether it is a cookie pair, though a value may hold what RFC 6265 has not: browsers send whatever they were
/// given. White space ends a value, unless it is in quotes. Quotes that do not end with the pair would make one
/// cookie of it and of what follows.
fn is_pair(pair: &[u8]) -> bool {
    let Some((name, value)) = split(pair) else { return false };
    if value.starts_with(b"\"") && !is_quoted_string(value) {
        return false;
    }
    let quoted = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    let is_quoted = quoted.is_some_and(|quoted| !quoted.contains(&b'"'));
    !name.is_empty()
        && name.iter().all(|&byte| is_token(byte))
        && value.iter().all(|&byte| !byte.is_ascii_control() && (byte != b' ' || is_quoted))
}

/// Whether quotes that a value begins with end at its end, where a backslash takes away what a quote means.
fn is_quoted_string(value: &[u8]) -> bool {
    let mut rest = value.get(1..).unwrap_or_default();
    loop {
        rest = match rest {
            [b'"'] => return true,
            [] | [b'"', ..] => return false,
            [b'\\', _, behind @ ..] | [_, behind @ ..] => behind,
        };
    }
}

fn is_cookie_octet(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e)
}

fn split(cookie: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = cookie.iter().position(|&byte| byte == b'=')?;
    Some((cookie.get(..at)?, cookie.get(at + 1..)?))
}
