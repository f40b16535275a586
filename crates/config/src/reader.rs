//! Reads fields of the tree, and says what is wrong with one without stopping at it.
use std::collections::HashMap;
use std::ops::RangeInclusive;

use crate::place::{Place, Written, quoted};
use crate::report::Report;
use crate::suggest::did_you_mean;
use crate::yaml::{Entry, Node, Value};

/// A value of a document that is about to be read.
#[derive(Debug, Clone)]
pub struct Field<'a> {
    /// What was written.
    pub node: &'a Node,
    /// Where it was written.
    pub place: Place,
}

impl<'a> Field<'a> {
    /// The text of a string; `right` says what would be right, as `a domain name`.
    pub fn text(&self, right: &str, report: &mut Report) -> Option<Written<&'a str>> {
        match &self.node.value {
            Value::String(text) => Some(Written { value: text, place: self.place.clone() }),
            Value::Number(_) | Value::Bool(_) => {
                let found = self.found();
                report.error(
                    &self.place,
                    format!("expected {right}, found {found}; put it in quotes if it is meant as a string"),
                );
                None
            }
            _ => self.wrong_type(right, report),
        }
    }

    /// The text of a string that may be a secret, or stand where one was meant: what was found is
    /// not told.
    pub fn secret(&self, right: &str, report: &mut Report) -> Option<Written<&'a str>> {
        if let Value::String(text) = &self.node.value {
            return Some(Written { value: text, place: self.place.clone() });
        }
        report.error(&self.place, format!("expected {right}, as a string"));
        None
    }

    /// `true` or `false`.
    pub fn boolean(&self, report: &mut Report) -> Option<bool> {
        match self.node.value {
            Value::Bool(value) => Some(value),
            _ => self.wrong_type("true or false", report),
        }
    }

    /// A whole number in a range; `unit` is empty or begins with a space, as ` seconds`.
    pub fn integer(&self, range: RangeInclusive<u64>, unit: &str, report: &mut Report) -> Option<u64> {
        let right = || format!("a whole number from {} to {}{unit}", range.start(), range.end());
        let Value::Number(literal) = &self.node.value else {
            return self.wrong_type(&right(), report);
        };
        match literal.parse::<u64>() {
            Ok(number) if range.contains(&number) => Some(number),
            _ => {
                report.error(&self.place, format!("expected {}, found {}", right(), self.found()));
                None
            }
        }
    }

    /// The items of a list.
    pub fn list(&self, right: &str, report: &mut Report) -> Option<Vec<Field<'a>>> {
        let Value::List(items) = &self.node.value else {
            return self.wrong_structure(right, report);
        };
        let item =
            |(index, node): (usize, &'a Node)| Field { node, place: self.place.item(index, node.location) };
        Some(items.iter().enumerate().map(item).collect())
    }

    /// The strings of a list; items of another type are reported and left out.
    pub fn texts(&self, right: &str, item: &str, report: &mut Report) -> Option<Vec<Written<&'a str>>> {
        let items = self.list(right, report)?;
        Some(items.iter().filter_map(|field| field.text(item, report)).collect())
    }

    /// An object; `right` says what would be right.
    pub fn object(&self, right: &str, report: &mut Report) -> Option<Object<'a>> {
        let Value::Map(entries) = &self.node.value else {
            return self.wrong_structure(right, report);
        };
        Some(Object { place: self.place.clone(), entries, known: Vec::new(), any_case: false })
    }

    /// Whether nothing is in it: null, false, an empty string, list or object, or an object whose
    /// members are all so. The original prints fields that are not set like this.
    pub(crate) fn is_empty(&self) -> bool {
        is_empty(self.node)
    }

    /// Reports a value of the wrong type.
    pub fn wrong_type<T>(&self, right: &str, report: &mut Report) -> Option<T> {
        report.error(&self.place, format!("expected {right}, found {}", self.found()));
        None
    }

    /// As [`wrong_type`](Self::wrong_type) where several values were expected. Some of them may be secrets, so
    /// what a string holds instead is not quoted.
    fn wrong_structure<T>(&self, right: &str, report: &mut Report) -> Option<T> {
        let found = match &self.node.value {
            Value::String(_) => "a string".to_owned(),
            Value::Number(_) => "a number".to_owned(),
            _ => self.found(),
        };
        report.error(&self.place, format!("expected {right}, found {found}"));
        None
    }

    /// What was found, for a message.
    fn found(&self) -> String {
        match &self.node.value {
            Value::Null => "null".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Number(literal) => format!("the number {}", quoted(literal).trim_matches('"')),
            Value::String(text) => format!("the string {}", quoted(text)),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "an object".to_owned(),
        }
    }
}

