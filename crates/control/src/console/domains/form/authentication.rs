//! `authConfig` in the form.

use claimgate_jose::json::{Object, Value};

use super::DomainForm;
use super::member::{expanded, lines, list, member, set, set_text, text};
use super::rows::{claim_pass_by, claims_of, token_lookup, tokens_of};
use crate::console::pretty::pretty;

/// The authentication of a document: `authType`, and `authInfo` when there is one.
fn authentication_of(document: &Object) -> (String, Option<Object>) {
    let Some(config) = document.get("authConfig").and_then(Value::as_object) else {
        return ("anonymous".to_owned(), None);
    };
    let auth_type = Some(text(config, "authType")).filter(|text| !text.is_empty());
    let info = config.get("authInfo").and_then(expanded);
    (auth_type.unwrap_or_else(|| "anonymous".to_owned()), info)
}

/// Reads what a document says of it.
pub fn read(document: &Object, form: &mut DomainForm) {
    let (auth_type, info) = authentication_of(document);
    form.auth_type = auth_type;
    let Some(info) = info else { return };
    form.jwks = match member(&info, "jwks") {
        Some(Value::String(text)) => text.clone(),
        Some(jwks) => pretty(jwks),
        None => String::new(),
    };
    form.jwks_uri = match member(&info, "jwksUri") {
        Some(Value::String(uri)) => uri.clone(),
        _ => String::new(),
    };
    form.issuers = lines(&info, "issuers");
    form.audiences = lines(&info, "audiences");
    form.leeway = member(&info, "leewaySeconds").map(Value::to_string).unwrap_or_default();
    form.tokens = member(&info, "tokenLookup").map(tokens_of).unwrap_or_default();
    form.claims = member(&info, "claimPassBy").map(claims_of).unwrap_or_default();
    for scope in ["whitelist", "blacklist"] {
        let paths = lines(&info, scope);
        if !paths.is_empty() {
            (form.scope, form.paths) = (scope.to_owned(), paths);
        }
    }
}

/// Writes what differs from `before`, which is what the document says.
pub fn write(
    form: &DomainForm,
    before: &DomainForm,
    document: &mut Object,
) -> Result<(), (&'static str, String)> {
    if form.auth_type != "jwt" {
        if before.auth_type == "jwt" || document.get("authConfig").is_none() {
            let mut config = Object::new();
            config.insert("authType", "anonymous");
            document.insert("authConfig", config);
        }
        return Ok(());
    }
    let mut config = match document.get("authConfig") {
        Some(Value::Object(config)) => config.clone(),
        _ => Object::new(),
    };
    let written = config.get("authInfo");
    let is_text = matches!(written, Some(Value::String(_)));
    let mut info = written.and_then(expanded).unwrap_or_default();
    if form.jwks.trim() != before.jwks.trim() {
        set(&mut info, "jwks", jwks(&form.jwks)?);
    }
    if form.jwks_uri != before.jwks_uri {
        set_text(&mut info, "jwksUri", &form.jwks_uri);
    }
    if form.issuers != before.issuers {
        set(&mut info, "issuers", list(&form.issuers));
    }
    if form.audiences != before.audiences {
        set(&mut info, "audiences", list(&form.audiences));
    }
    if form.leeway != before.leeway {
        // What is no number is a text, and told to be one where documents are judged.
        let number = Value::parse(form.leeway.as_bytes()).ok().filter(|value| value.as_number().is_some());
        let text = Some(form.leeway.as_str()).filter(|text| !text.is_empty());
        set(&mut info, "leewaySeconds", number.or_else(|| text.map(Value::from)));
    }
    if form.tokens != before.tokens || member(&info, "tokenLookup").is_none() {
        set(&mut info, "tokenLookup", Some(token_lookup(&form.tokens)));
    }
    if form.claims != before.claims {
        let claims = Some(&form.claims).filter(|claims| !claims.is_empty());
        set(&mut info, "claimPassBy", claims.map(|claims| claim_pass_by(claims)));
    }
    if (&form.scope, form.paths.trim()) != (&before.scope, before.paths.trim()) {
        for scope in ["whitelist", "blacklist"] {
            set(&mut info, scope, list(&form.paths).filter(|_| form.scope == scope));
        }
    }
    let info = if is_text { Value::from(Value::Object(info).to_string()) } else { Value::Object(info) };
    config.insert("authType", "jwt");
    config.insert("authInfo", info);
    document.insert("authConfig", config);
    Ok(())
}

fn jwks(text: &str) -> Result<Option<Value>, (&'static str, String)> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    if !text.trim_start().starts_with('{') {
        let message = "expected a JSON Web Key Set, an object as {\"keys\": […]}; PEM and certificates can be \
                       converted with the button below";
        return Err(("jwks", message.to_owned()));
    }
    Value::parse(text.as_bytes())
        .map(Some)
        .map_err(|error| ("jwks", format!("expected a JSON Web Key Set: {error}")))
}
