//! Operations on text, as Python's are.

use super::text;

/// `\s`, and what `strip` removes.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// The longest start of such characters, and the rest.
pub fn prefix(text: &str, is_part: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !is_part(c)).unwrap_or(text.len()))
}

/// Percent-decoded, as UTF-8.
pub fn percent_decoded(text: &str) -> String {
    String::from_utf8_lossy(&text::percent_decoded(text.as_bytes())).into_owned()
}

/// Bytes as text, as header fields are.
pub fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}
