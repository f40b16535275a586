//! Hands the claims over: whatever the client sent in a mapped parameter is removed, then the parameter
//! is set from the claim.

use claimgate_config::snapshot::{ClaimMapping, GatewaySettings, Parameter};
use claimgate_jose::json::Value;

use crate::authenticate::Authenticated;
use crate::parameters::{cookie, header, urlencoded};
use crate::rejection::Rejection;
use crate::request::FunctionRequest;

/// Sets the mapped parameters of a request and gives back the mappings whose claim is there but could
/// not be carried.
///
/// The removal does not depend on whether a claim, or a token, is there: a function trusts these
/// parameters on every path.
pub async fn forward<'a>(
    authenticated: &'a Authenticated<'_>,
    request: &mut FunctionRequest<'_>,
    settings: &GatewaySettings,
) -> Result<Vec<&'a ClaimMapping>, Rejection> {
    let Some(jwt) = authenticated.authentication() else {
        return Ok(Vec::new());
    };
    let mappings = &jwt.claim_mappings;
    if mappings.iter().any(|mapping| matches!(mapping.parameter, Parameter::Form(_))) {
        request.read_form(&settings.limits, &settings.timeouts).await?;
    }
    for mapping in mappings {
        remove(&mapping.parameter, request);
    }
    let mut not_carried = Vec::new();
    for mapping in mappings {
        let claim = authenticated.claims().and_then(|claims| claims.get(&mapping.claim));
        let carried = match claim.and_then(text_of) {
            Some(text) => set(&mapping.parameter, &text, request),
            None => true,
        };
        if !carried {
            not_carried.push(mapping);
        }
    }
    Ok(not_carried)
}

/// A claim as text: a string as it is, a number exactly, an array or object as compact JSON. `null`
/// stands for no value.
fn text_of(claim: &Value) -> Option<String> {
    match claim {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_plain_decimal().into_owned()),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => Some(claim.to_string()),
    }
}

fn remove(parameter: &Parameter, request: &mut FunctionRequest<'_>) {
    match parameter {
        Parameter::Header(name) => header::remove(&mut request.headers, name),
        Parameter::Cookie(name) => cookie::remove(&mut request.headers, name),
        Parameter::Query(name) => request.remove_query(name),
        Parameter::Form(name) => request.change_form(|form| form.remove(name)),
    }
}

/// Sets a parameter and tells whether its position can carry the text.
fn set(parameter: &Parameter, text: &str, request: &mut FunctionRequest<'_>) -> bool {
    match parameter {
        Parameter::Header(name) => match header::value(text) {
            Some(value) => {
                request.headers.insert(name, value);
                true
            }
            None => false,
        },
        Parameter::Cookie(name) => {
            cookie::prepend(&mut request.headers, name, text);
            true
        }
        Parameter::Query(name) => {
            let mut query = request.query.take().unwrap_or_default().into_owned();
            urlencoded::append(&mut query, name, text);
            request.query = Some(query.into());
            true
        }
        Parameter::Form(name) => {
            request.begin_form_if_empty();
            let mut carried = true;
            request.change_form(|form| {
                form.append(name, text).unwrap_or_else(|unchanged| {
                    carried = false;
                    unchanged
                })
            });
            carried
        }
    }
}
