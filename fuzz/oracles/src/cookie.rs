//! A removed cookie is found by no reader, a set one by every reader, and the others keep their bytes.
//!
//! Input: the name, the value to set, then the `Cookie` fields, a line each.

use claimgate_functions::Fields;
use claimgate_gateway::parameters::cookie;
use http::HeaderValue;
use http::header::COOKIE;

use crate::lenient::{percent_decoded, reads_as};
use crate::lines;

/// Checks one input.
pub fn check(data: &[u8]) {
    let Some(([name, value], fields)) = lines::split(data) else { return };
    // The configuration lets no other name of a cookie through.
    if name.is_empty() || http::HeaderName::from_bytes(name.as_bytes()).is_err() {
        return;
    }
    let mut header = Fields::default();
    for field in fields.split(|&byte| byte == b'\n') {
        let Ok(field) = HeaderValue::from_bytes(field) else { return };
        header.append(&COOKIE, &field);
    }
    let sent = header.clone();

    cookie::remove(&mut header, name);
    let removed = header.clone();
    assert_eq!(cookie::values(&header, name).count(), 0, "a removed cookie is still found");
    let kept: Vec<&[u8]> = pieces(&sent).into_iter().filter(|piece| !is_named(piece, name)).collect();
    assert_eq!(pieces(&removed), kept, "what is left is not exactly the other cookies");
    if pieces(&sent).len() == kept.len() {
        assert_eq!(written(&removed), written(&sent), "nothing had to be removed");
    }

    cookie::prepend(&mut header, name, value);
    let set = only(cookie::values(&header, name));
    assert_eq!(percent_decoded(set), value.as_bytes(), "the value does not decode to the text");
    let mut expected = vec![[name.as_bytes(), b"=", set].concat()];
    expected.extend(kept.iter().map(|piece| piece.to_vec()));
    assert_eq!(pieces(&header), expected, "the set cookie must come first, and nothing else may change");

    let before_join = pieces(&header).concat();
    cookie::join_fields(&mut header);
    assert_eq!(header.get_all(&COOKIE).count(), 1);
    assert_eq!(pieces(&header).concat(), before_join);
    only(cookie::values(&header, name));
}

fn written(header: &Fields) -> Vec<u8> {
    let mut lines = Vec::new();
    header.write(&mut lines);
    lines
}

/// Everything between what any server takes for the end of a cookie.
fn pieces(header: &Fields) -> Vec<&[u8]> {
    header
        .get_all(&COOKIE)
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
