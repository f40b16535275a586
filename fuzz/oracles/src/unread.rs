//! What must hold of a removed parameter, whatever model reads what is left, and of the others.

use crate::models::text::percent_decoded;
use crate::models::{MODELS, Model, Parameters};

/// Panics when a model reads the parameter.
pub fn assert_unread(name: &str, read: impl Fn(&Model) -> Option<Parameters>) {
    for model in &MODELS {
        let values = values(model, name, read(model));
        assert!(values.is_empty(), "{} still reads {values:?}", model.name);
    }
}

/// Panics when a model does not read a claim that was set, or reads another value too. A model is compared with
/// itself where the claim is alone, and for an ordinary name it must read the claim.
pub fn assert_claim(
    name: &str,
    value: &str,
    read_alone: impl Fn(&Model) -> Option<Parameters>,
    read: impl Fn(&Model) -> Option<Parameters>,
) {
    for model in &MODELS {
        let Some(alone) = read_alone(model) else { continue };
        let alone = values(model, name, Some(alone));
        let beside_others = values(model, name, read(model));
        assert_eq!(beside_others, alone, "{} reads another value beside other parameters", model.name);
        // A model may read a value in several ways, of which one must be right.
        let is_right = alone.iter().any(|read| is_value(read, value));
        let may_be_unread = alone.is_empty() && !is_ordinary(name);
        assert!(is_right || may_be_unread, "{} reads {alone:?} where {value} was set", model.name);
    }
}

/// Some libraries read names of attributes of cookies as attributes.
fn is_ordinary(name: &str) -> bool {
    let attributes =
        ["path", "domain", "comment", "expires", "max-age", "httponly", "secure", "samesite", "version"];
    name.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && !attributes.iter().any(|attribute| name.eq_ignore_ascii_case(attribute))
}

/// Some leave the encoding of a cookie's value to the application.
fn is_value(read: &[u8], value: &str) -> bool {
    read == value.as_bytes() || percent_decoded(read) == value.as_bytes()
}

/// What a model reads under a name. An application of PHP looks a name up in its mangled form.
fn values(model: &Model, name: &str, read: Option<Parameters>) -> Vec<Vec<u8>> {
    let looked_up = if model.name == "PHP" { name.replace([' ', '.'], "_") } else { name.to_owned() };
    let read = read.unwrap_or_default().into_iter().filter(|(found, _)| found == looked_up.as_bytes());
    let mut values: Vec<_> = read.map(|(_, value)| value).collect();
    values.sort();
    values.dedup();
    values
}

/// Panics when something is missing from `left` that cannot mean the parameter, or something is new there.
pub fn assert_others_are_left(name: &str, sent: &[&[u8]], left: &[&[u8]], named_in: impl Fn(&[u8]) -> &[u8]) {
    let expected: Vec<&[u8]> = sent.iter().copied().filter(|piece| left.contains(piece)).collect();
    assert_eq!(left, expected, "what is left is not exactly the other parameters");
    for removed in sent.iter().filter(|piece| !left.contains(piece)) {
        let written = named_in(removed);
        assert!(may_mean(written, name), "{} was removed", String::from_utf8_lossy(removed));
    }
}

/// Whether the letters and digits of a name are in a text, in their order, in any decoding of it.
fn may_mean(text: &[u8], name: &str) -> bool {
    let mut decoded = text.to_vec();
    for _ in 0..4 {
        let seven_bits: Vec<u8> = decoded.iter().map(|byte| byte & 0x7f).collect();
        let without_percent: Vec<u8> = decoded.iter().copied().filter(|byte| *byte != b'%').collect();
        let overlong = [overlong_decoded(&decoded), overlong_decoded(&without_percent)];
        if [&decoded, &seven_bits].into_iter().chain(&overlong).any(|text| has_letters(text, name)) {
            return true;
        }
        decoded = all_decoded(&decoded);
    }
    false
}

fn has_letters(text: &[u8], name: &str) -> bool {
    let mut text = text.iter();
    let mut letters = name.bytes().filter(u8::is_ascii_alphanumeric);
    letters.all(|letter| text.any(|byte| byte.eq_ignore_ascii_case(&letter)))
}

/// With `%u` and four digits undone too.
fn all_decoded(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        match (first, behind) {
            (b'%', [b'u' | b'U', b'0', b'0', digits @ ..]) => {
                plain.push(b'%');
                rest = digits;
            }
            _ => plain.push(first),
        }
    }
    percent_decoded(&plain)
}

/// Two or three bytes of UTF-8 for a character that needs one.
pub fn overlong_decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        match (first, behind) {
            (0xc0 | 0xc1, [low @ 0x80..=0xbf, behind @ ..]) => {
                decoded.push((first & 1) << 6 | low & 0x3f);
                rest = behind;
            }
            (0xe0, [high @ (0x80 | 0x81), low @ 0x80..=0xbf, behind @ ..]) => {
                decoded.push((high & 1) << 6 | low & 0x3f);
                rest = behind;
            }
            _ => decoded.push(first),
        }
    }
    decoded
}
