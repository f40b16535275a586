//! Documents from files: one, a list, or whole sections as in a configuration file.

use std::fs;
use std::path::{Path, PathBuf};

use claimgate_config::read_text;
use claimgate_config::reader::Field;
use claimgate_config::report::Report;
use serde_json::Value;

use super::Kind;
use crate::failure::Failure;
use crate::files;

/// A document, and where it was found.
#[derive(Debug)]
pub struct Written {
    pub kind: Kind,
    pub name: String,
    pub document: Value,
    pub file: String,
}

const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// Reads the documents of files and folders; all are of one kind where one is given.
pub fn read(paths: &[PathBuf], kind: Option<Kind>) -> Result<Vec<Written>, Failure> {
    let mut documents = Vec::new();
    for path in paths {
        if path.is_dir() {
            for file in files_of(path)? {
                read_one(&file, kind, &mut documents)?;
            }
        } else {
            read_one(path, kind, &mut documents)?;
        }
    }
    for (position, document) in documents.iter().enumerate() {
        let same = |earlier: &&Written| earlier.kind == document.kind && earlier.name == document.name;
        if let Some(earlier) = documents.iter().take(position).find(same) {
            let (name, first, second) = (&document.name, &earlier.file, &document.file);
            return Err(Failure::Unusable(format!("{name} is in {first} and in {second}; keep one of them")));
        }
    }
    if documents.is_empty() {
        return Err(Failure::unusable("there are no documents in what was named"));
    }
    Ok(documents)
}

fn files_of(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error| Failure::Unusable(format!("{}: {error}", folder.display()));
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if extension.is_some_and(|extension| EXTENSIONS.contains(&extension)) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read_one(path: &Path, kind: Option<Kind>, documents: &mut Vec<Written>) -> Result<(), Failure> {
    let file = files::name_of(path);
    let bytes = files::read(path)?;
    let text =
        String::from_utf8(bytes).map_err(|_| Failure::Unusable(format!("{file}: this is not UTF-8")))?;
    let json = |root: &Field<'_>, report: &mut Report| root.json(report);
    let (value, _) = read_text(&text, Path::new(&file), "a document", json).map_err(Failure::unusable)?;
    let value: Value = serde_json::from_str(&value.to_string())
        .map_err(|error| Failure::Unusable(format!("{file}: {error}")))?;
    for (of, document) in parts(value) {
        // A trigger names its function, as the function does.
        let trigger = kind.filter(|kind| *kind == Kind::Trigger);
        let of = of.or(trigger).or_else(|| kind_of(&document));
        let named = of.and_then(|of| Some((of, name(of, &document)?)));
        let Some((of, name)) = named else {
            let message = "expected documents with domainName or functionName, or the lists customDomains and \
                           functions";
            return Err(Failure::Unusable(format!("{file}: {message}")));
        };
        if kind.is_some_and(|kind| kind != of) {
            let message = format!("{name} is another kind of document; `claimgate apply` takes every kind");
            return Err(Failure::Unusable(format!("{file}: {message}")));
        }
        let document = match (of, document) {
            // A trigger's document names its function beside what is the trigger.
            (Kind::Trigger, Value::Object(mut trigger)) => {
                trigger.remove("functionName");
                Value::Object(trigger)
            }
            (_, document) => document,
        };
        documents.push(Written { kind: of, name, document, file: file.clone() });
    }
    Ok(())
}

/// The documents of a file, with their kind where the file's form tells it.
fn parts(value: Value) -> Vec<(Option<Kind>, Value)> {
    match value {
        Value::Array(items) => items.into_iter().map(|item| (None, item)).collect(),
        Value::Object(mut object)
            if object.contains_key("functions") || object.contains_key("customDomains") =>
        {
            let mut list = |name, kind| match object.remove(name) {
                Some(Value::Array(items)) => items.into_iter().map(|item| (Some(kind), item)).collect(),
                _ => Vec::new(),
            };
            let mut parts = list("functions", Kind::Function);
            parts.extend(list("customDomains", Kind::Domain));
            parts
        }
        other => vec![(None, other)],
    }
}

fn kind_of(document: &Value) -> Option<Kind> {
    let has = |name| document.get(name).is_some();
    match (has("domainName"), has("functionName")) {
        (true, _) => Some(Kind::Domain),
        (false, true) => Some(Kind::Function),
        _ => None,
    }
}

fn name(kind: Kind, document: &Value) -> Option<String> {
    let name = match kind {
        Kind::Domain => document.get("domainName")?.as_str()?.to_ascii_lowercase(),
        Kind::Function | Kind::Trigger => document.get("functionName")?.as_str()?.to_owned(),
    };
    Some(name)
}
