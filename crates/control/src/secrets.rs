//! Secrets in documents: what is never stored, what is never shown, and what is shown to some.
//!
//! Private members of asymmetric keys are not stored at all. The private key of a certificate is stored and
//! never given back; a document without it keeps the one that is there. HMAC secrets and the environment of
//! processes are given back to who may write, so that reading, changing and writing loses nothing, and masked
//! for all others. A mask that is written back means what it stands for.

use claimgate_config::{DocumentKind, Problem, Severity};
use serde_json::{Map, Value};

/// Stands for a secret that is not shown.
pub const MASK: &str = "***";

/// RFC 7518, 6.2.2, 6.3.2; RFC 8037, 2.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "priv"];

/// A document as it is shown to somebody who may write, or may not.
pub fn shown(kind: DocumentKind, json: &str, may_write: bool) -> String {
    let mut is_changed = false;
    let changed = with_document(json, |document| {
        is_changed |= remove_certificate_key(document).is_some();
        for_each_key(kind, document, &mut |_, key| {
            let dropped = drop_private_members(key);
            let masked = !may_write && mask(key, "k");
            is_changed |= dropped || masked;
            dropped || masked
        });
        if !may_write && let Some(environment) = environment(document) {
            for value in environment.values_mut() {
                *value = Value::from(MASK);
                is_changed = true;
            }
        }
    });
    if is_changed { changed.unwrap_or_default() } else { json.to_owned() }
}

/// A document as it is stored, of one that was entered; `before` is the one that it replaces. What is not
/// JSON stays as it is, for whoever reads it to say what is wrong.
pub fn entered(kind: DocumentKind, json: &str, before: Option<&str>) -> (String, Vec<Problem>) {
    let mut warnings = Vec::new();
    let mut is_changed = false;
    let mut before: Option<Value> = before.and_then(|before| serde_json::from_str(before).ok());
    let changed = with_document(json, |document| {
        is_changed |= keep_certificate_key(document, before.as_mut());
        is_changed |= keep_environment(document, before.as_mut());
        let secrets = before.as_mut().and_then(Value::as_object_mut).map(|before| hmac_secrets(kind, before));
        let secrets = secrets.unwrap_or_default();
        for_each_key(kind, document, &mut |place, key| {
            let dropped = drop_private_members(key);
            if dropped {
                warnings.push(warning(place));
            }
            let kept = keep_hmac_secret(key, &secrets);
            is_changed |= dropped || kept;
            dropped || kept
        });
    });
    match changed {
        Some(changed) if is_changed => (changed, warnings),
        _ => (json.to_owned(), warnings),
    }
}

fn with_document(json: &str, edit: impl FnOnce(&mut Map<String, Value>)) -> Option<String> {
    let mut document: Map<String, Value> = serde_json::from_str(json).ok()?;
    edit(&mut document);
    Some(Value::Object(document).to_string())
}

/// Calls `edit` with each key of a document and its place; what lies in strings is written anew where `edit`
/// says that it has changed something.
fn for_each_key(
    kind: DocumentKind,
    document: &mut Map<String, Value>,
    edit: &mut dyn FnMut(&str, &mut Map<String, Value>) -> bool,
) {
    let (outer, details) = match kind {
        DocumentKind::CustomDomain => ("authConfig", "authInfo"),
        DocumentKind::Function => ("httpTrigger", "authConfig"),
    };
    let Some(details_value) = document.get_mut(outer).and_then(|outer| outer.get_mut(details)) else {
        return;
    };
    in_json(details_value, &mut |info| {
        // As in the original, these members are taken in any case.
        let jwks = info.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case("jwks"));
        jwks.is_some_and(|(name, jwks)| {
            let place = format!("{outer}.{details}.{name}");
            in_json(jwks, &mut |jwks| {
                let Some(Value::Array(keys)) = jwks.get_mut("keys") else { return false };
                let mut is_changed = false;
                for (index, key) in keys.iter_mut().enumerate() {
                    if let Value::Object(key) = key {
                        is_changed |= edit(&format!("{place}.keys[{index}]"), key);
                    }
                }
                is_changed
            })
        })
    });
}

/// Edits an object, or one that is in a string as JSON; tells whether it has changed.
fn in_json(value: &mut Value, edit: &mut dyn FnMut(&mut Map<String, Value>) -> bool) -> bool {
    match value {
        Value::Object(object) => edit(object),
        Value::String(text) => {
            let Ok(mut object) = serde_json::from_str::<Map<String, Value>>(text) else { return false };
            let is_changed = edit(&mut object);
            if is_changed {
                *text = Value::Object(object).to_string();
            }
            is_changed
        }
        _ => false,
    }
}

fn drop_private_members(key: &mut Map<String, Value>) -> bool {
    let before = key.len();
    // In a key of type oct these would be unknown members, which mean nothing.
    key.retain(|name, _| !PRIVATE_MEMBERS.contains(&name.as_str()));
    key.len() < before
}

fn mask(object: &mut Map<String, Value>, name: &str) -> bool {
    let Some(value) = object.get_mut(name) else { return false };
    *value = Value::from(MASK);
    true
}

fn warning(place: &str) -> Problem {
    Problem {
        severity: Severity::Warning,
        line: 0,
        column: 0,
        field: place.to_owned(),
        message:
            "the private members of this key were dropped: the public part is all that verifying needs, \
                  and whoever has seen the private part can make tokens"
                .to_owned(),
    }
}

/// The HMAC secrets of a document, in the order of its keys.
fn hmac_secrets(kind: DocumentKind, document: &mut Map<String, Value>) -> Vec<Map<String, Value>> {
    let mut secrets = Vec::new();
    for_each_key(kind, document, &mut |_, key| {
        if key.contains_key("k") {
            secrets.push(key.clone());
        }
        false
    });
    secrets
}

