//! `rfc1867.c`.

use crate::models::multipart::Cursor;
use crate::models::text::{find, find_ignoring_case, is_space, trim_start};

/// The boundary of a Content-Type.
pub fn boundary(content_type: &[u8]) -> Option<&[u8]> {
    let parameter =
        &content_type[find(content_type, b"boundary").or(find_ignoring_case(content_type, b"boundary"))?..];
    let value = &parameter[parameter.iter().position(|&byte| byte == b'=')? + 1..];
    match value.strip_prefix(b"\"") {
        Some(quoted) => Some(&quoted[..quoted.iter().position(|&byte| byte == b'"')?]),
        None => value.split(|byte| b",;".contains(byte)).next(),
    }
}

/// Names and contents of all parts, those of files included. A closing delimiter ends nothing.
pub fn parts(body: &[u8], boundary: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let delimiter = [b"--", boundary].concat();
    let mut cursor = Cursor::new(body);
    let mut parts = Vec::new();
    let (mut fields, mut numbers) = (0, 0..);
    while read_delimiter(&mut cursor, &delimiter) {
        let Some(disposition) = disposition(&mut cursor) else { continue };
        match parameters(&disposition) {
            (Some(name), None) => {
                let content = content(&mut cursor, &delimiter);
                fields += 1;
                if fields <= super::MOST_VARIABLES {
                    parts.push((name, content.to_vec()));
                }
            }
            (None, None) => break,
            (name, Some(file_name)) => {
                let number = || numbers.next().map(|number: u32| number.to_string().into_bytes());
                let Some(name) = name.or_else(number) else { break };
                // The content of a file that is not kept is not read, so that it may begin with a delimiter.
                let is_kept = !file_name.is_empty() && has_right_brackets(&name);
                let content = if is_kept { content(&mut cursor, &delimiter).to_vec() } else { Vec::new() };
                parts.push((name, content));
            }
        }
    }
    parts
}

/// Whether all brackets of a file's name are paired, with nothing behind one but another.
fn has_right_brackets(name: &[u8]) -> bool {
    let mut open = 0;
    let behind = name.iter().skip(1).map(Some).chain([None]);
    name.iter().zip(behind).all(|(byte, behind)| {
        open += i32::from(*byte == b'[') - i32::from(*byte == b']');
        open >= 0 && (*byte != b']' || matches!(behind, None | Some(b'[')))
    }) && open == 0
}

fn read_delimiter(cursor: &mut Cursor, delimiter: &[u8]) -> bool {
    while let Some(line) = read_line(cursor) {
        if line == delimiter {
            return true;
        }
    }
    false
}

/// A line without its end, and without what is behind a NUL. A last line that has no end is not read.
fn read_line<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let end = cursor.rest().iter().position(|&byte| byte == b'\n')?;
    let (line, _) = cursor.take(end + 1).split_at(end);
    line.strip_suffix(b"\r").unwrap_or(line).split(|&byte| byte == 0).next()
}

/// The first Content-Disposition of a head.
fn disposition(cursor: &mut Cursor) -> Option<Vec<u8>> {
    let mut fields: Vec<(&[u8], Vec<u8>)> = Vec::new();
    while let Some(line) = read_line(cursor).filter(|line| !line.is_empty()) {
        let colon = line.iter().position(|&byte| byte == b':');
        let colon = colon.filter(|_| !line.first().is_some_and(|&byte| is_space(byte)));
        match (colon, fields.last_mut()) {
            (Some(colon), _) => {
                fields.push((&line[..colon], trim_start(&line[colon + 1..], is_space).to_vec()));
            }
            (None, Some((_, value))) => value.extend_from_slice(line),
            (None, None) => {}
        }
    }
    fields
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(b"Content-Disposition"))
        .map(|(_, value)| value)
}

/// The last `name` and the last `filename`.
fn parameters(disposition: &[u8]) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
    let (mut name, mut file_name) = (None, None);
    let mut rest = trim_start(disposition, is_space);
    while !rest.is_empty() {
        let (parameter, behind) = word(rest, b';');
        rest = trim_start(behind, is_space);
        if !parameter.contains(&b'=') {
            continue;
        }
        let (key, value) = word(parameter, b'=');
        if key.eq_ignore_ascii_case(b"name") {
            name = Some(unquoted(value));
        } else if key.eq_ignore_ascii_case(b"filename") {
            file_name = Some(unquoted(value));
        }
    }
    (name, file_name)
}

/// `php_ap_getword`: up to `stop` outside of quotes, and what is behind all that follow it.
fn word(text: &[u8], stop: u8) -> (&[u8], &[u8]) {
    let mut at = 0;
    while let Some(&byte) = text.get(at).filter(|&&byte| byte != stop) {
        at += 1;
        if !b"\"'".contains(&byte) {
            continue;
        }
        while let Some(&inner) = text.get(at).filter(|&&inner| inner != byte) {
            at += if inner == b'\\' && text.get(at + 1) == Some(&byte) { 2 } else { 1 };
        }
        at += 1;
    }
    let at = at.min(text.len());
    (&text[..at], trim_start(&text[at..], |byte| byte == stop))
}

/// `php_ap_getword_conf`.
fn unquoted(text: &[u8]) -> Vec<u8> {
    let text = trim_start(text, is_space);
    let (quote, text) = match text.split_first() {
        Some((&quote, text)) if b"\"'".contains(&quote) => (Some(quote), text),
        _ => (None, text.split(|&byte| is_space(byte)).next().unwrap_or_default()),
    };
    let mut value = Vec::new();
    let mut bytes = text.iter().peekable();
    while let Some(&byte) = bytes.next().filter(|&&byte| Some(byte) != quote) {
        let is_escaped = |next: &&u8| **next == b'\\' || Some(**next) == quote;
        let escaped = if byte == b'\\' { bytes.next_if(is_escaped) } else { None };
        value.push(*escaped.unwrap_or(&byte));
    }
    value
}

/// Up to a line feed and the delimiter, or to what may be the start of these at the end of the body.
fn content<'a>(cursor: &mut Cursor<'a>, delimiter: &[u8]) -> &'a [u8] {
    let rest = cursor.rest();
    let end = [b"\n", delimiter].concat();
    let starts = (1..=end.len()).rev().map(|length| &end[..length]);
    let at = find(rest, &end).or_else(|| {
        starts.filter(|start| rest.ends_with(start)).map(|start| rest.len() - start.len()).next()
    });
    let content = cursor.take(at.unwrap_or(rest.len()));
    match at {
        Some(_) => content.strip_suffix(b"\r").unwrap_or(content),
        None => content,
    }
}
