//! Secrets in documents: what is never stored, what is never shown, and what is shown to some.
//!
//! A document is shown by the list of what may be shown (`fields.rs`): what is not listed is secret, and what
//! cannot be read is not shown. All of it is read by the reader that judges documents, since another one could
//! refuse what that one takes.
//!
//! Private members of asymmetric keys are not stored at all. The private key of a certificate is stored and
//! never given back; a document without it keeps the one that is stored. HMAC secrets, the environment of
//! processes and everything that is not listed are given back to editors, so that reading, changing and
//! writing loses nothing, and masked for all others. A mask that is written back means the value that it hides.

mod fields;
mod private_keys;
mod walk;

use std::collections::HashMap;

use claimgate_config::snapshot::Role;
use claimgate_config::{DocumentKind, Problem, Severity, document_value};
use claimgate_jose::json::{Object, Value};

use fields::{CUSTOM_DOMAIN, FUNCTION};
use private_keys::{may_hide_a_key, without_private_members};
use walk::{Decide, Place, certificates_of, walk};

/// Stands for a secret that is not shown.
pub const MASK: &str = "***";

/// Who a document is shown to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// May read, but no secrets.
    Viewer,
    /// May write too, and sees what is needed to write back what was read.
    Editor,
}

/// Who may see a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Secrecy {
    /// Who may write it.
    ForEditors,
    /// The same, of a value that may be anything: a private key is as good as any other.
    Variable,
    /// No one, once it is stored.
    ForNoOne,
    /// It is not even stored.
    NotStored,
    /// No one, as it is not known what is in it.
    Unreadable,
}

impl Audience {
    /// The audience that a role belongs to.
    pub fn of(role: Role) -> Self {
        if role >= Role::Editor { Self::Editor } else { Self::Viewer }
    }
}

/// A document as it is shown to an audience; `None` when it cannot be read.
pub fn shown(kind: DocumentKind, json: &str, audience: Audience) -> Option<Object> {
    match Value::parse(json.as_bytes()) {
        Ok(Value::Object(document)) => Some(walk(shape(kind), document, &mut Show(audience))),
        _ => None,
    }
}

/// Two versions of a document for people to compare: what is in strings as JSON is written out, secrets are
/// masked, and those of the second that the first does not have are marked as new.
pub fn compared(
    kind: DocumentKind,
    before: Option<&Object>,
    after: Option<&Object>,
) -> (Option<Object>, Option<Object>) {
    let mut compare = Compare { known: Vec::new(), is_after: false };
    let before = before.map(|before| walk(shape(kind), before.clone(), &mut compare));
    compare.is_after = true;
    let after = after.map(|after| walk(shape(kind), after.clone(), &mut compare));
    (before, after)
}

/// A document as it is stored, of one that was entered in JSON or YAML; `before` is the one that it replaces.
/// What cannot be read stays as it is, for the reader that judges it to say what is wrong.
pub fn entered(kind: DocumentKind, text: &str, before: Option<&str>) -> (String, Vec<Problem>) {
    let Some(Value::Object(document)) = document_value(text) else { return (text.to_owned(), Vec::new()) };
    let mut earlier = Collect(HashMap::new());
    let before = match before.map(|before| Value::parse(before.as_bytes())) {
        Some(Ok(Value::Object(before))) => Some(before),
        _ => None,
    };
    if let Some(before) = &before {
        walk(shape(kind), before.clone(), &mut earlier);
    }
    let mut enter = Enter { earlier: earlier.0, warnings: Vec::new() };
    let mut stored = walk(shape(kind), document.clone(), &mut enter);
    keep_certificate_key(&mut stored, before.as_ref());
    let text = if stored == document { text.to_owned() } else { stored.to_string() };
    (text, enter.warnings)
}

fn shape(kind: DocumentKind) -> &'static fields::Object {
    match kind {
        DocumentKind::CustomDomain => &CUSTOM_DOMAIN,
        DocumentKind::Function => &FUNCTION,
    }
}

struct Show(Audience);

