//! Header fields. Names are compared without case and with `_` and `.` equal to `-`, since CGI-like
//! functions cannot tell these apart.

use bytes::BytesMut;
use http::{HeaderMap, HeaderName, HeaderValue};

/// Removes every spelling of a header and tells whether there was any.
pub fn remove(headers: &mut HeaderMap, name: &HeaderName) -> bool {
    remove_where(headers, |other| same_name(other, name.as_str()))
}

/// Removes the headers whose names a test picks and tells whether there were any.
pub fn remove_where(headers: &mut HeaderMap, picked: impl Fn(&str) -> bool) -> bool {
    let mut found = false;
    // Most requests hold none of them, and then nothing is copied.
    while let Some(name) = headers.keys().find(|name| picked(name.as_str())).cloned() {
        headers.remove(name);
        found = true;
    }
    found
}

/// The header value of a text, or `None` when a header cannot carry it: a control character would be
/// refused or misread, and space at the ends is not part of a value (RFC 9110, 5.5). It is put into `memory`.
pub fn value(text: &str, memory: &mut BytesMut) -> Option<HeaderValue> {
    // Nearly all are ASCII, whose bytes are looked at in a tenth of the time.
    let has_control = if text.is_ascii() {
        text.bytes().any(|byte| byte.is_ascii_control())
    } else {
        text.chars().any(char::is_control)
    };
    if text.starts_with(' ') || text.ends_with(' ') || has_control {
        return None;
    }
    memory.extend_from_slice(text.as_bytes());
    HeaderValue::from_maybe_shared(memory.split().freeze()).ok()
}

/// Whether two names mean one header to a function. Both are in lower case.
pub fn same_name(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().map(fold).eq(other.bytes().map(fold))
}

/// Whether a name in lower case begins with a prefix in lower case.
pub fn begins_with(name: &str, prefix: &str) -> bool {
    name.len() >= prefix.len() && name.bytes().zip(prefix.bytes()).all(|(n, p)| fold(n) == fold(p))
}

fn fold(byte: u8) -> u8 {
    match byte {
        b'_' | b'.' => b'-',
        _ => byte,
    }
}
