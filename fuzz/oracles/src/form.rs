//! A removed form parameter is found by no reader, a set one exactly once, and the others keep their
//! bytes.
//!
//! Input: the name, the value to set and the `Content-Type`, a line each, then the body.

mod multipart;
mod urlencoded;

use bytes::Bytes;
use claimgate_functions::Fields;
use claimgate_gateway::parameters::form::{Form, FormKind};
use http::HeaderValue;
use http::header::CONTENT_TYPE;

use crate::lenient::reads_as;
use crate::lines;

/// Checks one input.
pub fn check(data: &[u8]) {
    let Some(([name, value, content_type], sent)) = lines::split(data) else { return };
    // The configuration lets no other name of a form parameter through.
    if name.is_empty() || name.trim() != name || name.contains(char::is_control) {
        return;
    }
    let Ok(field) = HeaderValue::from_str(content_type) else { return };
    let mut header = Fields::default();
    header.append(&CONTENT_TYPE, &field);
    let Ok(Some(kind)) = FormKind::of(&header) else { return };
    let parse = |body: &[u8]| Form::parse(&kind, Bytes::copy_from_slice(body));
    let Ok(mut form) = parse(sent) else { return };
    let reader = Reader::new(content_type, &kind);
    let is_named = |piece: &Vec<u8>| reader.names(piece).iter().any(|found| reads_as(found, name));

    let found = form.remove(name);
    assert_eq!(form.values(name), [[0; 0]; 0], "a removed parameter is still found");
    let removed = form.into_body();
    let mut pieces = reader.pieces(sent);
    let before = pieces.len();
    pieces.retain(|piece| !is_named(piece));
    assert_eq!(reader.pieces(&removed), pieces, "what is left is not exactly the other parameters");
    assert_eq!(found, pieces.len() < before, "it is not told whether something was removed");
    if !found {
        assert_eq!(removed, sent, "nothing had to be removed");
    }

    let mut form = parse(&removed).expect("what is left is a form still");
    if !form.append(name, value) {
        assert!(!reader.can_carry(name, value), "the form can carry this parameter");
        assert_eq!(form.into_body(), removed);
        return;
    }
    assert_eq!(form.values(name), [value.as_bytes()], "the parameter has not exactly the set value");
    let set = form.into_body();
    // Quotes in a name are escaped, which is undone by readers only.
    let read = parse(&set).expect("it is a form still").values(name);
    assert!(read == [value.as_bytes()] || name.contains('"'), "read again it has another value");
    let mut pieces_of_set = reader.pieces(&set);
    let added = pieces_of_set.pop().expect("the parameter is there");
    assert_eq!(pieces_of_set, pieces, "setting a parameter changed others");
    assert_eq!(reader.value(&added), value.as_bytes());
    assert!(reader.names(&added).contains(&reader.escaped(name)), "the parameter has another name");
}

/// A reader that forgives much.
enum Reader {
    Urlencoded,
    Multipart { delimiter: Vec<u8> },
}

impl Reader {
    fn new(content_type: &str, kind: &FormKind) -> Self {
        match kind {
            FormKind::Urlencoded => Self::Urlencoded,
            FormKind::Multipart(_) => {
                Self::Multipart { delimiter: format!("--{}", multipart::boundary(content_type)).into() }
            }
        }
    }

    /// The parameters as they were written.
    fn pieces(&self, body: &[u8]) -> Vec<Vec<u8>> {
        match self {
            Self::Urlencoded => urlencoded::pieces(body),
            Self::Multipart { delimiter } => multipart::parts(body, delimiter),
        }
    }

    /// What different readers take for the name of a parameter.
    fn names(&self, piece: &[u8]) -> Vec<Vec<u8>> {
        match self {
            Self::Urlencoded => vec![urlencoded::name(piece)],
            Self::Multipart { .. } => multipart::names(piece),
        }
    }

    /// A name as it stands between quotes in HTML's multipart forms, whose readers do not all undo this.
    fn escaped(&self, name: &str) -> Vec<u8> {
        match self {
            Self::Urlencoded => name.into(),
            Self::Multipart { .. } => name.replace('"', "%22").into(),
        }
    }

    fn value(&self, piece: &[u8]) -> Vec<u8> {
        match self {
            Self::Urlencoded => urlencoded::value(piece),
            Self::Multipart { .. } => multipart::content(piece).to_vec(),
        }
    }

    fn can_carry(&self, name: &str, value: &str) -> bool {
        let Self::Multipart { delimiter } = self else { return true };
        let holds = |text: &str, part: &[u8]| multipart::split(text.as_bytes(), part).len() > 1;
        let unclear = |name: &str| ["\\", "=?", "name"].iter().any(|part| name.to_lowercase().contains(part));
        !holds(name, delimiter) && !holds(value, delimiter) && !unclear(name)
    }
}
