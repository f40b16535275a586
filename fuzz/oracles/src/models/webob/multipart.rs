//! `FieldStorage` of Python's `cgi`, as WebOb has it, and the reader of part heads in Python's `email`.
//!
//! Parts behind one that is itself a multipart body or a form are read, although `cgi` takes them for
//! that part's content.

use crate::models::Parameters;
use crate::models::chars::{is_space, latin_1};
use crate::models::multipart::{Cursor, line_end};
use crate::models::text::{self, trim, trim_start};

/// Names and contents of all parts, those of files included.
pub fn parts(content_type: &[u8], body: &[u8]) -> Parameters {
    let boundary =
        parameter(&latin_1(content_type), "boundary").filter(|boundary| is_boundary(boundary.as_bytes()));
    let Some(boundary) = boundary else { return Parameters::new() };
    let delimiter = format!("--{boundary}").into_bytes();
    let mut cursor = Cursor::new(body);
    while cursor.line().is_some_and(|line| trim(line, text::is_space) != delimiter) {}

    let mut parts = Parameters::new();
    while let Some(head) = head(&mut cursor) {
        let (content, is_last) = content(&mut cursor, &delimiter);
        if let Some(name) = name(head) {
            parts.push((name.into_bytes(), content.to_vec()));
        }
        if is_last {
            break;
        }
    }
    parts
}

/// `^[ -~]{0,200}[!-~]$`.
fn is_boundary(boundary: &[u8]) -> bool {
    boundary.len() <= 201
        && boundary.iter().all(|byte| (b' '..=b'~').contains(byte))
        && boundary.last().is_some_and(|&byte| byte != b' ')
}

/// Everything up to a line of white space.
fn head<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let start = cursor.rest();
    while cursor.line().is_some_and(|line| !trim(line, text::is_space).is_empty()) {}
    let head = &start[..start.len() - cursor.rest().len()];
    Some(head).filter(|head| !head.is_empty())
}

/// What is before a line that is a delimiter, and whether that or the end of the body is the last.
fn content<'a>(cursor: &mut Cursor<'a>, delimiter: &[u8]) -> (&'a [u8], bool) {
    let start = cursor.rest();
    loop {
        let before = &start[..start.len() - cursor.rest().len()];
        let content = before.strip_suffix(b"\n").unwrap_or(before);
        let content = content.strip_suffix(b"\r").unwrap_or(content);
        let Some(line) = cursor.line() else { return (content, true) };
        let end = line.iter().rposition(|&byte| !text::is_space(byte)).map_or(0, |last| last + 1);
        if let Some(behind @ (b"" | b"--")) = line[..end].strip_prefix(delimiter) {
            return (content, !behind.is_empty());
        }
    }
}

/// The name in the first Content-Disposition.
fn name(head: &[u8]) -> Option<String> {
    fields(head)
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(b"Content-Disposition"))
        .and_then(|(_, value)| parameter(&String::from_utf8_lossy(value), "name"))
}

/// Fields up to the first line that is none. Lines end with CR too.
fn fields(head: &[u8]) -> Vec<(&[u8], Vec<u8>)> {
    let mut fields: Vec<(&[u8], Vec<u8>)> = Vec::new();
    let mut continues = false;
    for line in lines_with_ends(head) {
        let name = line.iter().position(|byte| !(b'!'..=b'~').contains(byte) || *byte == b':');
        let name = name.filter(|&end| line[end] == b':').map(|end| &line[..end]);
        match (line.first(), name, fields.last_mut()) {
            (Some(b' ' | b'\t'), _, Some((_, value))) if continues => value.extend_from_slice(line),
            (Some(b' ' | b'\t'), ..) => {}
            _ if line.starts_with(b"From ") => continues = false,
            (_, Some(b""), _) => continues = false,
            (_, Some(name), _) => {
                fields.push((name, trim_start(&line[name.len() + 1..], text::is_blank).to_vec()));
                continues = true;
            }
            (_, None, _) => break,
        }
    }
    fields
}

fn lines_with_ends(text: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(end) = rest.iter().position(|byte| b"\r\n".contains(byte)) {
        let (line, behind) = rest.split_at(end + line_end(&rest[end..]));
        lines.push(line);
        rest = behind;
    }
    lines.push(rest);
    lines
}

/// `parse_header`: the last parameter of this name.
fn parameter(field: &str, name: &str) -> Option<String> {
    let mut found = None;
    let mut rest = Some(field);
    for number in 0.. {
        let Some(text) = rest else { break };
        let (parameter, behind) = text.split_at(end(text));
        rest = behind.strip_prefix(';');
        if let Some((key, value)) = parameter.split_once('=').filter(|_| number > 0)
            && key.trim_matches(is_space).eq_ignore_ascii_case(name)
        {
            found = Some(unquoted(value.trim_matches(is_space)));
        }
    }
    found
}

/// Where a semicolon is with an even number of quotes before it, escaped ones not counted.
fn end(text: &str) -> usize {
    let (mut quotes, mut last) = (0, ' ');
    let end = text.char_indices().find(|&(_, c)| {
        quotes += usize::from(c == '"' && last != '\\');
        last = c;
        c == ';' && quotes % 2 == 0
    });
    end.map_or(text.len(), |(at, _)| at)
}

fn unquoted(value: &str) -> String {
    match value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) {
        Some(value) => value.replace("\\\\", "\\").replace("\\\"", "\""),
        None => value.to_owned(),
    }
}
