//! `authInfo.jwks`: keys, and the way from a key's problem to its place in the file.
use claimgate_jose::{JwkSet, KeyProblem, json};

use super::json_text;
use crate::place::Place;
use crate::reader::Field;
use crate::report::Report;
use crate::yaml::{Node, Value};

/// Reads a key set. What is found in it is never quoted: it may be a secret.
pub(super) fn read(field: &Field<'_>, report: &mut Report) -> Option<JwkSet> {
    if let Value::String(text) = &field.node.value {
        let node = json_text::parse(text, field.node.location).map_err(|why| {
            report.error(&field.place, format!("expected a JSON Web Key Set, {why}"));
        });
        return load(&node.ok()?, &field.place, report);
    }
    load(field.node, &field.place, report)
}

fn load(node: &Node, place: &Place, report: &mut Report) -> Option<JwkSet> {
    if !matches!(node.value, Value::Map(_)) {
        report.error(place, "expected a JSON Web Key Set, an object as {keys: […]}");
        return None;
    }
    let text = json_text::print(node);
    let jwks = match json::Value::parse(text.as_bytes()) {
        Ok(jwks) => jwks,
        Err(_) => {
            report.error(place, "the key set has a number that JSON does not know, as .inf or 0x10");
            return None;
        }
    };
    match JwkSet::load(&jwks) {
        Ok((keys, warnings)) => {
            for warning in warnings {
                report.warning(&place_of(&warning, node, place), text_of(&warning));
            }
            Some(keys)
        }
        Err(errors) => {
            for error in errors {
                report.error(&place_of(&error, node, place), text_of(&error));
            }
            None
        }
    }
}

fn text_of(problem: &KeyProblem) -> String {
    match &problem.kid {
        Some(kid) => format!("{} (key {})", problem.message, crate::place::quoted(kid)),
        None => problem.message.clone(),
    }
}

/// The member that a problem names, or what is nearest to it.
fn place_of(problem: &KeyProblem, jwks: &Node, place: &Place) -> Place {
    let Some(index) = problem.index else {
        return place.clone();
    };
    let Some((keys, location)) = member(jwks, "keys") else {
        return place.clone();
    };
    let keys_place = place.member("keys", location);
    let Value::List(items) = &keys.value else {
        return keys_place;
    };
    let Some(key) = items.get(index) else {
        return keys_place;
    };
    let key_place = keys_place.item(index, key.location);
    let Some(name) = problem.member else {
        return key_place;
    };
    // The path names the member even when it is missing.
    let location = member(key, name).map_or(key.location, |(_, location)| location);
    key_place.member(name, location)
}

fn member<'a>(node: &'a Node, name: &str) -> Option<(&'a Node, crate::place::Location)> {
    let Value::Map(entries) = &node.value else {
        return None;
    };
    entries.iter().find(|entry| entry.key == name).map(|entry| (&entry.value, entry.value.location))
}