/// Puts the secret back for its mask: that of the same `kid`, or of the only key without one.
fn keep_hmac_secret(key: &mut Map<String, Value>, secrets: &[Map<String, Value>]) -> bool {
    if key.get("k").and_then(Value::as_str) != Some(MASK) {
        return false;
    }
    let same = secrets.iter().find(|secret| secret.get("kid") == key.get("kid"));
    let Some(secret) = same.and_then(|secret| secret.get("k")) else { return false };
    key.insert("k".to_owned(), secret.clone());
    true
}

fn remove_certificate_key(document: &mut Map<String, Value>) -> Option<Value> {
    document.get_mut("certConfig")?.as_object_mut()?.remove("privateKey")
}

/// Whether it fits the certificate is judged with the document.
fn keep_certificate_key(document: &mut Map<String, Value>, before: Option<&mut Value>) -> bool {
    let Some(Value::Object(config)) = document.get_mut("certConfig") else { return false };
    let is_left_out = config.get("privateKey").is_none_or(|key| key.is_null() || key == MASK || key == "");
    if !config.contains_key("certificate") || !is_left_out {
        return false;
    }
    let kept = before.and_then(Value::as_object_mut).and_then(remove_certificate_key);
    let is_kept = kept.is_some();
    config.extend(kept.map(|key| ("privateKey".to_owned(), key)));
    is_kept
}

fn environment(document: &mut Map<String, Value>) -> Option<&mut Map<String, Value>> {
    document.get_mut("process")?.get_mut("env")?.as_object_mut()
}

fn keep_environment(document: &mut Map<String, Value>, before: Option<&mut Value>) -> bool {
    let (Some(now), Some(before)) =
        (environment(document), before.and_then(Value::as_object_mut).and_then(environment))
    else {
        return false;
    };
    let mut is_kept = false;
    for (name, value) in now.iter_mut().filter(|(_, value)| *value == MASK) {
        if let Some(earlier) = before.get(name) {
            *value = earlier.clone();
            is_kept = true;
        }
    }
    is_kept
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use serde_json::json;

    const DOMAIN: DocumentKind = DocumentKind::CustomDomain;

    fn domain(key: &Value, in_string: bool) -> String {
        let info = json!({"jwks": {"keys": [key]}, "tokenLookup": "header:A"});
        let info = if in_string { Value::from(info.to_string()) } else { info };
        json!({"domainName": "a.example.com", "authConfig": {"authType": "jwt", "authInfo": info}})
            .to_string()
    }

    #[test]
    fn private_members_are_dropped_and_told() {
        for in_string in [false, true] {
            let key = json!({"kty": "EC", "crv": "P-256", "x": "x", "y": "y", "d": "private"});
            let (stored, warnings) = entered(DOMAIN, &domain(&key, in_string), None);
            assert!(!stored.contains("private"), "{stored}");
            assert!(stored.contains("P-256"), "{stored}");
            assert_eq!(warnings.len(), 1);
            assert_eq!(warnings[0].field, "authConfig.authInfo.jwks.keys[0]");
        }
    }

    #[test]
    fn what_needs_no_change_stays_as_it_was_written() {
        let text = r#"{ "domainName":"a.example.com", "authConfig":{"authType":"jwt","authInfo":"{\"jwks\": {\"keys\": []}}"} }"#;
        assert_eq!(entered(DOMAIN, text, None).0, text);
        assert_eq!(shown(DOMAIN, text, false), text);
        assert_eq!(entered(DOMAIN, "no JSON", None).0, "no JSON");
    }

    #[test]
    fn a_mask_that_is_written_back_is_the_secret() {
        for in_string in [false, true] {
            let key = json!({"kty": "oct", "kid": "a", "k": "secret"});
            let text = domain(&key, in_string);
            assert_eq!(shown(DOMAIN, &text, true), text);
            let masked = shown(DOMAIN, &text, false);
            assert!(!masked.contains("secret") && masked.contains(MASK), "{masked}");
            let (back, _) = entered(DOMAIN, &masked, Some(&text));
            assert_eq!(serde_json::from_str::<Value>(&back).unwrap()["domainName"], "a.example.com");
            assert!(back.contains("secret"), "{back}");
            let other = masked.replace(r#"kid":"a"#, r#"kid":"b"#).replace(r#"kid\":\"a"#, r#"kid\":\"b"#);
            assert!(!entered(DOMAIN, &other, Some(&text)).0.contains("secret"));
        }
    }

    #[test]
    fn the_key_of_a_certificate_is_kept_and_never_shown() {
        let text = json!({"certConfig": {"certificate": "C", "privateKey": "K"}}).to_string();
        let read = shown(DOMAIN, &text, true);
        assert_eq!(read, json!({"certConfig": {"certificate": "C"}}).to_string());
        assert_eq!(entered(DOMAIN, &read, Some(&text)).0, text);
        let files = json!({"certConfig": {"certificateFile": "c.pem"}}).to_string();
        assert_eq!(entered(DOMAIN, &files, Some(&text)).0, files);
    }

    #[test]
    fn the_environment_of_processes_is_masked() {
        let text =
            json!({"process": {"command": ["a"], "env": {"TOKEN": "secret", "MODE": "m"}}}).to_string();
        let masked = shown(DocumentKind::Function, &text, false);
        assert!(!masked.contains("secret"), "{masked}");
        assert_eq!(entered(DocumentKind::Function, &masked, Some(&text)).0, text);
    }
}
