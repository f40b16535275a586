//! Werkzeug 2.2 and 3 for Python, with which Flask reads.
//!
//! Escapes that are not UTF-8 are undone, which Werkzeug 3 leaves in the text.

mod multipart;
mod options_2;
mod options_3;

use std::collections::HashMap;

use super::Parameters;
use super::chars::latin_1;
use super::text::{form_decoded, is_blank, is_space, pair, trim, trim_start};

/// `request.args`.
pub fn query(text: &[u8]) -> Parameters {
    let parts = text.split(|&byte| byte == b'&').filter(|part| !part.is_empty());
    parts.map(pair).map(|(name, value)| (form_decoded(name), form_decoded(value))).collect()
}

/// `request.form` and `request.files` of Werkzeug 2.2.
pub fn body_2(content_type: Option<&[u8]>, body: &[u8]) -> Parameters {
    let content_type = latin_1(content_type.unwrap_or_default());
    let (media_type, options) = options_2::read(&content_type);
    match &media_type.to_lowercase()[..] {
        "multipart/form-data" => {
            boundary(&options).and_then(|boundary| multipart::parts_2(body, boundary)).unwrap_or_default()
        }
        "application/x-www-form-urlencoded" | "application/x-url-encoded" => query(body),
        _ => Parameters::new(),
    }
}

/// `request.form` and `request.files` of Werkzeug 3.
pub fn body_3(content_type: Option<&[u8]>, body: &[u8]) -> Parameters {
    let content_type = latin_1(content_type.unwrap_or_default());
    let (media_type, options) = options_3::read(&content_type, options_3::Escapes::All);
    match &media_type.to_lowercase()[..] {
        "multipart/form-data" => {
            boundary(&options).and_then(|boundary| multipart::parts_3(body, boundary)).unwrap_or_default()
        }
        "application/x-www-form-urlencoded" if std::str::from_utf8(body).is_ok() => query(body),
        _ => Parameters::new(),
    }
}

/// Parameters of a header field.
type Options = HashMap<String, String>;

fn boundary(options: &Options) -> Option<&[u8]> {
    options
        .get("boundary")
        .map(|boundary| boundary.as_bytes())
        .filter(|boundary| !boundary.is_empty() && boundary.is_ascii())
}

/// `request.cookies` of Werkzeug 2.2: `([^=;]*)(?:\s*=\s*("(?:[^\\"]|\\.)*"|.*?))?\s*;`, one behind the other.
pub fn cookies_2(field: &[u8]) -> Parameters {
    let text = [field, b";"].concat();
    let mut parameters = Parameters::new();
    let mut rest = &text[..];
    while !rest.is_empty() {
        let key = &rest[..rest.iter().position(|byte| b"=;".contains(byte)).unwrap_or(rest.len())];
        let behind = &rest[key.len()..];
        let (value, behind) = match behind.strip_prefix(b"=").map(|value| trim_start(value, is_space)) {
            Some(value) => {
                let Some(value_and_end) = cookie_value_2(value) else { break };
                value_and_end
            }
            None => (&b""[..], behind.strip_prefix(b";").unwrap_or(behind)),
        };
        let key = trim(key, is_space);
        if !key.is_empty() {
            parameters.push((key.to_vec(), unslashed(value)));
        }
        rest = behind;
    }
    parameters
}

/// A quoted string before a semicolon, or what is before the next one.
fn cookie_value_2(text: &[u8]) -> Option<(&[u8], &[u8])> {
    if let Some(length) = quoted(text)
        && let Some(behind) = trim_start(&text[length..], is_space).strip_prefix(b";")
    {
        return Some((&text[..length], behind));
    }
    let end = text.iter().position(|&byte| byte == b';')?;
    Some((trim(&text[..end], is_space), &text[end + 1..]))
}

/// `request.cookies` of Werkzeug 3: what is no cookie is skipped up to the next semicolon.
pub fn cookies_3(field: &[u8]) -> Parameters {
    let mut parameters = Parameters::new();
    let mut rest = field;
    loop {
        if let Some((key, value, behind)) = cookie_3(rest) {
            parameters.push((key.to_vec(), unslashed(value)));
            rest = behind;
        } else if let Some(end) = rest.iter().position(|&byte| byte == b';') {
            rest = &rest[end + 1..];
        } else {
            return parameters;
        }
    }
}

/// `[ \t]*([^ \t=";]+)(?:[ \t]*=[ \t]*("(?:[^\\"]|\\.)*"|[^ \t";]*))?[ \t]*(?:;|\Z)`.
fn cookie_3(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let ends = |text: &[u8], at: &[u8]| text.iter().position(|byte| at.contains(byte)).unwrap_or(text.len());
    let text = trim_start(text, is_blank);
    let (key, behind) = text.split_at(ends(text, b" \t=\";"));
    if key.is_empty() {
        return None;
    }
    let behind = trim_start(behind, is_blank);
    let (value, behind) = match behind.strip_prefix(b"=").map(|value| trim_start(value, is_blank)) {
        Some(value) => value.split_at(quoted(value).unwrap_or_else(|| ends(value, b" \t\";"))),
        None => (&b""[..], behind),
    };
    let behind = trim_start(behind, is_blank);
    match behind.split_first() {
        None => Some((key, value, behind)),
        Some((b';', behind)) => Some((key, value, behind)),
        Some(_) => None,
    }
}

/// The length of `"(?:[^\\"]|\\.)*"` at the start.
fn quoted(text: &[u8]) -> Option<usize> {
    let mut at = text.starts_with(b"\"").then_some(1)?;
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Without quotes, and with the backslashes in them undone.
fn unslashed(value: &[u8]) -> Vec<u8> {
    let Some(text) = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")) else {
        return value.to_vec();
    };
    super::text::backslashes_undone(text)
}
