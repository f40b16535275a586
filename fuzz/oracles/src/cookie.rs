//! A removed cookie is found by no reader, a set one by every reader, and the others keep their bytes.
//!
//! Input: the name, the value to set, then the `Cookie` fields, a line each.

use claimgate_gateway::parameters::cookie;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

use crate::lenient::{percent_decoded, reads_as};
use crate::lines;

/// Checks one input.
pub fn check(data: &[u8]) {
    let Some(([name, value], fields)) = lines::split(data) else { return };
    // The configuration lets no other name of a cookie through.
    if name.is_empty() || http::HeaderName::from_bytes(name.as_bytes()).is_err() {
        return;
    }
    let mut headers = HeaderMap::new();
    for field in fields.split(|&byte| byte == b'\n') {
        let Ok(field) = HeaderValue::from_bytes(field) else { return };
        headers.append(COOKIE, field);
    }
    let sent = headers.clone();

    cookie::remove(&mut headers, name);
    let removed = headers.clone();
    assert_eq!(cookie::values(&headers, name).count(), 0, "a removed cookie is still found");
    let kept: Vec<&[u8]> = pieces(&sent).into_iter().filter(|piece| !is_named(piece, name)).collect();
    assert_eq!(pieces(&removed), kept, "what is left is not exactly the other cookies");
    if pieces(&sent).len() == kept.len() {
        assert_eq!(removed, sent, "nothing had to be removed");
    }

    cookie::prepend(&mut headers, name, value);
    let set = only(cookie::values(&headers, name));
    assert_eq!(percent_decoded(set), value.as_bytes(), "the value does not decode to the text");
    let mut expected = vec![[name.as_bytes(), b"=", set].concat()];
    expected.extend(kept.iter().map(|piece| piece.to_vec()));
    assert_eq!(pieces(&headers), expected, "the set cookie must come first, and nothing else may change");

    let before_join = pieces(&headers).concat();
    cookie::join_fields(&mut headers);
    assert_eq!(headers.get_all(COOKIE).iter().count(), 1);
    assert_eq!(pieces(&headers).concat(), before_join);
    only(cookie::values(&headers, name));
}

/// Everything between what any server takes for the end of a cookie.
fn pieces(headers: &HeaderMap) -> Vec<&[u8]> {
    let fields = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    fields
        .flat_map(|field| field.split(|byte| b";, \t".contains(byte)))
        .filter(|piece| !piece.is_empty())
        .collect()
}

fn is_named(piece: &[u8], name: &str) -> bool {
    let written = piece.split(|&byte| byte == b'=').next().unwrap_or_default();
    // Trimming text trims white space beyond ASCII too, however the bytes were made text, and some
    // trim quotes: neither is part of a name.
    [written.to_vec(), percent_decoded(written)].into_iter().any(|bytes| {
        let text: String = bytes.into_iter().map(char::from).collect();
        reads_as(text.trim_matches(|c: char| !c.is_ascii_graphic() || c == '"').as_bytes(), name)
    })
}

fn only<'a>(mut values: impl Iterator<Item = &'a [u8]>) -> &'a [u8] {
    let value = values.next().expect("the set cookie is found");
    assert!(values.next().is_none(), "the set cookie is found twice");
    value
}
