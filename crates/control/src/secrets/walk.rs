//! A document walked along its shape: what is not listed as shown is passed to a function that decides about it.

use claimgate_jose::json::{Object as Members, Value};

use super::fields::{Object, Shape};
use super::private_keys::{is_key, is_private_member};
use super::{MASK, Secrecy};

/// Decides what becomes of secret values.
pub(super) trait Decide {
    /// What a value becomes; `None` removes it.
    fn secret(&mut self, place: &Place, secrecy: Secrecy, value: Value) -> Option<Value>;

    /// What becomes of a text that holds more than certificates.
    fn not_only_certificates(&mut self, text: String) -> Option<Value> {
        Some(Value::String(text))
    }

    /// Whether objects that are in strings as JSON are written out.
    fn writes_out(&self) -> bool {
        false
    }
}

/// Where a value is.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    /// As problems name it: `authConfig.authInfo.jwks.keys[0].d`.
    pub field: String,
    /// The same for the same value in another version of the document: keys by their `kid`, names that are
    /// taken in any case in lower case.
    pub identity: String,
    /// The name of the member that it is.
    pub name: String,
}

/// Walks a document.
pub(super) fn walk(shape: &Object, document: Members, decide: &mut dyn Decide) -> Members {
    Walk { decide }.members(shape, document, &Place::default())
}

struct Walk<'a> {
    decide: &'a mut dyn Decide,
}

impl Walk<'_> {
    fn members(&mut self, shape: &Object, object: Members, place: &Place) -> Members {
        let is_key = is_key(&object);
        object.filter_map(|name, value| {
            let place = place.member(name, shape.any_case);
            match shape.member(name) {
                Some(shape_of_member) => self.value(shape_of_member, shape.others, value, &place),
                None if is_key && is_private_member(name) => self.secret(&place, Secrecy::NotStored, value),
                None => self.secret(&place, shape.others, value),
            }
        })
    }

    /// `others` is who may see what has not the form that is listed for it.
    fn value(&mut self, shape: &Shape, others: Secrecy, value: Value, place: &Place) -> Option<Value> {
        match (shape, value) {
            (Shape::Secret(secrecy), value) => self.secret(place, *secrecy, value),
            // It may stand for a value that has not the form that is listed.
            (_, value) if value.as_str() == Some(MASK) => self.secret(place, Secrecy::ForEditors, value),
            // The original prints fields that are not set like this.
            (_, value) if is_nothing(&value) => Some(value),
            (Shape::Plain, value) if is_plain(&value) => Some(value),
            (Shape::Certificates, Value::String(text)) => match certificates_of(&text) {
                Some(only) if only == text.trim() => Some(Value::String(text)),
                _ => self.decide.not_only_certificates(text),
            },
            (Shape::Object(shape) | Shape::Json(shape), Value::Object(object)) => {
                Some(self.members(shape, object, place).into())
            }
            (Shape::Variables, Value::Object(variables)) => {
                let variables = variables.filter_map(|name, value| {
                    self.secret(&place.member(name, false), Secrecy::Variable, value)
                });
                Some(variables.into())
            }
            (Shape::Json(shape), Value::String(text)) => self.text(shape, text, place),
            (Shape::ListOrText(_), value @ Value::String(_)) if is_plain(&value) => Some(value),
            (Shape::List(shape) | Shape::ListOrText(shape), Value::Array(items)) => {
                let place_of = |index: usize| place.item(index, &index.to_string());
                Some(self.items(shape, items, &place_of))
            }
            (Shape::Keys(shape), Value::Array(keys)) => {
                let identities = identities(&keys);
                let place_of = |index: usize| {
                    place.item(index, identities.get(index).map(String::as_str).unwrap_or_default())
                };
                Some(self.items(shape, keys, &place_of))
            }
            (Shape::Object(shape) | Shape::List(shape) | Shape::ListOrText(shape), value)
            | (Shape::Keys(shape) | Shape::Json(shape), value) => self.misplaced(shape, value, place),
            (Shape::Plain | Shape::Certificates | Shape::Variables, value) => {
                self.secret(place, others, value)
            }
        }
    }

    fn items(&mut self, shape: &Object, items: Vec<Value>, place_of: &dyn Fn(usize) -> Place) -> Value {
        let items = items.into_iter().enumerate().filter_map(|(index, item)| {
            let place = place_of(index);
            match item {
                Value::Object(item) => Some(self.members(shape, item, &place).into()),
                other => self.misplaced(shape, other, &place),
            }
        });
        Value::Array(items.collect())
    }

    /// What is where an object or a list was meant. A text there could be any key.
    fn misplaced(&mut self, shape: &Object, value: Value, place: &Place) -> Option<Value> {
        let secrecy = match (shape.others, &value) {
            (Secrecy::ForEditors, Value::String(_)) => Secrecy::Unreadable,
            (secrecy, _) => secrecy,
        };
        self.secret(place, secrecy, value)
    }

    /// An object in a string. The string is written anew only where something in it has changed.
    fn text(&mut self, shape: &Object, text: String, place: &Place) -> Option<Value> {
        let Ok(Value::Object(object)) = Value::parse(text.as_bytes()) else {
            return self.secret(place, Secrecy::Unreadable, Value::String(text));
        };
        let walked = self.members(shape, object.clone(), place);
        Some(match walked == object {
            _ if self.decide.writes_out() => walked.into(),
            true => Value::String(text),
            false => Value::String(walked.to_string()),
        })
    }

    fn secret(&mut self, place: &Place, secrecy: Secrecy, value: Value) -> Option<Value> {
        if value == Value::Null { Some(value) } else { self.decide.secret(place, secrecy, value) }
    }
}

