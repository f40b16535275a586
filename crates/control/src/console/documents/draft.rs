//! A document that is being changed, and what it was before.

use claimgate_config::{DocumentKind, UnknownFields};
use claimgate_jose::json::{Object, Value};

use super::{Pages, in_its_case};
use crate::catalog::{Change, Document, Expected};
use crate::console::form::Fields;
use crate::console::pretty::pretty;
use crate::secrets::{Audience, compared, shown};

/// What a document is to become.
#[derive(Debug, Clone)]
pub struct Draft {
    pub kind: DocumentKind,
    /// That of the document that is changed; `None` when one is created.
    pub name: Option<String>,
    /// The version that it is changed from.
    pub version: Option<u64>,
    /// What it is to say.
    pub document: Object,
}

impl Draft {
    /// The beginning of a new document.
    pub fn empty(kind: DocumentKind) -> Self {
        Self { kind, name: None, version: None, document: Object::new() }
    }

    /// A stored document, for who may write.
    pub fn of_document(document: &Document) -> Self {
        Self {
            kind: document.kind,
            name: Some(document.name.clone()),
            version: document.stored().map(|stored| stored.version),
            document: of_document(document),
        }
    }

    /// Of a page that shows one: the fields `version` and `document`.
    pub fn of_fields(kind: DocumentKind, name: Option<String>, fields: &Fields) -> Result<Self, String> {
        let document = match Value::parse(fields.text("document").as_bytes()) {
            Ok(Value::Object(document)) => document,
            Ok(_) => return Err("expected a JSON object".to_owned()),
            Err(error) => return Err(format!("this is no JSON: {error}")),
        };
        Ok(Self { kind, name, version: fields.text("version").parse().ok(), document })
    }

    /// The document's name, old or new.
    pub fn document_name(&self) -> String {
        let given = || self.document.get(Pages::of(self.kind).name.0).and_then(Value::as_str);
        let given = || given().map(|name| in_its_case(self.kind, name));
        self.name.clone().or_else(given).unwrap_or_default()
    }

    /// The version that it is changed from, for a field; empty when there is none.
    pub fn version_text(&self) -> String {
        self.version.map(|version| version.to_string()).unwrap_or_default()
    }

    /// The change that it asks for.
    pub fn change(&self) -> Change {
        Change {
            kind: self.kind,
            name: self.document_name(),
            expected: self.version.map_or(Expected::Absent, Expected::Version),
            document: Some(self.json()),
            unknown_fields: UnknownFields::Refused,
        }
    }

    /// As JSON, for the page that comes next.
    pub fn json(&self) -> String {
        Value::Object(self.document.clone()).to_string()
    }

    /// Whether it brings a private key of a certificate, which no page shows.
    pub fn has_private_key(&self) -> bool {
        let config = self.document.get("certConfig").and_then(Value::as_object);
        config
            .and_then(|config| config.get("privateKey"))
            .and_then(Value::as_str)
            .is_some_and(|key| !key.is_empty())
    }
}

/// A document for those who may write: without the private key of its certificate. Empty when it cannot be
/// read.
pub fn for_editors(kind: DocumentKind, json: &str) -> Object {
    shown(kind, json, Audience::Editor).unwrap_or_default()
}

/// A document without anything secret. Empty when it cannot be read.
pub fn for_viewers(kind: DocumentKind, json: &str) -> Object {
    shown(kind, json, Audience::Viewer).unwrap_or_default()
}

/// Of a stored document.
pub fn of_document(document: &Document) -> Object {
    for_editors(document.kind, &document.json)
}

/// Two versions of a document as texts that people compare.
pub fn texts(kind: DocumentKind, before: Option<&Object>, after: Option<&Object>) -> (String, String) {
    let text =
        |document: Option<Object>| document.map(|document| pretty(&document.into())).unwrap_or_default();
    let (before, after) = compared(kind, before, after);
    (text(before), text(after))
}

/// One document as [`texts`] has it.
pub fn text(kind: DocumentKind, document: &Object) -> String {
    texts(kind, Some(document), None).0
}
