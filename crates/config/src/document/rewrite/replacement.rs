//! `replacement` of a rewrite rule.
use crate::path;
use crate::place::quoted;
use crate::snapshot::rewrite::{Piece, Replacement};

/// Parses a replacement for a match with so many groups.
pub(super) fn parse(text: &str, groups: usize) -> Result<Replacement, String> {
    if !text.starts_with('/') || text.starts_with("//") {
        return Err(format!("must begin with one /, found {}", quoted(text)));
    }
    if text.contains('#') {
        return Err(format!("has no fragment, as none is sent, found {}", quoted(text)));
    }
    let (path, query) = match text.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (text, None),
    };
    path::check_escapes(path).map_err(|why| format!("the path {why}"))?;
    if path.split('/').any(|segment| matches!(segment.split(';').next(), Some("." | ".."))) {
        return Err(format!("has a dot segment, which the gateway refuses: {}", quoted(text)));
    }
    check_characters(path)?;
    if let Some(query) = query {
        if query.is_empty() {
            return Err(format!("has nothing behind its ?: {}", quoted(text)));
        }
        check_query_escapes(query)?;
        check_characters(query)?;
    }
    let query = query.map(|query| pieces(query, groups)).transpose()?;
    Ok(Replacement { path: pieces(path, groups)?, query })
}

/// RFC 3986, 3.3 and 3.4: what may stand in a path or query. A `?` is left in queries alone.
fn check_characters(text: &str) -> Result<(), String> {
    let is_allowed =
        |character: char| character.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/?%".contains(character);
    match text.chars().find(|character| !is_allowed(*character)) {
        None => Ok(()),
        Some(character) => {
            let mut buffer = [0; 4];
            let bytes = character.encode_utf8(&mut buffer).bytes();
            let encoded: String = bytes.map(|byte| format!("%{byte:02X}")).collect();
            Err(format!("{} must be written as {encoded}", quoted(&character.to_string())))
        }
    }
}

fn check_query_escapes(query: &str) -> Result<(), String> {
    for escape in query.split('%').skip(1) {
        match escape.get(..2).and_then(path::decode) {
            None => return Err(format!("has a % without two hexadecimal digits: {}", quoted(query))),
            Some(0..=0x1f | 0x7f) => {
                return Err(format!("has an encoded control character: {}", quoted(query)));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// A `$` with a digit behind it stands for a group, any other for itself.
fn pieces(text: &str, groups: usize) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let digit =
            if character == '$' { characters.peek().and_then(|next| next.to_digit(10)) } else { None };
        let Some(number) = digit else {
            literal.push(character);
            continue;
        };
        characters.next();
        let number = usize::try_from(number).unwrap_or_default();
        if number == 0 || number > groups {
            return Err(no_such_group(number, groups));
        }
        if !literal.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut literal)));
        }
        pieces.push(Piece::Group(number));
    }
    if !literal.is_empty() {
        pieces.push(Piece::Text(literal));
    }
    Ok(pieces)
}

fn no_such_group(number: usize, groups: usize) -> String {
    let there = match groups {
        0 => "the match captures nothing".to_owned(),
        1 => "the match captures one part, $1".to_owned(),
        _ => format!("the match captures {groups} parts, $1 to ${groups}"),
    };
    format!("there is no ${number}: {there}")
}
