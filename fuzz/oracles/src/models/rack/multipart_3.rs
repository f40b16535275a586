//! `Rack::Multipart::Parser` of Rack 3.1.

use super::parts::{head_end, substitutes};
use crate::models::multipart::Cursor;
use crate::models::text::{begins_ignoring_case, find, is_blank, is_space, replaced, trim, trim_start};

/// Names and contents of all parts. Parts with an empty file name, which Rack drops, are among them.
pub fn parts(body: &[u8], boundary: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let delimiter = [b"--", boundary].concat();
    let mut cursor = Cursor::new(body);
    let mut parts = Vec::new();
    while let Some((_, length, delimited)) = find_delimiter(cursor.rest(), &delimiter) {
        cursor.take(length);
        if delimited {
            read_parts(&mut cursor, &delimiter, &mut parts);
            break;
        }
    }
    parts
}

fn read_parts(cursor: &mut Cursor, delimiter: &[u8], parts: &mut Vec<(Vec<u8>, Vec<u8>)>) {
    while let Some(end) = head_end(cursor.rest()) {
        let head = cursor.take(end);
        cursor.take(b"\r\n".len());
        let Some((length, ..)) = find_delimiter(cursor.rest(), delimiter) else { break };
        let content = cursor.take(length);
        // A line end, or the first bytes of a delimiter that has none before it.
        cursor.take(b"\r\n".len());
        parts.extend(names(head).into_iter().map(|name| (name, content.to_vec())));
        match find_delimiter(cursor.rest(), delimiter) {
            Some((_, length, true)) => cursor.take(length),
            _ => break,
        };
    }
}

/// `/(?:\r\n|\A)--boundary(?:\r\n|--)/`: where it begins and ends, and whether a part follows.
fn find_delimiter(text: &[u8], delimiter: &[u8]) -> Option<(usize, usize, bool)> {
    let mut start = 0;
    loop {
        let at = start + find(&text[start..], delimiter)?;
        let end = at + delimiter.len() + 2;
        let (before, behind) = (&text[..at], text.get(end - 2..end));
        let begin = before.strip_suffix(b"\r\n").or(Some(before).filter(|before| before.is_empty()));
        if let (Some(begin), Some(b"\r\n" | b"--")) = (begin, behind) {
            return Some((begin.len(), end, behind == Some(b"\r\n")));
        }
        start = at + 1;
    }
}

fn names(head: &[u8]) -> Vec<Vec<u8>> {
    const LONGEST_DISPOSITION: usize = 1536;
    let disposition = field(head, b"Content-Disposition:").filter(|field| field.len() <= LONGEST_DISPOSITION);
    let name = match disposition {
        Some(field) => name_parameter(&unfolded(field)),
        None => field(head, b"Content-ID:").map(<[u8]>::to_vec),
    };
    if let Some(name) = name.filter(|name| !name.is_empty()) {
        return vec![name];
    }
    let content_type = field(head, b"Content-Type:").map(unfolded);
    substitutes(&unfolded(head), content_type.as_deref())
}

/// The first field of this name, at the start of any line. Its lines may be folded.
fn field<'a>(head: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let starts = (0..head.len()).filter(|&at| at == 0 || head[at - 1] == b'\n');
    let value = starts.map(|at| &head[at..]).find(|line| begins_ignoring_case(line, name))?;
    let value = trim_start(&value[name.len()..], is_blank);
    let is_end = |at: &usize| match &value[*at..] {
        [b'\r', b'\n', b' ' | b'\t', ..] => false,
        [b'\n', ..] => *at == 0 || !folds(value, *at - 1),
        [b'\r', ..] => true,
        _ => false,
    };
    Some(&value[..(0..value.len()).find(is_end).unwrap_or(value.len())])
}

fn folds(text: &[u8], at: usize) -> bool {
    matches!(&text[at..], [b'\r', b'\n', b' ' | b'\t', ..])
}

fn unfolded(field: &[u8]) -> Vec<u8> {
    replaced(&replaced(field, b"\r\n ", b" "), b"\r\n\t", b"\t")
}

/// The last parameter `name` of the first sixteen.
fn name_parameter(field: &[u8]) -> Option<Vec<u8>> {
    let ruby_space = |byte: u8| is_space(byte) || byte == 0;
    let mut name = None;
    let mut rest = behind_semicolon(field)?;
    for _ in 0..16 {
        let Some(equals) = rest.iter().position(|&byte| byte == b'=') else { break };
        let parameter = trim_start(&rest[..equals], ruby_space);
        rest = &rest[equals + 1..];
        let value = match rest.strip_prefix(b"\"") {
            Some(quoted) => {
                let (value, behind) = unquoted(quoted);
                rest = behind;
                value
            }
            None => match rest.iter().position(|&byte| byte == b';') {
                Some(end) => rest[..end].to_vec(),
                None => trim(std::mem::take(&mut rest), ruby_space).to_vec(),
            },
        };
        if parameter == b"name" {
            name = Some(value);
        }
        rest = behind_semicolon(rest).unwrap_or(rest);
    }
    name
}

fn behind_semicolon(text: &[u8]) -> Option<&[u8]> {
    Some(&text[text.iter().position(|&byte| byte == b';')? + 1..])
}

/// The text of a quoted string, and what is behind it.
fn unquoted(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut value = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| b"\"\\".contains(byte)) {
        value.extend_from_slice(&rest[..at]);
        let ends = rest[at] == b'"';
        rest = &rest[at + 1..];
        if ends {
            break;
        }
        if let Some((&escaped, behind)) = rest.split_first() {
            value.push(escaped);
            rest = behind;
        }
    }
    (value, rest)
}
