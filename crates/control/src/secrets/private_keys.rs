//! Private keys in places where no key belongs, as in an `authInfo` that has no effect.

use claimgate_jose::json::{Object, Value};

/// RFC 7518, 6.2.2, 6.3.2; RFC 8037, 2; and `priv` of the drafts for further kinds of keys.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "priv"];

/// How deep strings may hold JSON that holds strings that hold JSON.
const DEEPEST_TEXT: usize = 4;

pub(super) fn is_key(object: &Object) -> bool {
    object.get("kty").is_some()
}

/// Whether this is a private member of a key that is not symmetric.
pub(super) fn is_private_member(name: &str) -> bool {
    PRIVATE_MEMBERS.contains(&name)
}

/// A value without the private members of keys in it, and whether it had some. A key is an object with `kty`,
/// wherever it is, in a string as JSON too.
pub(super) fn without_private_members(value: Value) -> (Value, bool) {
    let mut had_some = false;
    let value = remove(value, DEEPEST_TEXT, &mut had_some);
    (value, had_some)
}

/// Whether a value holds a text that looks as if there was a key in it, and cannot be read.
pub(super) fn may_hide_a_key(value: &Value) -> bool {
    hides_a_key(value, DEEPEST_TEXT)
}

fn hides_a_key(value: &Value, texts: usize) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| hides_a_key(item, texts)),
        Value::Object(object) => object.iter().any(|(_, value)| hides_a_key(value, texts)),
        Value::String(text) => is_broken_json(text, texts),
        _ => false,
    }
}

fn is_broken_json(text: &str, texts: usize) -> bool {
    let looks_so =
        text.trim_start().starts_with(['{', '[']) && (text.contains("kty") || text.contains("\\u"));
    looks_so
        && match Value::parse(text.as_bytes()) {
            Ok(value) => texts.checked_sub(1).is_none_or(|deeper| hides_a_key(&value, deeper)),
            Err(_) => true,
        }
}

fn remove(value: Value, texts: usize, had_some: &mut bool) -> Value {
    match value {
        Value::Array(items) => {
            items.into_iter().map(|item| remove(item, texts, had_some)).collect::<Vec<_>>().into()
        }
        Value::Object(object) => of_object(object, texts, had_some).into(),
        Value::String(text) => of_text(text, texts, had_some),
        plain => plain,
    }
}

fn of_object(object: Object, texts: usize, had_some: &mut bool) -> Object {
    let is_key = is_key(&object);
    object.filter_map(|name, value| {
        if is_key && is_private_member(name) {
            *had_some = true;
            return None;
        }
        Some(remove(value, texts, had_some))
    })
}

fn of_text(text: String, texts: usize, had_some: &mut bool) -> Value {
    let Some(deeper) = texts.checked_sub(1) else { return Value::String(text) };
    let mut is_changed = false;
    match Value::parse(text.as_bytes()) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => {
            let value = remove(value, deeper, &mut is_changed);
            *had_some |= is_changed;
            Value::String(if is_changed { value.to_string() } else { text })
        }
        _ => Value::String(text),
    }
}
