//! `SimpleCookie` of Python's `http.cookies`, with which Bottle, CherryPy, Tornado and aiohttp read.
//!
//! Where it raises an error for a name, what is before is read.

use super::Parameters;
use super::text::{backslashes_undone, date_length, is_space, trim_start};

/// `SimpleCookie(field)`: nothing, where one name has no value or an attribute comes first.
pub fn cookies(field: &[u8]) -> Parameters {
    let mut cookies = Parameters::new();
    let mut rest = field;
    while let Some((key, value, behind)) = cookie(rest).filter(|_| !rest.is_empty()) {
        rest = behind;
        let is_attribute = ATTRIBUTES.iter().any(|attribute| key.eq_ignore_ascii_case(attribute));
        match value {
            _ if key.starts_with(b"$") => {}
            _ if is_attribute && cookies.is_empty() => return Parameters::new(),
            None if FLAGS.iter().any(|flag| key.eq_ignore_ascii_case(flag)) => {}
            None => return Parameters::new(),
            Some(_) if is_attribute => {}
            Some(value) => cookies.push((key.to_vec(), unquoted(value))),
        }
    }
    let legal = cookies.iter().position(|(name, _)| !is_legal_name(name)).unwrap_or(cookies.len());
    cookies.truncate(legal);
    cookies
}

const FLAGS: [&[u8]; 2] = [b"secure", b"httponly"];
const ATTRIBUTES: [&[u8]; 9] =
    [b"expires", b"path", b"comment", b"domain", b"max-age", b"secure", b"httponly", b"version", b"samesite"];

/// `\s*KEY+?(\s*=\s*VALUE)?\s*(\s+|;|$)`: key, value and what is behind.
fn cookie(text: &[u8]) -> Option<(&[u8], Option<&[u8]>, &[u8])> {
    let text = trim_start(text, is_space);
    let longest = text.iter().take_while(|&&byte| is_key(byte)).count();
    (1..=longest).find_map(|end| {
        let (key, behind) = text.split_at(end);
        let assigned = trim_start(behind, is_space).strip_prefix(b"=").and_then(|behind| {
            let value = trim_start(behind, is_space);
            let lengths = [quoted_length(value), date_length(value, true), Some(bare_length(value))];
            let assigned = lengths.into_iter().flatten().find_map(|length| {
                let (value, behind) = value.split_at(length);
                Some((Some(value), behind_end(behind)?))
            });
            // White space behind the equals sign may be the end of an empty value.
            assigned.or_else(|| Some((Some(&value[..0]), behind_end(behind)?)))
        });
        let (value, behind) = assigned.or_else(|| Some((None, behind_end(behind)?)))?;
        Some((key, value, behind))
    })
}

/// Behind white space, a semicolon with white space before it, or at the end.
fn behind_end(text: &[u8]) -> Option<&[u8]> {
    let behind = trim_start(text, is_space);
    match behind.strip_prefix(b";") {
        Some(behind) => Some(behind),
        None => Some(behind).filter(|behind| behind.is_empty() || behind.len() < text.len()),
    }
}

fn is_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#%&'~_`><@,:/$*+-.^|)(?}{=".contains(&byte)
}

fn is_legal_name(name: &[u8]) -> bool {
    name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:".contains(byte))
}

/// `"(?:[^\\"]|\\.)*"`.
fn quoted_length(text: &[u8]) -> Option<usize> {
    let mut at = text.starts_with(b"\"").then_some(1)?;
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn bare_length(text: &[u8]) -> usize {
    text.iter().take_while(|&&byte| is_key(byte) || b"[]".contains(&byte)).count()
}

fn unquoted(value: &[u8]) -> Vec<u8> {
    match value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")) {
        Some(inner) => backslashes_undone(inner),
        None => value.to_vec(),
    }
}
