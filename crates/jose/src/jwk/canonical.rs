//! Keys as RFC 7518 wants them written, made of what issuers publish: the same number in other clothes.
use super::members::Fault;
use crate::base64url;
use crate::json::{Object, Value};
use crate::{Curve, KeyType};

/// A key without members that are absent in all but name, and with its numbers in the one spelling that they have;
/// and what was written otherwise.
///
/// Serializers of .NET and Java write `null`, `""` and `[]` for what is not there. Others keep the zero byte before
/// a modulus whose first bit is set (RFC 7518, 6.3.1.1 warns of them), lose one before a coordinate, pad with `=`, or
/// write RSA numbers in the alphabet of plain base64.
pub(crate) fn canonical(key: &Object) -> (Object, Vec<Fault>) {
    let mut canonical = Object::new();
    let mut notes = Vec::new();
    let curve = key.get("crv").and_then(Value::as_str).and_then(Curve::from_name);
    // A coordinate of an Edwards curve is not an integer, so it has no leading zeros to restore.
    let length = curve.filter(|curve| curve.key_type() == KeyType::Ec).map(Curve::coordinate_bytes);
    for (name, value) in key.iter().filter(|(_, value)| !is_absent(value)) {
        let number = NUMBERS.iter().find(|number| number.name == name);
        let written = number.and_then(|number| Some((number, value.as_str()?)));
        match written.and_then(|(number, text)| Some((number, text, number.spelled(text, length)?))) {
            Some((number, text, spelled)) if spelled != text => {
                notes.push(Fault::of(number.name, number.note()));
                canonical.insert(name, spelled);
            }
            _ => {
                canonical.insert(name, value.clone());
            }
        }
    }
    (canonical, notes)
}

/// Whether a member counts as absent.
pub(crate) fn is_absent(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

/// A member in base64url.
struct Number {
    name: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// An integer in the fewest bytes (RFC 7518, section 2, Base64urlUInt).
    Integer,
    /// A coordinate, whose length the curve fixes.
    Coordinate,
    /// Bytes of any length.
    Bytes,
}

const NUMBERS: [Number; 5] = [
    Number { name: "n", kind: Kind::Integer },
    Number { name: "e", kind: Kind::Integer },
    Number { name: "x", kind: Kind::Coordinate },
    Number { name: "y", kind: Kind::Coordinate },
    Number { name: "k", kind: Kind::Bytes },
];

impl Number {
    /// The number in its canonical spelling; `None` when the text is not a number.
    fn spelled(&self, text: &str, length: Option<usize>) -> Option<String> {
        let padding = text.len() - text.trim_end_matches('=').len();
        // As many as make the length a multiple of four.
        if padding > 0 && (padding > 2 || !text.len().is_multiple_of(4)) {
            return None;
        }
        let mut unpadded = text.trim_end_matches('=').to_owned();
        if self.kind == Kind::Integer {
            unpadded = unpadded.replace('+', "-").replace('/', "_");
        }
        let bytes = base64url::decode(unpadded.as_bytes()).ok()?;
        let significant = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
        let bytes = match (self.kind, length) {
            (Kind::Integer, _) => bytes.get(significant..)?.to_vec(),
            // One byte short or long.
            (Kind::Coordinate, Some(length)) if bytes.len() == length + 1 && significant > 0 => {
                bytes.get(1..)?.to_vec()
            }
            (Kind::Coordinate, Some(length)) if bytes.len() + 1 == length => {
                [&[0], bytes.as_slice()].concat()
            }
            (Kind::Coordinate | Kind::Bytes, _) => bytes,
        };
        Some(base64url::encode(&bytes))
    }

    fn note(&self) -> String {
        let right = match self.kind {
            Kind::Integer => "base64url without padding, in the fewest bytes",
            Kind::Coordinate => "base64url without padding, in as many bytes as the curve has",
            Kind::Bytes => "base64url without padding",
        };
        format!("`{}` is not canonical and was converted; RFC 7518 requires {right}", self.name)
    }
}
