//! What most libraries have in common: URLSearchParams and `querystring` of JavaScript, formidable, Go,
//! Python's `parse_qsl`, and the cookies of npm's `cookie`, Go and Django.
//!
//! No limits; a name is read with and without what only some of them drop.

use super::Parameters;
use super::text::{
    backslashes_undone, find_ignoring_case, form_decoded, is_blank, pair, percent_decoded, trim,
};

/// With and without a `?` in front of it, which URLSearchParams drops.
pub fn query(text: &[u8]) -> Parameters {
    let without_mark = text.strip_prefix(b"?");
    let parts = without_mark.into_iter().chain([text]).flat_map(|text| text.split(|&byte| byte == b'&'));
    let pairs = parts.filter(|part| !part.is_empty()).map(pair);
    pairs.map(|(name, value)| (form_decoded(name), form_decoded(value))).collect()
}

/// Every type that contains `urlencoded`, as formidable has it. Some versions of `formData()` drop a byte
/// order mark.
pub fn body(content_type: Option<&[u8]>, body: &[u8]) -> Parameters {
    if find_ignoring_case(content_type.unwrap_or_default(), b"urlencoded").is_none() {
        return Parameters::new();
    }
    let without_mark = body.strip_prefix(b"\xef\xbb\xbf");
    without_mark.into_iter().chain([body]).flat_map(query).collect()
}

/// Between semicolons, without blanks around names and values, and without all that is white space to
/// Django, in Latin-1. A value is read with and without its quotes and escapes.
pub fn cookies(field: &[u8]) -> Parameters {
    let is_space = |byte: u8| char::from(byte).is_whitespace() || matches!(byte, 0x1c..=0x1f);
    let mut parameters = trimmed_cookies(field, is_blank);
    parameters.extend(trimmed_cookies(field, is_space));
    parameters
}

fn trimmed_cookies(field: &[u8], is_space: fn(u8) -> bool) -> Parameters {
    let mut parameters = Parameters::new();
    for part in field.split(|&byte| byte == b';') {
        // Django takes a part without `=` for a value.
        let (name, value) = if part.contains(&b'=') { pair(part) } else { (&b""[..], part) };
        let (name, value) = (trim(name, is_space), trim(value, is_space));
        let unquoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
        let unslashed = unquoted.map(backslashes_undone);
        let values = [value, unquoted.unwrap_or(value), unslashed.as_deref().unwrap_or(value)];
        let mut values: Vec<_> =
            values.into_iter().flat_map(|value| [value.to_vec(), percent_decoded(value)]).collect();
        values.sort();
        values.dedup();
        parameters.extend(values.into_iter().map(|value| (name.to_vec(), value)));
    }
    parameters
}
