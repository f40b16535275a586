//! `MultipartDecoder` of Werkzeug, which reads nothing from a body with any error in it: `None`.

use super::{options_2, options_3};
use crate::models::chars::is_space;
use crate::models::multipart::{line_end, lines};
use crate::models::text::{find, trim_start};

type Parts = Vec<(Vec<u8>, Vec<u8>)>;

/// Parts as Werkzeug 2.2 reads them.
pub fn parts_2(body: &[u8], boundary: &[u8]) -> Option<Parts> {
    parts(body, boundary, true, |head| {
        let mut disposition = None;
        for line in lines(&joined(head)) {
            let line = std::str::from_utf8(line).ok()?.trim_matches(is_space);
            if let Some((name, value)) = line.split_once(':') {
                let found = name.trim_matches(is_space).eq_ignore_ascii_case("content-disposition");
                disposition = disposition.or(found.then(|| value.trim_matches(is_space).to_owned()));
            } else if !line.is_empty() {
                return None;
            }
        }
        Some(options_2::read(&disposition?).1.remove("name").into_iter().collect())
    })
}

/// Parts as Werkzeug 3 reads them.
pub fn parts_3(body: &[u8], boundary: &[u8]) -> Option<Parts> {
    parts(body, boundary, false, |head| {
        let mut disposition = None;
        for line in lines(&joined(head)) {
            let line = std::str::from_utf8(line).ok()?;
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            let found = blanks_trimmed(name).eq_ignore_ascii_case("content-disposition");
            disposition = disposition.or(found.then(|| blanks_trimmed(value).to_owned()));
        }
        let disposition = disposition?;
        let escapes = [options_3::Escapes::All, options_3::Escapes::Quotes];
        let names =
            escapes.into_iter().filter_map(|escapes| options_3::read(&disposition, escapes).1.remove("name"));
        let mut names: Vec<String> = names.collect();
        names.dedup();
        Some(names)
    })
}

/// A content begins behind the empty line. To Werkzeug 3 the empty line's own end may be the one that
/// belongs to a delimiter.
fn parts(
    body: &[u8],
    boundary: &[u8],
    empty_line_is_used: bool,
    names: impl Fn(&[u8]) -> Option<Vec<String>>,
) -> Option<Parts> {
    let delimiter = [b"--", boundary].concat();
    let mut parts = Parts::new();
    let (_, mut rest) = first_delimiter(body, &delimiter)?;
    while let Some(text) = rest {
        let (head_length, end_length) = empty_line(text)?;
        let (head, behind) = text.split_at(head_length);
        let names = names(head)?;
        let start = if empty_line_is_used { end_length } else { end_length / 2 };
        let behind = &behind[start..];
        let (content, next) = next_delimiter(behind, &delimiter)?;
        let content =
            if empty_line_is_used { content } else { content.get(line_end(behind)..).unwrap_or_default() };
        parts.extend(names.into_iter().map(|name| (name.into_bytes(), content.to_vec())));
        rest = next;
    }
    Some(parts)
}

/// What is before a delimiter, and the part behind it, or `None` behind the last one.
type Delimited<'a> = (&'a [u8], Option<&'a [u8]>);

/// The first delimiter need not begin a line.
fn first_delimiter<'a>(text: &'a [u8], delimiter: &[u8]) -> Option<Delimited<'a>> {
    delimiters(text, delimiter).next()
}

fn next_delimiter<'a>(text: &'a [u8], delimiter: &[u8]) -> Option<Delimited<'a>> {
    delimiters(text, delimiter).find_map(|(before, next)| {
        let before = before
            .strip_suffix(b"\n")
            .map(|before| before.strip_suffix(b"\r").unwrap_or(before))
            .or(before.strip_suffix(b"\r"))?;
        Some((before, next))
    })
}

/// Every delimiter with `--`, or with white space and a line end, behind it.
fn delimiters<'a>(text: &'a [u8], delimiter: &[u8]) -> impl Iterator<Item = Delimited<'a>> {
    let mut start = 0;
    let positions = std::iter::from_fn(move || {
        let at = start + find(&text[start..], delimiter)?;
        start = at + 1;
        Some((at, at + delimiter.len()))
    });
    positions.filter_map(|(at, end)| {
        let (before, behind) = (&text[..at], &text[end..]);
        if behind.starts_with(b"--") {
            return Some((before, None));
        }
        let behind = trim_start(behind, |byte| b" \t\x0b\x0c".contains(&byte));
        Some((before, Some(&behind[Some(line_end(behind)).filter(|&length| length > 0)?..])))
    })
}

/// Where the first of CR LF CR LF, CR CR and LF LF begins, and how long it is.
fn empty_line(text: &[u8]) -> Option<(usize, usize)> {
    let ends: [&[u8]; 3] = [b"\r\n\r\n", b"\r\r", b"\n\n"];
    ends.iter().fold(None, |first, end| {
        // A head is short, and the text behind it is not.
        let before = first.map_or(text, |(at, _)| &text[..=at]);
        find(before, end).map(|at| (at, end.len())).or(first)
    })
}

/// Continued lines joined.
fn joined(head: &[u8]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(head.len());
    let mut rest = head;
    while let Some((&first, behind)) = rest.split_first() {
        let end = line_end(rest);
        if end > 0 && rest.get(end).is_some_and(|byte| b" \t".contains(byte)) {
            joined.push(b' ');
            rest = &rest[end + 1..];
        } else {
            joined.push(first);
            rest = behind;
        }
    }
    joined
}

fn blanks_trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}
