//! Query strings and urlencoded forms (WHATWG URL, 5).
//!
//! `;` separates pairs too: some functions read it so, and a parameter hidden behind it must neither
//! reach them nor count as absent.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

use super::names_parameter;

/// Everything but RFC 3986's unreserved characters, so that every decoder reads the same.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The decoded values of a parameter, under exactly its name.
pub fn values<'a>(text: &'a [u8], name: &'a str) -> impl Iterator<Item = Vec<u8>> + 'a {
    pairs(text).filter_map(move |pair| {
        let (written, value) = split(pair);
        (decode(written) == name.as_bytes()).then(|| decode(value).into_owned())
    })
}

/// Removes every spelling of a parameter; the other pairs keep their bytes and separators.
pub fn remove<'a>(text: &'a [u8], name: &str) -> Cow<'a, [u8]> {
    let removed = |pair: &[u8]| names_parameter(&decode(split(pair).0), name);
    if !pairs(text).any(removed) {
        return Cow::Borrowed(text);
    }
    let mut kept: Vec<u8> = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut separator: &[u8] = &[];
    let mut nothing_kept = true;
    loop {
        let end = rest.iter().position(|&byte| is_separator(byte)).unwrap_or(rest.len());
        let (pair, behind) = rest.split_at(end);
        if !removed(pair) {
            // What becomes the first pair needs no separator before it.
            kept.extend_from_slice(if nothing_kept { &[] } else { separator });
            kept.extend_from_slice(pair);
            nothing_kept = false;
        }
        if behind.is_empty() {
            break;
        }
        (separator, rest) = behind.split_at(1);
    }
    Cow::Owned(kept)
}

/// Adds a pair at the end.
pub fn append(text: &mut Vec<u8>, name: &str, value: &str) {
    if !text.is_empty() {
        text.push(b'&');
    }
    for piece in utf8_percent_encode(name, ENCODED) {
        text.extend_from_slice(piece.as_bytes());
    }
    text.push(b'=');
    for piece in utf8_percent_encode(value, ENCODED) {
        text.extend_from_slice(piece.as_bytes());
    }
}

fn pairs(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| is_separator(byte))
}

fn is_separator(byte: u8) -> bool {
    byte == b'&' || byte == b';'
}

fn split(pair: &[u8]) -> (&[u8], &[u8]) {
    match pair.iter().position(|&byte| byte == b'=') {
        Some(at) => (pair.get(..at).unwrap_or_default(), pair.get(at + 1..).unwrap_or_default()),
        None => (pair, &[]),
    }
}

fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    if text.contains(&b'+') {
        let spaced: Vec<u8> = text.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
        Cow::Owned(percent_decode(&spaced).collect())
    } else {
        percent_decode(text).into()
    }
}
