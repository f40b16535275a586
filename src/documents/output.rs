//! Documents for people and for programs.

use clap::ValueEnum;
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::Kind;

/// How documents are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A line each
    Table,
    /// As in a configuration file
    Yaml,
    /// As the API gives them
    Json,
}

impl Format {
    /// One document.
    pub fn one(self, kind: Kind, shown: &Value) -> String {
        match self {
            Self::Table => self.several(kind, std::slice::from_ref(shown)),
            Self::Yaml => yaml(&document(kind, shown)),
            Self::Json => json(shown),
        }
    }

    /// Several documents.
    pub fn several(self, kind: Kind, shown: &[Value]) -> String {
        match self {
            Self::Table => table(kind, shown),
            Self::Yaml => yaml(&shown.iter().map(|shown| document(kind, shown)).collect()),
            Self::Json => json(&Value::from(shown.to_vec())),
        }
    }

    /// The versions of a document.
    pub fn history(self, history: &Value) -> String {
        let versions =
            history.get("versions").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        match self {
            Self::Json => json(history),
            Self::Yaml => yaml(&Value::from(versions.to_vec())),
            Self::Table => {
                let line = |version: &Value| {
                    let what = if version.get("document").is_some() { "" } else { "deleted" };
                    [
                        text(version, "version"),
                        text(version, "time"),
                        text(version, "author"),
                        what.to_owned(),
                    ]
                };
                columns(&["VERSION", "TIME", "BY", ""], versions.iter().map(line))
            }
        }
    }
}

/// What the document says, with its name where that stands beside it.
fn document(kind: Kind, shown: &Value) -> Value {
    let mut document = shown.get("document").cloned().unwrap_or_default();
    if let (Kind::Trigger, Some(trigger)) = (kind, document.as_object_mut()) {
        trigger.insert("functionName".to_owned(), Value::from(text(shown, "name")));
    }
    document
}

fn table(kind: Kind, shown: &[Value]) -> String {
    let line = |shown: &Value| {
        let document = shown.get("document").unwrap_or(&Value::Null);
        let [source, changed, by] =
            ["source", "lastModifiedTime", "lastModifiedBy"].map(|name| text(shown, name));
        let (first, second) = match kind {
            Kind::Domain => {
                let protocol = text(document, "protocol");
                let authentication = document.get("authConfig").map(|config| text(config, "authType"));
                let protocol = if protocol.is_empty() { "HTTP".to_owned() } else { protocol };
                (protocol, authentication.filter(|text| !text.is_empty()).unwrap_or("anonymous".to_owned()))
            }
            Kind::Function => {
                let process = document.get("process").map_or(String::new(), |_| "process".to_owned());
                let target = [text(document, "url"), text(document, "builtin"), process];
                let target = target.into_iter().find(|target| !target.is_empty()).unwrap_or_default();
                let trigger = document.get("httpTrigger").filter(|trigger| !trigger.is_null());
                (target, trigger.map_or(String::new(), |trigger| text(trigger, "authType")))
            }
            Kind::Trigger => {
                let methods = document.get("methods").and_then(Value::as_array);
                let methods =
                    methods.into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(",");
                (text(document, "authType"), if methods.is_empty() { "all".to_owned() } else { methods })
            }
        };
        [text(shown, "name"), first, second, source, changed, by]
    };
    let (first, second) = match kind {
        Kind::Domain => ("PROTOCOL", "AUTHENTICATION"),
        Kind::Function => ("TARGET", "TRIGGER"),
        Kind::Trigger => ("AUTHENTICATION", "METHODS"),
    };
    columns(&["NAME", first, second, "SOURCE", "CHANGED", "BY"], shown.iter().map(line))
}

fn columns<const N: usize>(titles: &[&str; N], lines: impl Iterator<Item = [String; N]>) -> String {
    let mut lines: Vec<[String; N]> = lines.collect();
    lines.insert(0, titles.map(str::to_owned));
    let widths: Vec<usize> = (0..N)
        .map(|column| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max())
        .map(Option::unwrap_or_default)
        .collect();
    let mut text = String::new();
    for line in &lines {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn text(value: &Value, name: &str) -> String {
    match value.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

fn json(value: &Value) -> String {
    format!("{value:#}\n")
}

/// A value as YAML, in blocks. Strings are in quotes wherever they could be taken for something else.
pub fn yaml(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value, 0, true);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn write(text: &mut String, value: &Value, depth: usize, begins_line: bool) {
    let indent = |text: &mut String, first: bool| {
        if !(first && begins_line) {
            text.push_str(&" ".repeat(depth * 2));
        }
    };
    match value {
        Value::Object(object) if !object.is_empty() => {
            for (position, (name, value)) in object.iter().enumerate() {
                indent(text, position == 0);
                text.push_str(&scalar(name));
                text.push(':');
                member(text, value, depth);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (position, item) in items.iter().enumerate() {
                indent(text, position == 0);
                text.push_str("- ");
                write(text, item, depth + 1, true);
                if !text.ends_with('\n') {
                    text.push('\n');
                }
            }
        }
        Value::String(string) => text.push_str(&scalar(string)),
        other => text.push_str(&other.to_string()),
    }
}

fn member(text: &mut String, value: &Value, depth: usize) {
    let is_block = match value {
        Value::Object(object) => !object.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    if is_block {
        text.push('\n');
        text.push_str(&" ".repeat((depth + 1) * 2));
        write(text, value, depth + 1, true);
    } else {
        text.push(' ');
        write(text, value, depth + 1, true);
        text.push('\n');
    }
}

/// Without quotes only where no reader of YAML could take it for anything but the string.
fn scalar(string: &str) -> String {
    let is_plain = string.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/')
        && string.chars().all(|c| c.is_ascii_alphanumeric() || "/_-.".contains(c))
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
            .iter()
            .any(|word| string.eq_ignore_ascii_case(word));
    if is_plain { string.to_owned() } else { Value::from(string).to_string() }
}

/// What changed between two texts, line by line.
pub fn difference(before: &str, now: &str) -> String {
    let difference = TextDiff::from_lines(before, now);
    let lines = difference.iter_all_changes().map(|change| {
        let sign = match change.tag() {
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
            ChangeTag::Equal => ' ',
        };
        format!("{sign} {}", change.value())
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::path::Path;

    #[test]
    fn yaml_is_read_back_as_it_was() {
        let value = serde_json::json!({
            "domainName": "*.example.com", "empty": {}, "list": [], "on": "on", "number": "012", "n": 3,
            "text": "two\nlines: #", "routes": [{"path": "/*", "methods": ["GET", "POST"]}, [["a"], {}]],
            "-": "-", "true": true, "nothing": null, "": ""
        });
        let text = yaml(&value);
        let read = claimgate_config::read_text(&text, Path::new("f"), "a document", |root, report| {
            root.json(report)
        });
        let (read, _) = read.unwrap();
        assert_eq!(serde_json::from_str::<Value>(&read.to_string()).unwrap(), value, "{text}");
    }

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let lines = [["a".to_owned(), "bc".to_owned()], ["longer".to_owned(), "d".to_owned()]];
        assert_eq!(columns(&["N", "M"], lines.into_iter()), "N       M\na       bc\nlonger  d\n");
    }
}
