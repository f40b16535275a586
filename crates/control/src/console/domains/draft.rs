//! A document that is being changed, and what it was before.

use claimgate_config::{DocumentKind, UnknownFields};
use claimgate_jose::json::{Object, Value};

use super::form::expanded;
use crate::catalog::{Change, Document, Expected};
use crate::console::form::Fields;
use crate::console::pretty::pretty;
use crate::secrets::{MASK, shown};

const KIND: DocumentKind = DocumentKind::CustomDomain;

/// What a domain is to become.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The domain that is changed; `None` when one is created.
    pub name: Option<String>,
    /// The version that it is changed from.
    pub version: Option<u64>,
    /// What it is to say.
    pub document: Object,
}

impl Draft {
    /// Of a page that shows one: the fields `version` and `document`.
    pub fn of_fields(name: Option<String>, fields: &Fields) -> Result<Self, String> {
        let document = match Value::parse(fields.text("document").as_bytes()) {
            Ok(Value::Object(document)) => document,
            Ok(_) => return Err("expected a JSON object".to_owned()),
            Err(error) => return Err(format!("this is no JSON: {error}")),
        };
        Ok(Self { name, version: fields.text("version").parse().ok(), document })
    }

    /// The domain's name, old or new.
    pub fn domain_name(&self) -> String {
        let given = || self.document.get("domainName").and_then(Value::as_str).map(str::to_ascii_lowercase);
        self.name.clone().or_else(given).unwrap_or_default()
    }

    /// The change that it asks for.
    pub fn change(&self) -> Change {
        Change {
            kind: KIND,
            name: self.domain_name(),
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
pub fn for_editors(json: &str) -> Object {
    match Value::parse(shown(KIND, json, true).as_bytes()) {
        Ok(Value::Object(document)) => document,
        _ => Object::new(),
    }
}

/// Of a stored document.
pub fn of_document(document: &Document) -> Object {
    for_editors(&document.json)
}

/// Two documents as texts that people compare: what lies in strings as JSON is written out, and HMAC secrets
/// are masked, though it is told which are new.
pub fn texts(before: Option<&Object>, after: Option<&Object>) -> (String, String) {
    let mut known = Vec::new();
    let mut text = |document: Option<&Object>, is_after: bool| {
        let Some(document) = document else { return String::new() };
        let mut value = Value::Object(document.clone());
        write_out(&mut value);
        mask(&mut value, &mut known, is_after);
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
    let Value::Object(document) = document else { return };
    if let Some(Value::Object(config)) = document.get_mut("authConfig")
        && let Some(info) = config.get_mut("authInfo")
        && let Some(mut object) = expanded(info)
    {
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

fn mask(value: &mut Value, known: &mut Vec<String>, is_after: bool) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, known, is_after)),
        Value::Object(object) => {
            let is_secret = object.get("kty").and_then(Value::as_str) == Some("oct");
            if is_secret && let Some(Value::String(secret)) = object.get_mut("k") {
                let is_new = is_after && !known.contains(secret) && secret != MASK;
                known.push(std::mem::take(secret));
                *secret = if is_new { format!("{MASK} (new)") } else { MASK.to_owned() };
            }
            let names: Vec<String> = object.iter().map(|(name, _)| name.to_owned()).collect();
            for name in names {
                if let Some(member) = object.get_mut(&name) {
                    mask(member, known, is_after);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn object(text: &str) -> Object {
        match Value::parse(text.as_bytes()).unwrap() {
            Value::Object(object) => object,
            _ => panic!("no object"),
        }
    }

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
}
