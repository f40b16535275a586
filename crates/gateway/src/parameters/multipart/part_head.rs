//! The head of a part of a multipart form (RFC 7578, 4.2), read strictly.

use std::ops::Range;

use memchr::memmem;

use super::MultipartError;
use crate::byte_set::is_token;

/// Where the name of a part is in its header lines, of which the last lacks its CRLF: what was written between its
/// quotes.
pub fn name(head: &[u8]) -> Result<Range<usize>, MultipartError> {
    // Of a form with other bytes in a head, Werkzeug reads nothing at all.
    if std::str::from_utf8(head).is_err() {
        return Err(MultipartError::PartHeaders);
    }
    let mut disposition = None;
    let mut rest = head;
    loop {
        let end = memmem::find(rest, b"\r\n").unwrap_or(rest.len());
        let (line, behind) = rest.split_at(end);
        let (name, value) = split_line(line)?;
        if name.eq_ignore_ascii_case(b"content-disposition") {
            disposition = Some(value);
        }
        // Python's `cgi` and CherryPy read the parts in such a part.
        if name.eq_ignore_ascii_case(b"content-type") && begins_with(value.trim_ascii(), b"multipart") {
            return Err(MultipartError::PartHeaders);
        }
        match behind.get(2..) {
            Some(next) => rest = next,
            None => break,
        }
    }
    // Rack 2.2 finds one within another line too.
    if count(head, b"content-disposition") != 1 {
        return Err(MultipartError::PartName);
    }
    let disposition = disposition.ok_or(MultipartError::PartName)?;
    // Some readers undo backslashes in names, and some the encoded words of mail (RFC 2047); in place of an empty
    // name Rack takes that of the file.
    let is_plain = |name: &[u8]| {
        !name.trim_ascii().is_empty() && !name.contains(&b'\\') && memmem::find(name, b"=?").is_none()
    };
    match disposition_name(disposition) {
        Some(name) if is_plain(name) && count_names(disposition) == 1 => {
            let start = name.first().and_then(|first| head.element_offset(first));
            start.map(|start| start..start + name.len()).ok_or(MultipartError::PartName)
        }
        _ => Err(MultipartError::PartName),
    }
}

/// Name and value of a line. A name with white space around it, or a folded line, is read differently by
/// different readers.
fn split_line(line: &[u8]) -> Result<(&[u8], &[u8]), MultipartError> {
    if line.iter().any(|&byte| matches!(byte, b'\r' | b'\n' | 0)) {
        return Err(MultipartError::PartHeaders);
    }
    let colon = line.iter().position(|&byte| byte == b':').ok_or(MultipartError::PartHeaders)?;
    let (name, value) = (line.get(..colon).unwrap_or_default(), line.get(colon + 1..).unwrap_or_default());
    if name.is_empty() || !name.iter().all(|&byte| is_token(byte)) {
        return Err(MultipartError::PartHeaders);
    }
    Ok((name, value))
}

/// The one `name` of a `form-data` disposition, as it was written.
fn disposition_name(value: &[u8]) -> Option<&[u8]> {
    let (kind, mut rest) = value.trim_ascii().split_at_checked(b"form-data".len())?;
    if !kind.eq_ignore_ascii_case(b"form-data") {
        return None;
    }
    let mut name = None;
    loop {
        rest = rest.trim_ascii_start();
        if rest.is_empty() {
            return name;
        }
        rest = rest.strip_prefix(b";")?.trim_ascii_start();
        if rest.is_empty() {
            return name;
        }
        let equals = rest.iter().position(|&byte| byte == b'=')?;
        let (key, behind) = (rest.get(..equals)?, rest.get(equals + 1..)?);
        let (parameter, behind) = match behind.strip_prefix(b"\"") {
            Some(quoted) => quoted_string(quoted)?,
            None => unquoted(behind, key.ends_with(b"*"))?,
        };
        rest = behind;
        if !key.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'-' | b'_')) {
            return None;
        }
        if key.eq_ignore_ascii_case(b"name") && name.replace(parameter.trim_ascii_end()).is_some() {
            return None;
        }
    }
}

/// A value without quotes, and what follows it: a token, as some readers end it where that ends, and some
/// honour single quotes too. That of a `filename*` has these (RFC 8187, 3.2.1), as .NET writes it.
fn unquoted(text: &[u8], is_extended: bool) -> Option<(&[u8], &[u8])> {
    let (value, behind) = text.split_at(text.iter().position(|&byte| byte == b';').unwrap_or(text.len()));
    let value = value.trim_ascii_end();
    let is_word = value.iter().all(|&byte| is_token(byte) && (is_extended || byte != b'\''));
    is_word.then_some((value, behind))
}

/// What is before the closing quote, and what follows it (RFC 9110, 5.6.4).
fn quoted_string(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut escaped = false;
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some((text.get(..at)?, text.get(at + 1..)?)),
            _ => {}
        }
    }
    None
}

/// How many names a reader finds that looks for `name=` without minding quotes. A `name*` counts too
/// (RFC 7578, 4.2, forbids it, and readers of RFC 5987 would take it for the name).
fn count_names(disposition: &[u8]) -> usize {
    let lower = disposition.to_ascii_lowercase();
    let is_name = |&at: &usize| {
        let before = at.checked_sub(1).and_then(|before| lower.get(before));
        let behind = lower.get(at + b"name".len()..).unwrap_or_default();
        !before.is_some_and(u8::is_ascii_alphanumeric)
            && matches!(behind.trim_ascii_start().first(), Some(b'=' | b'*'))
    };
    memmem::find_iter(&lower, b"name").filter(|at| is_name(at)).count()
}

fn count(text: &[u8], lower_case_word: &[u8]) -> usize {
    memmem::find_iter(&text.to_ascii_lowercase(), lower_case_word).count()
}

fn begins_with(text: &[u8], lower_case_word: &[u8]) -> bool {
    text.get(..lower_case_word.len()).is_some_and(|start| start.eq_ignore_ascii_case(lower_case_word))
}