impl Decide for Show {
    fn secret(&mut self, _: &Place, secrecy: Secrecy, value: Value) -> Option<Value> {
        match (secrecy, self.0) {
            (Secrecy::ForNoOne | Secrecy::NotStored, _) => None,
            (Secrecy::ForEditors, Audience::Editor) if !may_hide_a_key(&value) => {
                Some(without_private_members(value).0)
            }
            (Secrecy::Variable, Audience::Editor) => Some(value),
            (Secrecy::ForEditors | Secrecy::Variable | Secrecy::Unreadable, _) => Some(MASK.into()),
        }
    }

    fn not_only_certificates(&mut self, text: String) -> Option<Value> {
        certificates_of(&text).map(Value::String)
    }
}

struct Compare {
    /// The secrets of the first document, and the names of their members.
    known: Vec<(String, Value)>,
    is_after: bool,
}

impl Decide for Compare {
    fn secret(&mut self, place: &Place, secrecy: Secrecy, value: Value) -> Option<Value> {
        if matches!(secrecy, Secrecy::ForNoOne | Secrecy::NotStored) {
            return None;
        }
        let secret = (place.name.clone(), value);
        let is_new = self.is_after && !self.known.contains(&secret) && secret.1.as_str() != Some(MASK);
        if !self.is_after {
            self.known.push(secret);
        }
        Some(if is_new { format!("{MASK} (new)").into() } else { MASK.into() })
    }

    fn not_only_certificates(&mut self, text: String) -> Option<Value> {
        certificates_of(&text).map(Value::String)
    }

    fn writes_out(&self) -> bool {
        true
    }
}

/// Collects secrets by the identities of their places.
struct Collect(HashMap<String, Value>);

impl Decide for Collect {
    fn secret(&mut self, place: &Place, _: Secrecy, value: Value) -> Option<Value> {
        self.0.entry(place.identity.clone()).or_insert_with(|| value.clone());
        Some(value)
    }
}

struct Enter {
    /// The secrets of the document that is replaced.
    earlier: HashMap<String, Value>,
    warnings: Vec<Problem>,
}

impl Decide for Enter {
    fn secret(&mut self, place: &Place, secrecy: Secrecy, value: Value) -> Option<Value> {
        if secrecy == Secrecy::NotStored {
            let key = place.field.rsplit_once('.').map_or("", |(key, _)| key);
            self.warn(key);
            return None;
        }
        let is_mask = value.as_str() == Some(MASK);
        let earlier = self.earlier.get(&place.identity).filter(|_| is_mask);
        let value = earlier.cloned().unwrap_or(value);
        if secrecy == Secrecy::Variable {
            return Some(value);
        }
        let (value, had_private_members) = without_private_members(value);
        if had_private_members {
            self.warn(&place.field);
        }
        Some(value)
    }
}

impl Enter {
    /// Warns once of a key.
    fn warn(&mut self, field: &str) {
        if self.warnings.iter().any(|known| known.field == field) {
            return;
        }
        let message = "the private members of this key were removed: only the public part is needed to verify \
                       tokens, and everyone who has seen the private part can make tokens";
        self.warnings.push(Problem {
            severity: Severity::Warning,
            line: 0,
            column: 0,
            field: field.to_owned(),
            message: message.to_owned(),
        });
    }
}

/// Whether it fits the certificate is judged with the document.
fn keep_certificate_key(document: &mut Object, before: Option<&Object>) {
    const NAME: &str = "privateKey";
    let Some(Value::Object(config)) = document.get_mut("certConfig") else { return };
    let is_left_out = match config.get(NAME) {
        None | Some(Value::Null) => true,
        Some(key) => key.as_str().is_some_and(|key| key.is_empty() || key == MASK),
    };
    if config.get("certificate").is_none() || !is_left_out {
        return;
    }
    let before = before.and_then(|before| before.get("certConfig")).and_then(Value::as_object);
    if let Some(key) = before.and_then(|config| config.get(NAME)) {
        config.insert(NAME, key.clone());
    }
}

#[cfg(test)]
mod tests;
