//! Reading members of a JWK, and what can be wrong with them.
use crate::base64url;
use crate::json::{Object, Value};

/// What is wrong with, or worth knowing of, a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) member: Option<&'static str>,
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn of(member: &'static str, message: impl Into<String>) -> Self {
        Self { member: Some(member), message: message.into() }
    }
}

/// A string that may be absent.
pub(crate) fn optional_string<'a>(
    key: &'a Object,
    member: &'static str,
    faults: &mut Vec<Fault>,
) -> Option<&'a str> {
    let value = key.get(member)?;
    if value.as_str().is_none() {
        faults.push(Fault::of(member, format!("`{member}` must be a string")));
    }
    value.as_str()
}

/// A string that must be there.
pub(crate) fn required_string<'a>(
    key: &'a Object,
    member: &'static str,
    faults: &mut Vec<Fault>,
) -> Option<&'a str> {
    if key.get(member).is_none() {
        faults.push(Fault::of(member, format!("`{member}` is missing")));
    }
    optional_string(key, member, faults)
}

/// An array of strings that may be absent.
pub(crate) fn optional_strings<'a>(
    key: &'a Object,
    member: &'static str,
    faults: &mut Vec<Fault>,
) -> Option<Vec<&'a str>> {
    let value = key.get(member)?;
    let strings = value.as_array().and_then(|items| items.iter().map(Value::as_str).collect());
    if strings.is_none() {
        faults.push(Fault::of(member, format!("`{member}` must be an array of strings")));
    }
    strings
}

/// Bytes in base64url that must be there.
pub(crate) fn base64url_member(
    key: &Object,
    member: &'static str,
    faults: &mut Vec<Fault>,
) -> Option<Vec<u8>> {
    let text = required_string(key, member, faults)?;
    base64url::decode(text.as_bytes())
        .map_err(|error| faults.push(Fault::of(member, format!("`{member}` is {error}"))))
        .ok()
}

/// A positive integer in the fewest bytes, most significant first (RFC 7518 section 2, Base64urlUInt).
pub(crate) fn integer_member(key: &Object, member: &'static str, faults: &mut Vec<Fault>) -> Option<Vec<u8>> {
    let bytes = base64url_member(key, member, faults)?;
    match bytes.first() {
        None => faults.push(Fault::of(member, format!("`{member}` is empty"))),
        Some(0) => faults.push(Fault::of(
            member,
            format!("`{member}` starts with a zero byte; an integer is written in the fewest bytes"),
        )),
        Some(_) => return Some(bytes),
    }
    None
}

/// Bytes in base64url of a length that the curve or algorithm fixes.
pub(crate) fn fixed_length_member(
    key: &Object,
    member: &'static str,
    length: usize,
    faults: &mut Vec<Fault>,
) -> Option<Vec<u8>> {
    let bytes = base64url_member(key, member, faults)?;
    if bytes.len() == length {
        return Some(bytes);
    }
    let found = bytes.len();
    faults.push(Fault::of(member, format!("`{member}` has {found} bytes; this curve needs {length}")));
    None
}
