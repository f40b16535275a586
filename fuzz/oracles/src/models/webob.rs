//! WebOb 1.8 for Python, with which Pyramid reads.
//!
//! Requests at which it fails, as with text that is not UTF-8, are read.

mod multipart;

use super::Parameters;
use super::text::{
    backslashes_undone, date_length, form_decoded, is_space, pair, replaced, trim, trim_start,
};

/// `request.GET`.
pub fn query(text: &[u8]) -> Parameters {
    let parts = text.split(|byte| b"&;".contains(byte)).filter(|part| !part.is_empty()).map(pair);
    parts.map(|(name, value)| (decoded(name), decoded(value))).collect()
}

/// `request.POST`. Bodies without a type are forms.
pub fn body(content_type: Option<&[u8]>, body: &[u8]) -> Parameters {
    let content_type = content_type.filter(|field| !field.is_empty());
    let content_type = content_type.unwrap_or(b"application/x-www-form-urlencoded");
    match content_type.split(|&byte| byte == b';').next() {
        Some(b"application/x-www-form-urlencoded") => {
            let parts = body.split(|&byte| byte == b'&').filter(|part| !part.is_empty()).map(pair);
            parts.map(|(name, value)| (form_decoded(name), form_decoded(value))).collect()
        }
        Some(b"multipart/form-data") => multipart::parts(content_type, body),
        _ => Parameters::new(),
    }
}

/// A number of one or two hexadecimal digits behind `%`, as Python's `int` reads them.
fn decoded(text: &[u8]) -> Vec<u8> {
    let text = replaced(text, b"+", b" ");
    let mut pieces = text.split(|&byte| byte == b'%');
    let mut decoded = pieces.next().unwrap_or_default().to_vec();
    for piece in pieces {
        let (digits, behind) = piece.split_at(piece.len().min(2));
        match number(digits) {
            Some(byte) => {
                decoded.push(byte);
                decoded.extend_from_slice(behind);
            }
            None => decoded.extend([b"%", piece].concat()),
        }
    }
    decoded
}

fn number(text: &[u8]) -> Option<u8> {
    let text = trim(text, is_space);
    let digits = text.strip_prefix(b"+").or(text.strip_prefix(b"-")).unwrap_or(text);
    let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with(['+', '-']))?;
    let number = u8::from_str_radix(digits, 16).ok()?;
    Some(number).filter(|&number| number == 0 || !text.starts_with(b"-"))
}

/// `request.cookies`: every place where `KEY\s*=\s*VALUE` matches, with whatever between them.
pub fn cookies(field: &[u8]) -> Parameters {
    let mut parameters = Parameters::new();
    let mut rest = field;
    while !rest.is_empty() {
        let Some((key, value, behind)) = cookie(rest) else {
            rest = &rest[1..];
            continue;
        };
        if is_name(key) {
            parameters.push((key.to_vec(), unquoted(value)));
        }
        rest = behind;
    }
    parameters
}

/// The shortest key of legal characters with an equals sign behind it, and the value behind that.
fn cookie(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let legal = text.iter().take_while(|&&byte| is_legal(byte)).count();
    let ends = 1..=legal;
    let assigned = ends.into_iter().find_map(|end| {
        Some((end, trim_start(trim_start(&text[end..], is_space).strip_prefix(b"=")?, is_space)))
    });
    let (end, value) = assigned?;
    let length = quoted_length(value).or(date_length(value, false)).unwrap_or_else(|| bare_length(value));
    Some((&text[..end], &value[..length], &value[length..]))
}

fn is_legal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_~!@#$%^&*()+=-`.?|:/{}<>'".contains(&byte)
}

/// `"(?:\\"|.)*?"`: the first quote that no backslash is before, or else the first one.
fn quoted_length(text: &[u8]) -> Option<usize> {
    let inner = text.strip_prefix(b"\"")?;
    let mut at = 0;
    loop {
        match (inner.get(at), inner.get(at + 1)) {
            (Some(b'"'), _) => return Some(at + 2),
            (Some(b'\\'), Some(b'"')) => at += 2,
            (Some(_), _) => at += 1,
            (None, _) => break,
        }
    }
    inner.iter().rposition(|&byte| byte == b'"').map(|at| at + 2)
}

/// Legal characters, and any behind a backslash.
fn bare_length(text: &[u8]) -> usize {
    let mut at = 0;
    loop {
        match (text.get(at), text.get(at + 1)) {
            (Some(b'\\'), Some(_)) => at += 2,
            (Some(&byte), _) if is_legal(byte) => at += 1,
            _ => return at,
        }
    }
}

fn unquoted(value: &[u8]) -> Vec<u8> {
    let inner = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    backslashes_undone(inner.unwrap_or(value))
}

/// Attributes of cookies are no names.
fn is_name(key: &[u8]) -> bool {
    const ATTRIBUTES: [&[u8]; 8] =
        [b"path", b"domain", b"comment", b"expires", b"max-age", b"httponly", b"secure", b"samesite"];
    key.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
        && !key.starts_with(b"$")
        && !ATTRIBUTES.iter().any(|attribute| key.eq_ignore_ascii_case(attribute))
}
