//! Members of a document's objects.

use claimgate_jose::json::{Object, Value};

/// A member in any case, as members of `authInfo` are taken.
pub fn member<'a>(object: &'a Object, name: &str) -> Option<&'a Value> {
    object.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// As it is written in the object, or as it is usual.
fn spelling(object: &Object, name: &str) -> String {
    let known = object.iter().map(|(known, _)| known).find(|known| known.eq_ignore_ascii_case(name));
    known.unwrap_or(name).to_owned()
}

/// Sets a member in the spelling that it has; `None` removes it.
pub fn set(object: &mut Object, name: &str, value: Option<Value>) {
    let name = spelling(object, name);
    match value {
        Some(value) => drop(object.insert(name, value)),
        None => drop(object.remove(&name)),
    }
}

/// Sets a text; an empty one removes it.
pub fn set_text(object: &mut Object, name: &str, text: &str) {
    let value = Some(text.trim()).filter(|text| !text.is_empty()).map(|_| Value::from(text));
    set(object, name, value);
}

/// Sets a number; no text removes it. What is no number stays a text, and is told to be one where documents
/// are judged.
pub fn set_number(object: &mut Object, name: &str, text: &str) {
    let number = Value::parse(text.as_bytes()).ok().filter(|value| value.as_number().is_some());
    let text = Some(text).filter(|text| !text.is_empty());
    set(object, name, number.or_else(|| text.map(Value::from)));
}

/// The text of a member; empty when there is none.
pub fn text(object: &Object, name: &str) -> String {
    member(object, name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// An object, which may be in a string as JSON.
pub fn expanded(value: &Value) -> Option<Object> {
    match value {
        Value::Object(object) => Some(object.clone()),
        Value::String(text) => match Value::parse(text.as_bytes()) {
            Ok(Value::Object(object)) => Some(object),
            _ => None,
        },
        _ => None,
    }
}

/// The texts of a list, one a line; also of one text alone.
pub fn lines(object: &Object, name: &str) -> String {
    match member(object, name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n"),
        _ => String::new(),
    }
}

/// A list of the lines of a text; `None` when it has none.
pub fn list(text: &str) -> Option<Value> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let items: Vec<Value> = lines.map(Value::from).collect();
    (!items.is_empty()).then_some(Value::Array(items))
}
