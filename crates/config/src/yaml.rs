//! YAML 1.2 text as a tree whose every node knows where it stands; JSON is the YAML that it is.
mod builder;
mod json;
mod scalar;
mod surrogates;

use saphyr_parser::{Event, Marker, Parser, ScanError};

use crate::place::{FieldPath, Location, Place};
use crate::reader::Field;
use crate::report::Report;
use builder::Builder;
use json::Stopped;
use surrogates::Shortened;

/// A value and its place in the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub location: Location,
    /// What it is.
    pub value: Value,
}

/// A value of the core schema (YAML 1.2.2 section 10.3).
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Value {
    Null,
    Bool(bool),
    /// The literal as it was written.
    Number(String),
    String(String),
    List(Vec<Node>),
    /// Unique keys in the order in which they were written.
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key begins.
    pub key_location: Location,
    /// Its value.
    pub value: Node,
}

/// How the items of one list of the root are read. Each is read as soon as it is complete, and null takes its
/// place in the tree: the tree of a long list takes some twenty times as much memory as what is read from it.
#[derive(Debug)]
pub(crate) struct Items<T> {
    /// The key of the list.
    pub(crate) list: &'static str,
    pub(crate) read: fn(&Field<'_>, &mut Report) -> Option<T>,
}

/// What a text holds.
pub(crate) struct Parsed<T> {
    pub(crate) root: Node,
    /// What was read from the items, when they were read while the text was parsed; otherwise they stand in
    /// the tree.
    pub(crate) items: Option<Vec<T>>,
}

/// Nesting beyond which a document is refused; the deepest valid configuration has 12 levels.
pub(crate) const MAX_DEPTH: usize = 64;

/// Parses one document; text without one is null. `None` when the text gives no tree at all; a tree may come with problems,
/// as duplicate keys, so that those of its content can be reported together with them.
pub(crate) fn parse<T>(text: &str, items: Option<&Items<T>>, report: &mut Report) -> Option<Parsed<T>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut found = Report::default();
    let tree = match build_json(text, items, &mut found) {
        Err(Stopped::NotJson) => {
            found = Report::default();
            build(text, items, &mut found, |location| location)
        }
        Err(Stopped::Refused((place, message))) => Err(Failure::Refused(place, message)),
        Ok(tree) => Ok(tree),
    };
    let (tree, found) = match tree {
        Ok(tree) => (Some(tree), found),
        // JSON within YAML writes characters beyond U+FFFF as two escapes, which YAML does not know.
        Err(Failure::Scan(error)) if error.info().contains("invalid Unicode character escape") => {
            let shortened = Shortened::new(text);
            let mut found = Report::default();
            match build(shortened.text(), items, &mut found, |location| shortened.original(location)) {
                Ok(tree) => (Some(tree), found),
                Err(failure) => {
                    failure.report(&mut found, |location| shortened.original(location));
                    (None, found)
                }
            }
        }
        Err(failure) => {
            failure.report(&mut found, |location| location);
            (None, found)
        }
    };
    report.append(found);
    tree
}

/// Why there is no tree.
enum Failure {
    Scan(ScanError),
    Refused(Place, String),
}

impl Failure {
    fn report(self, report: &mut Report, original: impl Fn(Location) -> Location) {
        match self {
            Failure::Refused(place, message) => report.error(&place, message),
            Failure::Scan(error) => {
                let place =
                    Place { location: original(location(error.marker())), path: FieldPath::default() };
                let hint = if error.info().contains("unknown anchor") {
                    "; a text that begins with * must be in quotes, as \"*.example.com\""
                } else {
                    ""
                };
                report.error(&place, format!("this is not valid YAML: {}{hint}", error.info()));
            }
        }
    }
}

fn build_json<T>(
    text: &str,
    items: Option<&Items<T>>,
    report: &mut Report,
) -> Result<Parsed<T>, Stopped<(Place, String)>> {
    let mut builder = Builder::new(items);
    let mut tree = None;
    json::read(text, |event, location| {
        tree = builder.add(event, location, report)?;
        Ok(())
    })?;
    let root = tree.ok_or(Stopped::NotJson)?;
    Ok(Parsed { root, items: builder.items_read(report) })
}

fn build<T>(
    text: &str,
    items: Option<&Items<T>>,
    report: &mut Report,
    original: impl Fn(Location) -> Location,
) -> Result<Parsed<T>, Failure> {
    let mut builder = Builder::new(items);
    let mut tree = None;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(Failure::Scan)?;
        let at = original(location(&span.start));
        if tree.is_some() && matches!(event, Event::DocumentStart(_)) {
            let place = Place { location: at, path: FieldPath::default() };
            let message = "a second document begins here; a configuration file holds one document";
            return Err(Failure::Refused(place, message.to_owned()));
        }
        if let Some(root) = builder.add(event, at, report).map_err(|(at, why)| Failure::Refused(at, why))? {
            tree = Some(root);
        }
    }
    let root = tree.unwrap_or(Node { location: Location::START, value: Value::Null });
    Ok(Parsed { root, items: builder.items_read(report) })
}

fn location(marker: &Marker) -> Location {
    Location { line: marker.line(), column: marker.col() + 1 }
}

#[cfg(test)]
mod tests;
