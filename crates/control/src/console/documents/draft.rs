//! A document that is being changed, and what it was before.

use claimgate_config::{DocumentKind, UnknownFields};
use claimgate_jose::json::{Object, Value};

use super::member::expanded;
use super::{Pages, in_its_case, object};
use crate::catalog::{Change, Document, Expected};
use crate::console::form::Fields;
use crate::console::pretty::pretty;
use crate::secrets::{MASK, shown};

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

/// A document for who may write: without the private key of its certificate.
pub fn for_editors(kind: DocumentKind, json: &str) -> Object {
    object(&shown(kind, json, true))
}

/// Of a stored document.
pub fn of_document(document: &Document) -> Object {
    for_editors(document.kind, &document.json)
}

/// Two documents as texts that people compare: what lies in strings as JSON is written out, and HMAC secrets
/// and the environment of processes are masked, though it is told which are new.
pub fn texts(before: Option<&Object>, after: Option<&Object>) -> (String, String) {
    let mut known = Vec::new();
    let mut text = |document: Option<&Object>, is_after: bool| {
        let Some(document) = document else { return String::new() };
        let mut value = Value::Object(document.clone());
        write_out(&mut value);
        let mut masked = |secret: &mut Value, name: &str| {
            let Value::String(text) = secret else { return };
            let is_new = is_after && !known.contains(&(name.to_owned(), text.clone())) && text != MASK;
            known.push((name.to_owned(), std::mem::take(text)));
            *text = if is_new { format!("{MASK} (new)") } else { MASK.to_owned() };
        };
        mask_keys(&mut value, &mut masked);
        let environment = member_mut(&mut value, "process").and_then(|process| member_mut(process, "env"));
        if let Some(Value::Object(environment)) = environment {
            for_each_member(environment, &mut |name, variable| masked(variable, name));
        }
        pretty(&value)
    };
    let before = text(before, false);
    let after = text(after, true);
    (before, after)
}

/// One document as [`texts`] has it.
pub fn text(document: &Object) -> String {
    texts(Some(document), None).0
}

fn write_out(document: &mut Value) {
    for (outer, details) in [("authConfig", "authInfo"), ("httpTrigger", "authConfig")] {
        let Some(info) = member_mut(document, outer).and_then(|outer| member_mut(outer, details)) else {
            continue;
        };
        let Some(mut object) = expanded(info) else { continue };
        for name in ["jwks", "JWKS"] {
            if let Some(jwks) = object.get_mut(name)
                && let Some(set) = expanded(jwks)
            {
                *jwks = Value::Object(set);
            }
        }
        *info = Value::Object(object);
    }
}

fn member_mut<'a>(value: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    match value {
        Value::Object(object) => object.get_mut(name),
        _ => None,
    }
}

fn mask_keys(value: &mut Value, masked: &mut impl FnMut(&mut Value, &str)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| mask_keys(item, masked)),
        Value::Object(object) => {
            if object.get("kty").and_then(Value::as_str) == Some("oct")
                && let Some(secret) = object.get_mut("k")
            {
                masked(secret, "");
            }
            for_each_member(object, &mut |_, member| mask_keys(member, masked));
        }
        _ => {}
    }
}

fn for_each_member(object: &mut Object, edit: &mut impl FnMut(&str, &mut Value)) {
    let names: Vec<String> = object.iter().map(|(name, _)| name.to_owned()).collect();
    for name in names {
        if let Some(member) = object.get_mut(&name) {
            edit(&name, member);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_new_ones_told() {
        let document = |secret: &str| {
            object(&format!(
                r#"{{"authConfig":{{"authInfo":"{{\"jwks\":{{\"keys\":[{{\"kty\":\"oct\",\"k\":\"{secret}\"}}]}}}}"}}}}"#
            ))
        };
        let (before, after) = texts(Some(&document("one")), Some(&document("one")));
        assert_eq!(before, after);
        assert!(before.contains(r#""k": "***""#), "{before}");
        let (before, after) = texts(Some(&document("one")), Some(&document("two")));
        assert!(!before.contains("one") && !after.contains("two"));
        assert!(after.contains(r#""k": "*** (new)""#), "{after}");
    }

    #[test]
    fn the_environment_is_masked_by_variable() {
        let document =
            |a: &str, b: &str| object(&format!(r#"{{"process":{{"env":{{"A":"{a}","B":"{b}"}}}}}}"#));
        let (before, after) = texts(Some(&document("one", "two")), Some(&document("two", "two")));
        assert!(
            ![&before, &after].iter().any(|text| text.contains("one") || text.contains("two")),
            "{after}"
        );
        assert!(after.contains(r#""A": "*** (new)""#) && after.contains(r#""B": "***""#), "{after}");
    }
}
