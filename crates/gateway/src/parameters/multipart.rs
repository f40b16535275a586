//! Multipart forms (RFC 7578, RFC 2046 section 5.1), read strictly.
//!
//! Readers of multipart bodies differ in what they forgive, and a part that only the function sees
//! would carry a parameter past the gateway. So whatever two readers could take differently is refused:
//! a boundary anywhere but on a line of its own, line ends other than CRLF, a part with two names.

use std::ops::Range;

use bytes::Bytes;
use percent_encoding::percent_decode;

use super::names_parameter;

/// A multipart form whose parts are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Multipart {
    delimiter: Vec<u8>,
    body: Bytes,
    parts: Vec<Part>,
    /// From the closing delimiter to the end.
    closing: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    name: Vec<u8>,
    /// From the delimiter to the CRLF before the next one, which belongs to it.
    whole: Range<usize>,
    content: Range<usize>,
}

/// Why a multipart body is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum MultipartError {
    #[error("the content type has no usable boundary")]
    Boundary,
    #[error("the multipart form does not begin with its boundary")]
    Preamble,
    #[error("the multipart form has a boundary that is not on a line of its own")]
    StrayBoundary,
    #[error("the multipart form does not end with its closing boundary")]
    NotClosed,
    #[error("a part of the multipart form has malformed headers")]
    PartHeaders,
    #[error("a part of the multipart form needs exactly one Content-Disposition: form-data with one name")]
    PartName,
}

impl Multipart {
    /// Reads a body; `parameters` is what stands behind `multipart/form-data` in the content type.
    pub fn parse(parameters: &str, body: Bytes) -> Result<Self, MultipartError> {
        let delimiter = [b"--", boundary(parameters)?.as_bytes()].concat();
        let mut starts = find_all(&body, &delimiter).into_iter();
        let first = starts.next().ok_or(MultipartError::Preamble)?;
        if !matches!(body.get(..first), Some(b"" | b"\r\n")) {
            return Err(MultipartError::Preamble);
        }
        let mut parts = Vec::new();
        let mut start = first;
        loop {
            let line_end = start + delimiter.len();
            let behind = body.get(line_end..).unwrap_or_default();
            if behind.starts_with(b"--") {
                if starts.next().is_some() {
                    return Err(MultipartError::StrayBoundary);
                }
                return Ok(Self { delimiter, closing: start..body.len(), body, parts });
            }
            if !behind.starts_with(b"\r\n") {
                return Err(MultipartError::StrayBoundary);
            }
            let next = starts.next().ok_or(MultipartError::NotClosed)?;
            // The CRLF before a delimiter belongs to the delimiter (RFC 2046, 5.1.1).
            let content_end = next.checked_sub(2).filter(|&end| body.get(end..next) == Some(b"\r\n"));
            let content_end = content_end.ok_or(MultipartError::StrayBoundary)?;
            let headers_start = line_end + 2;
            let head = body.get(headers_start..content_end).unwrap_or_default();
            let (headers, content_start) = match find(head, b"\r\n\r\n") {
                Some(at) => (head.get(..at).unwrap_or_default(), headers_start + at + 4),
                None => return Err(MultipartError::PartHeaders),
            };
            let name = part_name(headers)?;
            parts.push(Part { name, whole: start..next, content: content_start..content_end });
            start = next;
        }
    }

    /// The contents of the parts under exactly this name.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + 'a {
        let named = self.parts.iter().filter(move |part| part.name == name.as_bytes());
        named.map(|part| self.body.get(part.content.clone()).unwrap_or_default())
    }

    /// Removes every spelling of a parameter and tells whether there was any; the other parts keep their
    /// bytes.
    pub fn remove(&mut self, name: &str) -> bool {
        let is_named = |part: &Part| {
            let decoded: Vec<u8> = percent_decode(&part.name).collect();
            names_parameter(&part.name, name) || names_parameter(&decoded, name)
        };
        if !self.parts.iter().any(is_named) {
            return false;
        }
        let mut body = Vec::with_capacity(self.body.len());
        self.parts.retain_mut(|part| {
            if is_named(part) {
                return false;
            }
            let start = body.len();
            body.extend_from_slice(self.body.get(part.whole.clone()).unwrap_or_default());
            let shift = |at: usize| start + at - part.whole.start;
            part.content = shift(part.content.start)..shift(part.content.end);
            part.whole = start..body.len();
            true
        });
        self.close(body);
        true
    }

    /// Adds a part before the closing delimiter. Gives false and leaves the form as it is when the part
    /// cannot be carried: it would hold the boundary, or readers would differ in its name.
    pub fn append(&mut self, name: &str, value: &str) -> bool {
        // The escapes are those of HTML forms (HTML, 4.10.21.8).
        let escaped = name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
        let headers = format!("Content-Disposition: form-data; name=\"{escaped}\"");
        let holds_delimiter = |text: &str| find(text.as_bytes(), &self.delimiter).is_some();
        let is_clear = part_name(headers.as_bytes()).is_ok_and(|read| read == escaped.as_bytes());
        if holds_delimiter(&headers) || holds_delimiter(value) || !is_clear {
            return false;
        }
        let mut body = self.body.get(..self.closing.start).unwrap_or_default().to_vec();
        let start = body.len();
        body.extend_from_slice(&self.delimiter);
        body.extend_from_slice(format!("\r\n{headers}\r\n\r\n").as_bytes());
        let content_start = body.len();
        body.extend_from_slice(value.as_bytes());
        let content = content_start..body.len();
        body.extend_from_slice(b"\r\n");
        self.parts.push(Part { name: name.as_bytes().to_vec(), whole: start..body.len(), content });
        self.close(body);
        true
    }

    /// The body as it is now.
    pub fn into_body(self) -> Bytes {
        self.body
    }

    /// Puts the closing delimiter behind another body.
    fn close(&mut self, mut body: Vec<u8>) {
        let start = body.len();
        body.extend_from_slice(self.body.get(self.closing.clone()).unwrap_or_default());
        self.closing = start..body.len();
        self.body = body.into();
    }
}

