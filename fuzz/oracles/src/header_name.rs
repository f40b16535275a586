//! A removed header is read by no function that makes variables of header names, and others are kept.
//!
//! Input: the mapped name, then the names that a client sends, a line each.

use claimgate_functions::Fields;
use claimgate_gateway::parameters::header;
use http::{HeaderName, HeaderValue};

/// Checks one input.
pub fn check(data: &[u8]) {
    let mut lines = data.split(|&byte| byte == b'\n').map(HeaderName::from_bytes);
    let Some(Ok(mapped)) = lines.next() else { return };
    let Ok(sent) = lines.collect::<Result<Vec<_>, _>>() else { return };
    let mut fields = Fields::default();
    for (number, name) in sent.iter().enumerate() {
        fields.append(name, &HeaderValue::from(number));
    }

    let found = header::remove(&mut fields, &mapped);
    let left: Vec<(&[u8], &[u8])> = fields.iter().collect();
    assert_eq!(found, left.len() < sent.len(), "it is not told whether something was removed");
    for (number, name) in sent.iter().enumerate() {
        let is_left = left.contains(&(name.as_str().as_bytes(), number.to_string().as_bytes()));
        if variable(name.as_str()) == variable(mapped.as_str()) {
            assert!(!is_left, "{name} is still read as {mapped}");
        }
        if letters(name.as_str()) != letters(mapped.as_str()) {
            assert!(is_left, "{name} was removed");
        }
    }
    let numbers = left.iter().map(|(_, value)| std::str::from_utf8(value).ok()?.parse::<usize>().ok());
    assert!(numbers.is_sorted(), "the order has changed");
}

/// As in the environment of a CGI program of lighttpd, which makes `_` of each other character (RFC 3875,
/// 4.1.18, of `-` alone).
fn variable(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

fn letters(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}
