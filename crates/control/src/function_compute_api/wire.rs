//! Documents as they are stored, and as the API shows them.

use std::time::SystemTime;

use claimgate_jose::json::{Object, Value};

use crate::answer::ErrorAnswer;
use crate::authentication::Caller;
use crate::catalog::Document;
use crate::secrets;

/// What the API adds to a domain that it shows, and passes over in one that it is given.
const READ_ONLY: [&str; 5] = ["accountId", "apiVersion", "createdTime", "lastModifiedTime", "subdomainCount"];

/// A document as it is stored, secrets included.
pub(super) fn parse_document(document: &Document) -> Result<Object, ErrorAnswer> {
    match Value::parse(document.json.as_bytes()) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(unreadable()),
    }
}

/// A document as somebody may see it.
fn shown(document: &Document, caller: &Caller) -> Result<Object, ErrorAnswer> {
    secrets::shown(document.kind, &document.json, caller.audience()).ok_or_else(unreadable)
}

fn unreadable() -> ErrorAnswer {
    let status = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
    ErrorAnswer::new(status, "InternalServerError", "the document cannot be read")
}

/// A custom domain with what the original adds. Defaults are written out where tools compare what they have
/// sent with what they get.
pub(super) fn domain(document: &Document, caller: &Caller, account_id: &str) -> Result<Object, ErrorAnswer> {
    let mut domain = shown(document, caller)?;
    domain.insert("domainName", document.name.as_str());
    domain.insert("accountId", account_id);
    domain.insert("apiVersion", "2023-03-30");
    domain.insert("subdomainCount", "1");
    insert_times(&mut domain, document);
    insert_default(&mut domain, "protocol", "HTTP");
    let mut waf = Object::new();
    waf.insert("enableWAF", false);
    insert_default(&mut domain, "wafConfig", waf);
    insert_default(&mut domain, "authConfig", Object::new());
    if let Some(Value::Object(config)) = domain.get_mut("authConfig") {
        insert_default(config, "authType", "anonymous");
        insert_default(config, "authInfo", "{}");
        text_of(config, "authInfo");
    }
    if let Some(Value::Object(config)) = domain.get_mut("routeConfig")
        && let Some(Value::Array(routes)) = config.get_mut("routes")
    {
        for route in routes {
            if let Value::Object(route) = route {
                insert_default(route, "qualifier", "LATEST");
            }
        }
    }
    Ok(domain)
}

/// A function; `url`, `process`, `builtin` and `httpTrigger` are claimgate's own.
pub(super) fn function(document: &Document, caller: &Caller) -> Result<Object, ErrorAnswer> {
    let mut function = shown(document, caller)?;
    insert_times(&mut function, document);
    Ok(function)
}

/// Takes out of a document what the API adds to it.
pub(super) fn remove_read_only(document: &mut Object) {
    for name in READ_ONLY {
        document.remove(name);
    }
}

/// Puts each field that was sent in the place of what is there; the others stay.
pub(super) fn replace_fields(document: &mut Object, sent: &Object) {
    for (field, value) in sent.iter() {
        document.insert(field, value.clone());
    }
}

/// Writes a member that may be an object as the JSON that the original carries.
pub(super) fn text_of(object: &mut Object, name: &str) {
    if let Some(value) = object.get_mut(name)
        && !matches!(value, Value::String(_))
    {
        *value = Value::String(value.to_string());
    }
}

/// The times of a document that is stored; of one in the configuration file they are not known.
pub(super) fn insert_times(object: &mut Object, document: &Document) {
    if let Some(stored) = document.stored() {
        object.insert("createdTime", time(stored.created));
        object.insert("lastModifiedTime", time(stored.modified));
    }
}

pub(super) fn insert_default(object: &mut Object, name: &str, value: impl Into<Value>) {
    if object.get(name).is_none_or(|value| matches!(value, Value::Null)) {
        object.insert(name, value);
    }
}

fn time(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}
