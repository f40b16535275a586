//! A removed cookie is read by no model, a set one by every model, and the others keep their bytes.
//!
//! Input: the name and the value to set, a line each, then the `Cookie` fields, a line each.

use claimgate_config::readings::MappedNames;
use claimgate_functions::Fields;
use claimgate_gateway::parameters::cookie;
use http::HeaderValue;
use http::header::COOKIE;

use crate::unread::{assert_claim, assert_others_are_left, assert_unread};
use crate::{lines, names};

/// Checks one input.
pub fn check(data: &[u8]) {
    let Some(([name, value], sent)) = lines::split(data) else { return };
    if !names::is_token(name) {
        return;
    }
    let mut fields = Fields::default();
    for field in sent.split(|&byte| byte == b'\n') {
        let Ok(field) = HeaderValue::from_bytes(field) else { return };
        fields.append(&COOKIE, &field);
    }
    let sent = fields.get_all(&COOKIE).collect::<Vec<_>>().join(&b';');

    let mapped = MappedNames::new([name]);
    let mut found = false;
    cookie::remove(&mut fields, &mapped, |_| found = true);
    let removed = only_field(&fields);
    assert_unread(name, |model| Some((model.cookies?)(&removed)));
    let (sent, left) = (pairs(&sent), pairs(&removed));
    let (sent, dropped): (Vec<&[u8]>, Vec<&[u8]>) =
        sent.iter().partition(|pair| is_pair(pair) || left.contains(pair));
    assert!(found || dropped.iter().all(|pair| !left.contains(pair)));
    assert_others_are_left(name, &sent, &left, |pair| pair);

    let mut alone = Fields::default();
    for fields in [&mut alone, &mut fields] {
        cookie::prepend(fields, name, value);
    }
    let (claim, set) = (only_field(&alone), only_field(&fields));
    assert_claim(name, value, |model| Some((model.cookies?)(&claim)), |model| Some((model.cookies?)(&set)));
    let behind = set.strip_prefix(&claim[..]).expect("the claim comes first");
    assert_eq!(behind.strip_prefix(b"; ").unwrap_or(behind), removed, "setting a claim changed others");
}

fn only_field(fields: &Fields) -> Vec<u8> {
    let found: Vec<&[u8]> = fields.get_all(&COOKIE).collect();
    assert!(found.len() < 2, "some functions read one field alone");
    found.concat()
}

/// Pairs without the white space around them.
fn pairs(field: &[u8]) -> Vec<&[u8]> {
    field.split(|&byte| byte == b';').map(<[u8]>::trim_ascii).filter(|pair| !pair.is_empty()).collect()
}

/// RFC 6265, 4.1.1. What is none may be dropped.
fn is_pair(pair: &[u8]) -> bool {
    let at = pair.iter().position(|&byte| byte == b'=').unwrap_or(0);
    let (name, value) = pair.split_at(at);
    let value = value.get(1..).unwrap_or_default();
    let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
    let is_octet = |byte: &u8| matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e);
    std::str::from_utf8(name).is_ok_and(names::is_token) && value.iter().all(is_octet)
}
