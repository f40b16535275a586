//! Hands the claims over: whatever the client sent in a mapped parameter is removed, then the parameter
//! is set from the claim.

use std::borrow::Cow;

use claimgate_config::snapshot::{GatewaySettings, Parameter};
use claimgate_jose::json::Value;

use crate::authenticate::Authenticated;
use crate::parameters::{cookie, header, urlencoded};
use crate::rejection::Rejection;
use crate::request::FunctionRequest;
use crate::step::{Observer, Step};

/// What became of a claim that is mapped to a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery<'a> {
    /// There are no claims, as no token was needed.
    NoToken,
    /// The token has no such claim.
    Absent,
    /// The claim is `null`, which stands for no value.
    Null,
    /// The parameter was set to this text.
    Set(&'a str),
    /// The parameter belongs into a form, and the body is none.
    NoForm,
    /// The parameter's position cannot carry the value.
    NotCarried,
}

/// Sets the mapped parameters of a request.
///
/// The removal does not depend on whether a claim, or a token, is there: a function trusts these
/// parameters on every path.
pub async fn forward<'a>(
    authenticated: &Authenticated<'a>,
    request: &mut FunctionRequest<'_>,
    settings: &GatewaySettings,
    observer: &mut impl Observer<'a>,
) -> Result<(), Rejection> {
    let Some(jwt) = authenticated.authentication() else {
        return Ok(());
    };
    let mappings = &jwt.claim_mappings;
    if mappings.iter().any(|mapping| matches!(mapping.parameter, Parameter::Form(_))) {
        request.read_form(&settings.limits, &settings.timeouts).await?;
    }
    for mapping in mappings {
        if remove(&mapping.parameter, request) {
            observer.observe(Step::Removed(mapping));
        }
    }
    for mapping in mappings {
        let text;
        let delivery = match authenticated.claims().map(|claims| claims.get(&mapping.claim)) {
            None => Delivery::NoToken,
            Some(None) => Delivery::Absent,
            Some(Some(Value::Null)) => Delivery::Null,
            Some(Some(claim)) => {
                text = text_of(claim);
                set(&mapping.parameter, &text, request)
            }
        };
        observer.observe(Step::Claim { mapping, delivery });
    }
    Ok(())
}

/// A claim as text: a string as it is, a number exactly, anything else as compact JSON.
fn text_of(claim: &Value) -> Cow<'_, str> {
    match claim {
        Value::String(text) => Cow::Borrowed(text),
        Value::Number(number) => number.to_plain_decimal(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Cow::Owned(claim.to_string()),
    }
}

/// Removes every spelling of a parameter and tells whether there was any.
fn remove(parameter: &Parameter, request: &mut FunctionRequest<'_>) -> bool {
    match parameter {
        Parameter::Header(name) => header::remove(&mut request.headers, name),
        Parameter::Cookie(name) => cookie::remove(&mut request.headers, name),
        Parameter::Query(name) => request.remove_query(name),
        Parameter::Form(name) => request.form().is_some_and(|form| form.remove(name)),
    }
}

fn set<'a>(parameter: &Parameter, text: &'a str, request: &mut FunctionRequest<'_>) -> Delivery<'a> {
    match parameter {
        Parameter::Header(name) => {
            let Some(value) = header::value(text) else { return Delivery::NotCarried };
            request.headers.insert(name, value);
        }
        Parameter::Cookie(name) => cookie::prepend(&mut request.headers, name, text),
        Parameter::Query(name) => {
            let mut query = request.query.take().unwrap_or_default().into_owned();
            urlencoded::append(&mut query, name, text);
            request.query = Some(query.into());
        }
        Parameter::Form(name) => {
            request.begin_form_if_empty();
            let Some(form) = request.form() else { return Delivery::NoForm };
            if !form.append(name, text) {
                return Delivery::NotCarried;
            }
        }
    }
    Delivery::Set(text)
}
