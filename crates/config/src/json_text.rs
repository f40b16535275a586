//! JSON inside the document: `authInfo` as the API carries it, and key sets on their way to `jose`. And the
//! document as JSON, as it is stored and shown.
use std::convert::Infallible;
use std::fmt::Write;

use claimgate_jose::json;

use crate::place::Location;
use crate::reader::Field;
use crate::report::Report;
use crate::yaml::{self, Entry, Items, Node, Value};

/// What a document in JSON or YAML says, by the reader that judges documents; `None` when it is not one
/// value, or repeats a key.
pub fn document_value(text: &str) -> Option<json::Value> {
    let mut report = Report::default();
    let parsed = yaml::parse(text, None::<&Items<Infallible>>, &mut report)?;
    if report.has_errors() {
        return None;
    }
    json::Value::parse(print_document(&parsed.root).as_bytes()).ok()
}

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
    print_to(&mut text, node, &|text, literal| text.push_str(literal));
    text
}

/// Prints a document as JSON that every reader of JSON accepts: whole numbers that only YAML knows, as 007,
/// are written in plain decimal, and other numbers of YAML as strings.
pub(crate) fn print_document(node: &Node) -> String {
    let mut text = String::new();
    print_to(&mut text, node, &|text, literal| match literal.parse::<u64>() {
        _ if json::Value::parse(literal.as_bytes()).is_ok() => text.push_str(literal),
        Ok(number) => {
            // Writing to a string cannot fail.
            let _ = write!(text, "{number}");
        }
        Err(_) => print_string(text, literal),
    });
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

fn print_to(text: &mut String, node: &Node, number: &impl Fn(&mut String, &str)) {
    match &node.value {
        Value::Null => text.push_str("null"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(literal) => number(text, literal),
        Value::String(string) => print_string(text, string),
        Value::List(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                print_to(text, item, number);
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
                print_to(text, &entry.value, number);
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
