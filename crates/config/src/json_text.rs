//! JSON inside the document: `authInfo` as the API carries it, and key sets on their way to `jose`.
use std::fmt::Write;

use claimgate_jose::json;

use crate::place::Location;
use crate::reader::Field;
use crate::report::Report;
use crate::yaml::{Entry, Node, Value};

/// Parses a string that holds JSON; every node stands where the string does. The error reads on
/// from `expected …,`, and quotes nothing.
pub(crate) fn parse(text: &str, location: Location) -> Result<Node, String> {
    match json::Value::parse(text.as_bytes()) {
        Ok(value) => Ok(located(value, location)),
        Err(why) => Err(format!("found a string that is not valid JSON: {why}")),
    }
}

impl Field<'_> {
    /// The value as JSON; numbers stay as they were written.
    pub fn json(&self, report: &mut Report) -> Option<json::Value> {
        let value = json::Value::parse(print(self.node).as_bytes());
        if value.is_err() {
            report.error(
                &self.place,
                "a number here is none of JSON's, as .inf, 0x10 or 007; write it as a \
                                       string or in plain decimal",
            );
        }
        value.ok()
    }
}

/// Prints a node as JSON. Numbers stay as they were written, so that YAML's own kinds of numbers
/// are refused by whoever parses the text.
pub(crate) fn print(node: &Node) -> String {
    let mut text = String::new();
    print_to(&mut text, node);
    text
}

// The recursion here and below is bounded: both parsers refuse deep nesting.
fn located(value: json::Value, location: Location) -> Node {
    let value = match value {
        json::Value::Null => Value::Null,
        json::Value::Bool(value) => Value::Bool(value),
        json::Value::Number(number) => Value::Number(number.as_str().to_owned()),
        json::Value::String(text) => Value::String(text),
        json::Value::Array(items) => {
            Value::List(items.into_iter().map(|item| located(item, location)).collect())
        }
        json::Value::Object(object) => {
            let entry = |(name, value): (&str, &json::Value)| Entry {
                key: name.to_owned(),
                key_location: location,
                value: located(value.clone(), location),
            };
            Value::Map(object.iter().map(entry).collect())
        }
    };
    Node { location, value }
}

fn print_to(text: &mut String, node: &Node) {
    match &node.value {
        Value::Null => text.push_str("null"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(literal) => text.push_str(literal),
        Value::String(string) => print_string(text, string),
        Value::List(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                print_to(text, item);
            }
            text.push(']');
        }
        Value::Map(entries) => {
            text.push('{');
            for (index, entry) in entries.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                print_string(text, &entry.key);
                text.push(':');
                print_to(text, &entry.value);
            }
            text.push('}');
        }
    }
}

fn print_string(text: &mut String, string: &str) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            _ if character.is_control() => {
                // Control characters all lie below U+0100.
                let _ = write!(text, "\\u{:04x}", u32::from(character));
            }
            _ => text.push(character),
        }
    }
    text.push('"');
}
