//! Header fields. Names are compared as CGI-like functions do, which cannot tell all spellings apart.

use bytes::BytesMut;
use claimgate_config::readings::same_header;
use claimgate_functions::Fields;
use http::{HeaderName, HeaderValue};

/// Removes every spelling of a header and tells whether there was any.
pub fn remove(fields: &mut Fields, name: &HeaderName) -> bool {
    let name = name.as_str().as_bytes();
    // Most others differ in the first letter.
    let first = name.first().filter(|first| first.is_ascii_alphanumeric());
    let may_be_same = |other: &[u8]| first.is_none() || other.first() == first;
    fields.remove_where(|other| may_be_same(other) && same_header(other, name))
}

/// Removes one item from a list in a header, whose other items a function may need: without a subprotocol that the
/// client has offered, no WebSocket is opened (RFC 6455, 4.1).
pub fn remove_from_list(fields: &mut Fields, name: &HeaderName, item: &[u8]) {
    let items =
        fields.get_all(name).flat_map(|list| list.split(|&byte| byte == b',')).map(<[u8]>::trim_ascii);
    let kept: Vec<&[u8]> = items.filter(|kept| !kept.is_empty() && *kept != item).collect();
    let kept = HeaderValue::from_bytes(&kept.join(&b", "[..])).ok().filter(|kept| !kept.is_empty());
    remove(fields, name);
    if let Some(kept) = kept {
        fields.append(name, &kept);
    }
}

/// A value as text, when it is nothing but visible ASCII, spaces and tabs.
pub fn text(value: &[u8]) -> Option<&str> {
    let is_text = value.iter().all(|&byte| matches!(byte, b'\t' | b' '..=b'~'));
    if is_text { str::from_utf8(value).ok() } else { None }
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
