//! Lenient readers of multipart forms: boundaries count wherever they stand, lines end with LF too,
//! and names come quoted, escaped or encoded in several ways.

use std::collections::BTreeSet;

use crate::lenient::percent_decoded;

/// The boundary, when all readers take the same.
pub fn boundary(content_type: &str) -> String {
    let boundaries: BTreeSet<String> =
        [first_word(content_type), parameters(content_type, true), parameters(content_type, false)]
            .into_iter()
            .flatten()
            .collect();
    assert_eq!(boundaries.len(), 1, "readers differ in the boundary");
    boundaries.into_iter().collect()
}

/// Whatever stands behind the first `boundary` and a `=`, up to the closing quote or to the first
/// character that may end a parameter, also in quotes.
fn first_word(content_type: &str) -> Vec<String> {
    let lower = content_type.to_ascii_lowercase();
    let Some(at) = lower.find("boundary") else { return Vec::new() };
    let Some((_, value)) = content_type[at..].split_once('=') else { return Vec::new() };
    let value = value.trim_start();
    let up_to = |value: &str, ends: &[char]| value.split(ends).next().unwrap_or_default().to_owned();
    let ends = ['"', ';', ',', ' ', '\t'];
    match value.strip_prefix('"') {
        Some(quoted) => vec![up_to(quoted, &ends[..1]), up_to(quoted, &ends)],
        None => vec![up_to(value, &ends)],
    }
}

/// All parameters of the name `boundary`, and of RFC 2231's longer names; quotes hide a `;` or not.
fn parameters(content_type: &str, quotes_hide: bool) -> Vec<String> {
    let mut found = Vec::new();
    for parameter in split_parameters(content_type.as_bytes(), if quotes_hide { b"\"" } else { b"" }, true) {
        let parameter = String::from_utf8_lossy(parameter).into_owned();
        let Some((name, value)) = parameter.split_once('=') else { continue };
        if name.trim().to_ascii_lowercase().split('*').next() == Some("boundary") {
            found.push(value.trim().trim_matches('"').to_owned());
        }
    }
    found
}

/// What stands between two delimiters, wherever they are.
pub fn parts(body: &[u8], delimiter: &[u8]) -> Vec<Vec<u8>> {
    let mut pieces = split(body, delimiter);
    // Before the first delimiter and behind the closing one there are no parts.
    pieces.remove(0);
    let behind = pieces.pop().unwrap_or_default();
    assert!(behind.starts_with(b"--"), "the last delimiter is not the closing one");
    pieces.into_iter().map(<[u8]>::to_vec).collect()
}

/// The pieces of a text between the occurrences of a separator.
pub fn split<'a>(text: &'a [u8], separator: &[u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.windows(separator.len()).position(|window| window == separator) {
        pieces.push(&rest[..at]);
        rest = &rest[at + separator.len()..];
    }
    pieces.push(rest);
    pieces
}

/// What stands behind the headers of a part that was set.
pub fn content(part: &[u8]) -> &[u8] {
    let headers = split(part, b"\r\n\r\n")[0].len() + 4;
    part[headers..].strip_suffix(b"\r\n").expect("a part ends with a line")
}

/// Every name that some reader finds in a part.
pub fn names(part: &[u8]) -> Vec<Vec<u8>> {
    let mut names = Vec::new();
    for line in header_lines(part) {
        let Some(at) = line.iter().position(|&byte| byte == b':') else { continue };
        if !line[..at].trim_ascii().eq_ignore_ascii_case(b"content-disposition") {
            continue;
        }
        for (quotes, escapes) in [(b"".as_slice(), false), (b"\"", false), (b"\"", true), (b"\"'", true)] {
            for parameter in split_parameters(&line[at + 1..], quotes, escapes) {
                names.extend(name(parameter).into_iter().flat_map(readings));
            }
        }
    }
    names
}

/// The lines up to the first empty one, whatever ends a line, folded ones joined.
fn header_lines(part: &[u8]) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let line = part.strip_prefix(b"\r\n").or_else(|| part.strip_prefix(b"\n")).unwrap_or(part);
    let unix: Vec<u8> = split(line, b"\r\n").join(&b'\n');
    for line in unix.split(|byte| b"\r\n".contains(byte)) {
        match (line.first(), lines.last_mut()) {
            (None, _) => break,
            (Some(b' ' | b'\t'), Some(previous)) => previous.extend_from_slice(line),
            _ => lines.push(line.to_vec()),
        }
    }
    lines
}

/// Splits at every `;` that no quotes hide.
fn split_parameters<'a>(value: &'a [u8], quotes: &[u8], escapes: bool) -> Vec<&'a [u8]> {
    let (mut open, mut start, mut at) = (None, 0, 0);
    let mut parameters = Vec::new();
    while let Some(&byte) = value.get(at) {
        match open {
            Some(_) if escapes && byte == b'\\' => at += 1,
            Some(quote) if byte == quote => open = None,
            Some(_) => {}
            None if quotes.contains(&byte) => open = Some(byte),
            None if byte == b';' => {
                parameters.push(&value[start..at]);
                start = at + 1;
            }
            None => {}
        }
        at += 1;
    }
    parameters.push(&value[start..]);
    parameters
}

/// The value of a parameter `name`, or of RFC 2231's longer names for it.
fn name(parameter: &[u8]) -> Option<&[u8]> {
    let at = parameter.iter().position(|&byte| byte == b'=')?;
    let key = parameter[..at].trim_ascii().split(|&byte| byte == b'*').next()?;
    key.trim_ascii().eq_ignore_ascii_case(b"name").then(|| parameter[at + 1..].trim_ascii())
}

/// A name as it was written, without quotes, without escapes, decoded.
fn readings(written: &[u8]) -> Vec<Vec<u8>> {
    let unquoted =
        [b"\"", b"'"].into_iter().find_map(|quote| written.strip_prefix(quote)?.strip_suffix(quote));
    let unquoted = unquoted.unwrap_or(written);
    let mut unescaped = Vec::new();
    let mut bytes = unquoted.iter();
    while let Some(&byte) = bytes.next() {
        unescaped.push(if byte == b'\\' { bytes.next().copied().unwrap_or(byte) } else { byte });
    }
    let decoded = percent_decoded(unquoted);
    let first_word = unquoted.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    let mut readings = vec![unquoted.to_vec(), unescaped, decoded];
    if unquoted == written {
        readings.push(first_word.to_vec());
    }
    readings.extend(encoded_word(unquoted));
    readings
}

/// RFC 2047's `=?charset?Q?text?=`, which mail libraries decode wherever it stands.
fn encoded_word(text: &[u8]) -> Option<Vec<u8>> {
    let mut fields = text.strip_prefix(b"=?")?.strip_suffix(b"?=")?.split(|&byte| byte == b'?');
    let (_charset, encoding, text) = (fields.next()?, fields.next()?, fields.next()?);
    encoding.eq_ignore_ascii_case(b"q").then(|| text.to_vec())
}
