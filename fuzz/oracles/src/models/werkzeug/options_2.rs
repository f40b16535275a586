//! `parse_options_header` of Werkzeug 2.2.
//!
//! Values in an encoding are percent-decoded alone. Those that are wrong in it, at which Werkzeug reads nothing, are
//! read. A name in UTF-16, UTF-7 and other encodings than UTF-8 is not recognised: no part may have a `name*`.

use super::Options;
use crate::models::chars::{is_space, percent_decoded, prefix};

/// The value in front of the options, and these.
pub fn read(field: &str) -> (&str, Options) {
    let field = field.trim_start_matches(is_space);
    let (value, rest) = prefix(field, |c| !is_space(c) && !";,".contains(c));
    let mut options = Options::new();
    let mut rest = if value.is_empty() { "" } else { rest };
    while let Some(behind) = rest.strip_prefix(';') {
        let Some(behind) = piece(behind, &mut options) else { break };
        rest = behind.trim_start_matches(is_space);
    }
    (value, options)
}

/// One option, and what is behind it.
fn piece<'a>(text: &'a str, options: &mut Options) -> Option<&'a str> {
    let text = text.trim_start_matches(is_space);
    let text = text.strip_prefix(',').unwrap_or(text).trim_start_matches(is_space);
    let (key, text) = quoted(text).unwrap_or_else(|| prefix(text, |c| !is_space(c) && !";,=*".contains(c)));
    if key.is_empty() {
        return None;
    }
    let key = unquoted(key).to_lowercase();
    let number = text.strip_prefix('*').map(|text| prefix(text, |c| c.is_ascii_digit()));
    let number = number.filter(|(digits, _)| !digits.is_empty());
    let text = number.map_or(text, |(_, behind)| behind).trim_start_matches(is_space);

    let extended =
        text.strip_prefix('*').and_then(|text| text.trim_start_matches(is_space).strip_prefix('='));
    let Some(assigned) = extended.or(text.strip_prefix('=')) else {
        set(options, key, None, number.is_some());
        return Some(text);
    };
    let assigned = assigned.trim_start_matches(is_space);
    let encoded = extended.and_then(|_| behind_encoding(assigned));
    let text = encoded.unwrap_or(assigned);
    let (value, behind) = quoted(text).unwrap_or_else(|| prefix(text, |c| !";,".contains(c)));
    let value = Some(value).filter(|value| !value.is_empty()).map(unquoted);
    let value = value.map(|value| if encoded.is_some() { percent_decoded(&value) } else { value });
    set(options, key, value, number.is_some());
    Some(behind)
}

fn set(options: &mut Options, key: String, value: Option<String>, continues: bool) {
    match (value, continues) {
        (Some(value), true) => options.entry(key).or_default().push_str(&value),
        (Some(value), false) => drop(options.insert(key, value)),
        (None, true) => {}
        (None, false) => drop(options.remove(&key)),
    }
}

/// `[^\s]+?'[^\s]*?'`.
fn behind_encoding(text: &str) -> Option<&str> {
    let (word, _) = prefix(text, |c| !is_space(c));
    let mut apostrophes = word.char_indices().skip(1).filter(|&(_, c)| c == '\'').map(|(at, _)| at);
    apostrophes.next()?;
    Some(&text[apostrophes.next()? + 1..])
}

/// `"[^"\\]*(?:\\.[^"\\]*)*"` at the start, and what is behind it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let mut characters = text.char_indices();
    characters.next().filter(|&(_, c)| c == '"')?;
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some(text.split_at(at + 1)),
            '\\' => drop(characters.next()?),
            _ => {}
        }
    }
    None
}

fn unquoted(text: &str) -> String {
    if !text.starts_with('"') || !text.ends_with('"') {
        return text.to_owned();
    }
    let inner = text.get(1..text.len().max(2) - 1).unwrap_or_default();
    inner.replace("\\\\", "\\").replace("\\\"", "\"")
}