/// An object whose fields are taken one by one; those that nobody takes are unknown.
#[derive(Debug)]
pub struct Object<'a> {
    /// Where it was written.
    pub place: Place,
    entries: &'a [Entry],
    known: Vec<&'static str>,
    any_case: bool,
}

impl<'a> Object<'a> {
    /// Takes names in any case from now on, as the original does in `authInfo`; two spellings of one
    /// name are reported.
    pub(crate) fn in_any_case(mut self, report: &mut Report) -> Object<'a> {
        self.any_case = true;
        let mut spellings: HashMap<String, &Entry> = HashMap::new();
        for entry in self.entries {
            let Some(first) = spellings.insert(entry.key.to_ascii_lowercase(), entry) else {
                continue;
            };
            let message =
                format!("the same field as {} {}; keep one of them", quoted(&first.key), first.key_location);
            report.error(&self.place.member(&entry.key, entry.key_location), message);
        }
        self
    }

    /// A field; null counts as left out.
    pub fn field(&mut self, name: &'static str) -> Option<Field<'a>> {
        self.written(name).filter(|field| field.node.value != Value::Null)
    }

    /// A field, null included.
    pub fn written(&mut self, name: &'static str) -> Option<Field<'a>> {
        self.known.push(name);
        let entry = self.entries.iter().find(|entry| self.is_named(entry, name))?;
        let place = self.place.member(&entry.key, entry.value.location);
        Some(Field { node: &entry.value, place })
    }

    /// A field that must be there; `right` says what would be right, as `a domain name`.
    pub fn required(&mut self, name: &'static str, right: &str, report: &mut Report) -> Option<Field<'a>> {
        let field = self.field(name);
        if field.is_none() {
            report.error(&self.place, format!("the field {name} is missing; expected {right}"));
        }
        field
    }

    /// A field of the original's that claimgate does not serve; harmless when nothing is in it.
    pub(crate) fn not_supported_unless_empty(&mut self, name: &'static str, report: &mut Report) {
        if let Some(field) = self.field(name).filter(|field| !field.is_empty()) {
            report.error(&field.place, format!("{name} is not supported by this version of claimgate"));
        }
    }

    /// The fields that nobody took, where their names are the author's.
    pub fn rest(self) -> impl Iterator<Item = (&'a str, Field<'a>)> {
        let Object { place, entries, known, any_case } = self;
        let is_taken = move |entry: &&Entry| known.iter().any(|name| names(entry, name, any_case));
        entries.iter().filter(move |entry| !is_taken(entry)).map(move |entry| {
            let place = place.member(&entry.key, entry.value.location);
            (entry.key.as_str(), Field { node: &entry.value, place })
        })
    }

    /// Reports the fields that nobody took.
    pub fn finish(self, report: &mut Report) {
        report.note_fields(&self.place.path, &self.known);
        self.finish_with(|place, suggestion| report.unknown_field(place, suggestion));
    }

    /// Reports the fields that nobody took as errors, whatever the report does with them.
    pub(crate) fn finish_strictly(self, report: &mut Report) {
        report.note_fields(&self.place.path, &self.known);
        self.finish_with(|place, suggestion| report.error(place, format!("unknown field{suggestion}")));
    }

    fn finish_with(self, mut unknown: impl FnMut(&Place, &str)) {
        for entry in self.entries {
            if self.known.iter().any(|name| self.is_named(entry, name)) {
                continue;
            }
            let place = self.place.member(&entry.key, entry.key_location);
            unknown(&place, &did_you_mean(&entry.key, self.known.iter().copied()));
        }
    }

    fn is_named(&self, entry: &Entry, name: &str) -> bool {
        names(entry, name, self.any_case)
    }
}

fn names(entry: &Entry, name: &str, any_case: bool) -> bool {
    entry.key == name || any_case && entry.key.eq_ignore_ascii_case(name)
}

fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) | Value::Number(_) => false,
        Value::String(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Map(entries) => entries.iter().all(|entry| is_empty(&entry.value)),
    }
}
