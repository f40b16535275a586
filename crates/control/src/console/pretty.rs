//! JSON for people: a member a line.

use claimgate_jose::json::Value;

/// The text of a value, indented by two spaces.
pub fn pretty(value: &Value) -> String {
    let mut text = String::new();
    write(value, 0, &mut text);
    text
}

fn write(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::Array(items) if !items.is_empty() => {
            // Short lists of short things are easier to read in one line.
            let line = value.to_string();
            let is_flat = items.iter().all(|item| !matches!(item, Value::Array(_) | Value::Object(_)));
            if is_flat && line.len() <= 80 {
                text.push_str(&line.replace(",\"", ", \""));
                return;
            }
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                begin_item(index, depth, text);
                write(item, depth + 1, text);
            }
            end(']', depth, text);
        }
        Value::Object(members) if !members.is_empty() => {
            text.push('{');
            for (index, (name, member)) in members.iter().enumerate() {
                begin_item(index, depth, text);
                text.push_str(&Value::from(name).to_string());
                text.push_str(": ");
                write(member, depth + 1, text);
            }
            end('}', depth, text);
        }
        other => text.push_str(&other.to_string()),
    }
}

fn begin_item(index: usize, depth: usize, text: &mut String) {
    if index > 0 {
        text.push(',');
    }
    new_line(depth + 1, text);
}

fn end(bracket: char, depth: usize, text: &mut String) {
    new_line(depth, text);
    text.push(bracket);
}

fn new_line(depth: usize, text: &mut String) {
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_written_reads_as_the_same() {
        for (text, lines) in [
            ("{}", "{}"),
            (r#"{"a":[],"b":{}}"#, "{\n  \"a\": [],\n  \"b\": {}\n}"),
            (r#"["a","b"]"#, r#"["a", "b"]"#),
            (r#"[{"a":1.50}]"#, "[\n  {\n    \"a\": 1.50\n  }\n]"),
        ] {
            let value = Value::parse(text.as_bytes()).unwrap();
            assert_eq!(pretty(&value), lines);
            assert_eq!(Value::parse(pretty(&value).as_bytes()).unwrap(), value);
        }
    }
}
