//! `parse_options_header` of Werkzeug 3.

use std::collections::HashMap;

use super::Options;
use crate::models::chars::{latin_1, percent_decoded, prefix};
use crate::models::text;

/// Which backslashes between quotes are undone.
#[derive(Clone, Copy)]
pub enum Escapes {
    /// Those before quotes and backslashes, before Werkzeug 3.2.
    Quotes,
    /// Those before every character.
    All,
}

/// The value in front of the options, and these.
pub fn read(field: &str, escapes: Escapes) -> (&str, Options) {
    let (value, rest) = field.split_once(';').unwrap_or((field, ""));
    let value = trim(value);
    let mut options = Options::new();
    let mut continuations: HashMap<String, (String, String)> = HashMap::new();
    let parts = if value.is_empty() { vec![] } else { parts(trim(rest)) };
    for (key, value) in parts {
        let (key, number, extended) = markers(&key);
        let mut value = value.to_owned();
        let mut encoding = String::new();
        if extended {
            if let [name, _, encoded] = value.splitn(3, '\'').collect::<Vec<_>>()[..]
                && !encoded.is_empty()
                && !value.starts_with('"')
            {
                (encoding, value) = (name.to_ascii_lowercase(), encoded.to_owned());
            }
            if encoding.is_empty() && number {
                encoding = continuations.get(key).map(|(encoding, _)| encoding.clone()).unwrap_or_default();
            }
            match &encoding[..] {
                "ascii" | "us-ascii" | "utf-8" => value = percent_decoded(&value),
                "iso-8859-1" => value = latin_1(&text::percent_decoded(value.as_bytes())),
                _ => {}
            }
        } else {
            value = unquoted(&value, escapes).replace("%22", "\"");
        }
        if number {
            options.remove(key);
            let (last_encoding, joined) = continuations.entry(key.to_owned()).or_default();
            joined.push_str(&value);
            if !encoding.is_empty() {
                *last_encoding = encoding;
            }
        } else {
            continuations.remove(key);
            options.insert(key.to_owned(), value);
        }
    }
    options.extend(continuations.into_iter().map(|(key, (_, value))| (key, value)));
    (value, options)
}

/// Every `key=value`, with quotes. What is none is skipped up to the next semicolon.
fn parts(text: &str) -> Vec<(String, &str)> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let (key, behind) = prefix(rest, is_token);
        if let Some(value) = behind.strip_prefix('=').filter(|_| !key.is_empty()) {
            let (token, behind) = prefix(value, is_token);
            rest = value;
            if !token.is_empty() {
                parts.push((key.to_ascii_lowercase(), token));
                rest = behind;
            } else if value.starts_with('"') {
                let Some(length) = quoted_length(value) else { break };
                parts.push((key.to_ascii_lowercase(), &value[..length]));
                rest = &value[length..];
            }
        }
        let Some((_, behind)) = rest.split_once(';') else { break };
        rest = behind.trim_start_matches([' ', '\t']);
        if rest.is_empty() {
            break;
        }
    }
    parts
}

/// The key without `*0`, `*` or `*0*`, and whether it had a number and a last `*`.
fn markers(key: &str) -> (&str, bool, bool) {
    let (key, extended) = key.strip_suffix('*').map_or((key, false), |key| (key, true));
    let name = key.trim_end_matches(|c: char| c.is_ascii_digit());
    match name.strip_suffix('*').filter(|_| name.len() < key.len()) {
        Some(name) => (name, true, extended),
        None => (key, false, extended),
    }
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_!#$%&'*+-.^`|~".contains(c)
}

fn quoted_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    loop {
        match (bytes.get(at)?, bytes.get(at + 1)) {
            (b'"', _) => return Some(at + 1),
            (b'\\', Some(b'"' | b'\\')) => at += 2,
            _ => at += 1,
        }
    }
}

fn unquoted(value: &str, escapes: Escapes) -> String {
    let Some(text) = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) else {
        return value.to_owned();
    };
    match escapes {
        Escapes::Quotes => text.replace("\\\\", "\\").replace("\\\"", "\""),
        Escapes::All => {
            let mut characters = text.chars();
            let undone = std::iter::from_fn(|| match characters.next()? {
                '\\' => Some(characters.next().unwrap_or('\\')),
                c => Some(c),
            });
            undone.collect()
        }
    }
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}