/// The boundary among the parameters of a content type (RFC 2046, 5.1.1).
///
/// Some readers take whatever stands behind the word, and some end it at a comma, quoted or not: so
/// the word may stand there once only, and a comma nowhere in the boundary.
fn boundary(parameters: &str) -> Result<String, MultipartError> {
    if parameters.to_ascii_lowercase().matches("boundary").count() > 1 {
        return Err(MultipartError::Boundary);
    }
    let mut found = None;
    for parameter in parameters.split(';') {
        let Some((name, value)) = parameter.split_once('=') else { continue };
        if name.trim().eq_ignore_ascii_case("boundary") {
            found = Some(value.trim());
        }
    }
    let written = found.ok_or(MultipartError::Boundary)?;
    let unquoted = match written.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"').ok_or(MultipartError::Boundary)?,
        None => written,
    };
    let is_boundary_character = |c: char| {
        c.is_ascii_alphanumeric()
            || matches!(c, '\'' | '(' | ')' | '+' | '_' | '-' | '.' | '/' | ':' | '=' | '?')
    };
    if (1..=70).contains(&unquoted.len()) && unquoted.chars().all(is_boundary_character) {
        Ok(unquoted.to_owned())
    } else {
        Err(MultipartError::Boundary)
    }
}

fn part_name(headers: &[u8]) -> Result<Vec<u8>, MultipartError> {
    let mut disposition = None;
    for line in split_lines(headers)? {
        let colon = line.iter().position(|&byte| byte == b':').ok_or(MultipartError::PartHeaders)?;
        let (name, value) =
            (line.get(..colon).unwrap_or_default(), line.get(colon + 1..).unwrap_or_default());
        // A name with white space around it, or a folded line, is read differently by different readers.
        if name.is_empty() || name.iter().any(|byte| !byte.is_ascii_graphic()) {
            return Err(MultipartError::PartHeaders);
        }
        if name.eq_ignore_ascii_case(b"content-disposition") && disposition.replace(value).is_some() {
            return Err(MultipartError::PartName);
        }
    }
    let disposition = disposition.ok_or(MultipartError::PartName)?;
    // Some readers undo backslashes in names, and some the encoded words of mail (RFC 2047).
    let is_plain = |name: &[u8]| !name.contains(&b'\\') && find(name, b"=?").is_none();
    match disposition_name(disposition) {
        Some(name) if is_plain(name) && count_names(disposition) == 1 => Ok(name.to_vec()),
        _ => Err(MultipartError::PartName),
    }
}

fn split_lines(headers: &[u8]) -> Result<Vec<&[u8]>, MultipartError> {
    let mut lines = Vec::new();
    let mut rest = headers;
    loop {
        let end = find(rest, b"\r\n").unwrap_or(rest.len());
        let (line, behind) = rest.split_at(end);
        if line.iter().any(|&byte| matches!(byte, b'\r' | b'\n' | 0)) {
            return Err(MultipartError::PartHeaders);
        }
        lines.push(line);
        match behind.get(2..) {
            Some(next) => rest = next,
            None => return Ok(lines),
        }
    }
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
            None => unquoted(behind)?,
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

/// A value without quotes, and what stands behind it. Some readers would end it at a space, or honour
/// single quotes too.
fn unquoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (value, behind) = text.split_at(text.iter().position(|&byte| byte == b';').unwrap_or(text.len()));
    let value = value.trim_ascii_end();
    let is_word = value.iter().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\''));
    is_word.then_some((value, behind))
}

/// What stands before the closing quote, and what behind it (RFC 9110, 5.6.4).
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
    find_all(&lower, b"name").iter().filter(|at| is_name(at)).count()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(haystack, needle)
}

fn find_all(haystack: &[u8], needle: &[u8]) -> Vec<usize> {
    memchr::memmem::find_iter(haystack, needle).collect()
}