impl Place {
    fn member(&self, name: &str, any_case: bool) -> Self {
        let separator = if self.field.is_empty() { "" } else { "." };
        let identity = if any_case { name.to_ascii_lowercase() } else { name.to_owned() };
        Self {
            field: format!("{}{separator}{name}", self.field),
            // Names may hold any character, so that only this way no two places have one identity.
            identity: format!("{}{}", self.identity, Value::from(identity)),
            name: name.to_owned(),
        }
    }

    fn item(&self, index: usize, identity: &str) -> Self {
        Self {
            field: format!("{}[{index}]", self.field),
            identity: format!("{}[{identity}]", self.identity),
            name: self.name.clone(),
        }
    }
}

/// By what keys are known in another version of a set: their `kid`, and where several have the same, their
/// order among these, as long as there are as many.
fn identities(keys: &[Value]) -> Vec<String> {
    let kid = |key: &Value| key.as_object().and_then(|key| key.get("kid")).map(Value::to_string);
    let kids: Vec<Option<String>> = keys.iter().map(kid).collect();
    let mut counts = std::collections::HashMap::<_, usize>::new();
    for kid in &kids {
        *counts.entry(kid).or_default() += 1;
    }
    let mut seen = std::collections::HashMap::<_, usize>::new();
    let identity = |kid: &Option<String>| {
        let position = seen.entry(kid.clone()).or_default();
        *position += 1;
        let count = counts.get(kid).copied().unwrap_or_default();
        format!("{} {position}/{count}", kid.as_deref().unwrap_or_default())
    };
    kids.iter().map(identity).collect()
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

/// A scalar, or a list of scalars. A text that holds an object is not one: it is in the wrong place, and could be a
/// key.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(is_scalar),
        value => is_scalar(value),
    }
}

fn is_scalar(value: &Value) -> bool {
    match value {
        Value::Array(_) | Value::Object(_) => false,
        Value::String(text) => !text.trim_start().starts_with(['{', '\u{feff}']),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// The certificates of a PEM text (RFC 7468, 5), each in its lines; `None` without any.
pub(super) fn certificates_of(text: &str) -> Option<String> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/= \t\r\n".contains(&byte);
    let mut certificates = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(BEGIN) {
        let Some((content, next)) = after.split_once(END) else { break };
        if content.bytes().all(is_base64) {
            certificates.push(format!("{BEGIN}{content}{END}"));
            rest = next;
        } else {
            // What begins here does not end here.
            rest = after;
        }
    }
    (!certificates.is_empty()).then(|| certificates.join("\n"))
}
