//! `Rack::Multipart::Parser` of Rack 2.2.

use super::parts::{head_end, substitutes};
use crate::models::multipart::Cursor;
use crate::models::text::{begins_ignoring_case, find, find_ignoring_case, is_space, trim, trim_start};

/// Names and contents of all parts. Parts with an empty file name, which Rack drops, are among them.
pub fn parts(body: &[u8], boundary: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let delimiter = [b"--", boundary].concat();
    let mut cursor = Cursor::new(body);
    let mut parts = Vec::new();
    // Reading goes on behind a closing delimiter that comes first.
    let mut delimited = read_delimiter(&mut cursor, &delimiter).is_some();
    while delimited {
        let Some(end) = head_end(cursor.rest()) else { break };
        let head = cursor.take(end);
        cursor.take(b"\r\n".len());
        let Some(length) = content_length(cursor.rest(), &delimiter) else { break };
        let content = cursor.take(length);
        // A line end, or the first bytes of a delimiter that has none before it.
        cursor.take(b"\r\n".len());
        parts.extend(names(head).into_iter().map(|name| (name, content.to_vec())));
        delimited = read_delimiter(&mut cursor, &delimiter) == Some(Delimiter::Next);
    }
    parts
}

#[derive(PartialEq)]
enum Delimiter {
    Next,
    Last,
}

/// Reads up to a line that is a delimiter with white space around it.
fn read_delimiter(cursor: &mut Cursor, delimiter: &[u8]) -> Option<Delimiter> {
    while let Some(line) = cursor.line() {
        match trim(line, |byte| is_space(byte) || byte == 0).strip_prefix(delimiter) {
            Some(b"") => return Some(Delimiter::Next),
            Some(b"--") => return Some(Delimiter::Last),
            _ => {}
        }
    }
    None
}

/// `/(?:\r\n)?--boundary(?:\r\n|--)/`.
fn content_length(text: &[u8], delimiter: &[u8]) -> Option<usize> {
    let mut start = 0;
    loop {
        let at = start + find(&text[start..], delimiter)?;
        let behind = &text[at + delimiter.len()..];
        if behind.starts_with(b"\r\n") || behind.starts_with(b"--") {
            return Some(text[..at].strip_suffix(b"\r\n").map_or(at, <[u8]>::len));
        }
        start = at + 1;
    }
}

/// The name is `/Content-Disposition:[^:]*;\s*name=(VALUE)/i`. Before 2.2.11 it was `.*` in the place of
/// `[^:]*`.
fn names(head: &[u8]) -> Vec<Vec<u8>> {
    let mut names = Vec::new();
    for end in [b':', b'\n'] {
        match disposition_name(head, end).or_else(|| content_id(head)).filter(|name| !name.is_empty()) {
            Some(name) => names.push(name),
            None => names.extend(substitutes(head, content_type(head))),
        }
    }
    names.sort();
    names.dedup();
    names
}

fn disposition_name(head: &[u8], end: u8) -> Option<Vec<u8>> {
    const FIELD: &[u8] = b"Content-Disposition:";
    let mut rest = head;
    loop {
        rest = &rest[find_ignoring_case(rest, FIELD)? + FIELD.len()..];
        let length = rest.iter().position(|&byte| byte == end).unwrap_or(rest.len());
        let semicolons = (0..length).rev().filter(|&at| rest[at] == b';');
        let name = semicolons.map(|at| trim_start(&rest[at + 1..], is_space)).find_map(|parameter| {
            value(parameter.get(5..).filter(|_| begins_ignoring_case(parameter, b"name="))?)
        });
        if let Some(name) = name {
            return Some(unescaped(name));
        }
    }
}

/// `/"(?:\\"|[^"])*"|[^\s()<>,;:\\"\/\[\]?=]+/`.
fn value(text: &[u8]) -> Option<&[u8]> {
    if text.first() != Some(&b'"') {
        let is_separator = |byte: &u8| is_space(*byte) || b"()<>,;:\\\"/[]?=".contains(byte);
        let length = text.iter().position(is_separator).unwrap_or(text.len());
        return Some(&text[..length]).filter(|token| !token.is_empty());
    }
    // The last quote behind a backslash ends a string that no other quote ends.
    let mut last_escaped = None;
    let mut at = 1;
    while let Some(byte) = text.get(at) {
        match (byte, text.get(at + 1)) {
            (b'"', _) => return Some(&text[..=at]),
            (b'\\', Some(b'"')) => {
                last_escaped = Some(at + 1);
                at += 2;
            }
            _ => at += 1,
        }
    }
    last_escaped.map(|at| &text[..=at])
}

/// `dequote`: a line feed keeps the quotes.
fn unescaped(value: &[u8]) -> Vec<u8> {
    let text = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    let text = text.filter(|text| !text.contains(&b'\n')).unwrap_or(value);
    let mut name = Vec::new();
    let mut bytes = text.iter().peekable();
    while let Some(&byte) = bytes.next() {
        let escaped = if byte == b'\\' { bytes.next_if(|&&byte| byte != b'\n') } else { None };
        name.push(*escaped.unwrap_or(&byte));
    }
    name
}

/// `/Content-Type: (.*)\r\n/i`.
fn content_type(head: &[u8]) -> Option<&[u8]> {
    const FIELD: &[u8] = b"Content-Type: ";
    let mut rest = head;
    loop {
        rest = &rest[find_ignoring_case(rest, FIELD)? + FIELD.len()..];
        let line = rest.split(|&byte| byte == b'\n').next().unwrap_or_default();
        if let Some(value) = line.strip_suffix(b"\r") {
            return Some(value);
        }
    }
}

/// `/Content-ID:\s*([^\r\n]*)/i`.
fn content_id(head: &[u8]) -> Option<Vec<u8>> {
    let at = find_ignoring_case(head, b"Content-ID:")?;
    let value = trim_start(&head[at + b"Content-ID:".len()..], is_space);
    Some(value.split(|byte| b"\r\n".contains(byte)).next().unwrap_or_default().to_vec())
}
