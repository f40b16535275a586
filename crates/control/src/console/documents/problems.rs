//! What is wrong with a document, beside the field of the form that it is about.

use std::fmt::{Display, Write as _};

use askama::filters::{Html, escape};
use claimgate_config::{DocumentKind, DocumentProblem, Problem};

use super::Draft;
use crate::console::{domains, functions};

/// The problems of a form, each with the field that it stands at; the empty one is the form itself.
#[derive(Debug, Default)]
pub struct Problems(Vec<(String, String)>);

impl Problems {
    /// Of what the catalog says.
    pub fn of(problems: &[DocumentProblem], draft: &Draft) -> Self {
        let name = draft.document_name();
        let place = |found: &DocumentProblem| {
            let Problem { field, message, .. } = &found.problem;
            if (found.kind == draft.kind && found.name == name) || name.is_empty() {
                let place = match draft.kind {
                    DocumentKind::CustomDomain => domains::field_of(field, message),
                    DocumentKind::Function => functions::field_of(field, message, &draft.document),
                };
                return (place, in_words(field, message));
            }
            // Another document, which this one does not go together with.
            (String::new(), format!("{}: {message}", found.name))
        };
        Self(problems.iter().map(place).collect())
    }

    /// One problem of one field.
    pub fn one(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self(vec![(field.into(), message.into())])
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds the attributes of a field that is wrong; `hint` is the id of its hint, if it has one.
    pub fn attributes(&self, field: &str, hint: impl AsRef<str>) -> String {
        let hint = hint.as_ref();
        let is_wrong = self.messages(field).next().is_some();
        let mut attributes = String::new();
        if is_wrong {
            let _ = write!(attributes, " aria-invalid=\"true\" aria-describedby=\"{field}-wrong {hint}\"");
        } else if !hint.is_empty() {
            let _ = write!(attributes, " aria-describedby=\"{hint}\"");
        }
        attributes
    }

    /// What stands beside a field, as HTML.
    pub fn beside(&self, field: &str) -> String {
        let mut html = String::new();
        for message in self.messages(field) {
            let message = escape(message, Html).map(|message| message.to_string()).unwrap_or_default();
            let _ = write!(html, "<p class=\"wrong\">{message}</p>");
        }
        if html.is_empty() { html } else { format!("<div id=\"{field}-wrong\">{html}</div>") }
    }

    /// [`attributes`](Self::attributes) of a field in a row, and an id for a link to it.
    pub fn row_attributes(&self, column: &str, row: impl Display) -> String {
        let field = format!("{column}-{row}");
        let attributes = self.attributes(&field, "");
        if attributes.is_empty() { attributes } else { format!(" id=\"{field}\"{attributes}") }
    }

    /// [`beside`](Self::beside) a field in a row.
    pub fn row_beside(&self, column: &str, row: impl Display) -> String {
        self.beside(&format!("{column}-{row}"))
    }

    /// Whether something is wrong with one of these.
    pub fn are_at(&self, fields: &[&str]) -> bool {
        self.0.iter().any(|(known, _)| fields.contains(&known.as_str()))
    }

    /// Those that stand at no field.
    pub fn general(&self) -> impl Iterator<Item = &str> {
        self.messages("")
    }

    /// Those that stand at a field, each with the field's id.
    pub fn at_fields(&self) -> impl Iterator<Item = &(String, String)> {
        self.0.iter().filter(|(field, _)| !field.is_empty())
    }

    fn messages<'a>(&'a self, field: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == field).map(|(_, message)| message.as_str())
    }
}

/// The form's field for the path of a field in an object with `authType`, and the details of `jwt` in the member
/// of that name: all in lower case.
pub fn authentication_field(path: &str, details: &str, message: &str) -> Option<String> {
    if path == "authtype" {
        return Some("auth-type".to_owned());
    }
    let Some(path) = path.strip_prefix(details) else {
        // What is missing is told at what it is missing in.
        return message.contains("jwks").then(|| "jwks".to_owned());
    };
    let path = path.trim_start_matches('.');
    if let Some(rest) = path.strip_prefix("tokenlookup") {
        let columns = [("readposition", "position"), ("prefix", "prefix"), ("", "name")];
        // Of a list in one line only the message tells which part of an entry it is.
        let rest = if rest.is_empty() && message.contains("prefix") { "prefix" } else { rest };
        return Some(row("token", rest, message, &columns));
    }
    if let Some(rest) = path.strip_prefix("claimpassby") {
        let columns = [("mappingparameterposition", "position"), ("claimname", "claim"), ("", "parameter")];
        return Some(row("claim", rest, message, &columns));
    }
    let fields = [
        ("jwksuri", "jwks-uri"),
        ("jwks", "jwks"),
        ("issuers", "issuers"),
        ("audiences", "audiences"),
        ("leewayseconds", "leeway"),
        ("whitelist", "paths"),
        ("blacklist", "paths"),
    ];
    if let Some((_, field)) = fields.iter().find(|(prefix, _)| path.starts_with(prefix)) {
        return Some((*field).to_owned());
    }
    match () {
        () if message.contains("field tokenLookup is missing") => Some("token-name-0".to_owned()),
        () if message.contains("jwks") => Some("jwks".to_owned()),
        () => None,
    }
}

/// A field in a row: `[2].path`, or `entry 3: …` where a list is written in one line.
pub fn row(list: &str, rest: &str, message: &str, columns: &[(&str, &str)]) -> String {
    let of_entry =
        || message.strip_prefix("entry ")?.split(':').next()?.parse::<usize>().ok()?.checked_sub(1);
    let of_item = || rest.strip_prefix('[')?.split(']').next()?.parse::<usize>().ok();
    let index = of_item().or_else(of_entry).unwrap_or(0);
    let column = columns.iter().find(|(member, _)| rest.contains(member)).map_or("", |(_, column)| column);
    format!("{list}-{column}-{index}")
}

/// What stands beside a field needs its path no more, unless it lies deeper.
fn in_words(path: &str, message: &str) -> String {
    match path.find(".keys[").and_then(|at| path.get(at + 1..)) {
        Some(key) => format!("{key}: {message}"),
        None => message.to_owned(),
    }
}
