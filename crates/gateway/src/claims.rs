//! Hands the claims over: whatever the client sent in a mapped parameter is removed, then the parameter
//! is set from the claim.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::BytesMut;
use claimgate_config::snapshot::{ClaimMapping, GatewaySettings, Parameter};
use claimgate_jose::VerifiedClaims;
use claimgate_jose::json::Value;
use http::HeaderValue;

use crate::authenticate::Authenticated;
use crate::parameters::{cookie, header, urlencoded};
use crate::rejection::Rejection;
use crate::request::FunctionRequest;
use crate::step::{Observer, Step};

/// What became of a claim that is mapped to a parameter.
#[derive(Debug, Clone, Copy)]
pub enum Delivery<'a> {
    /// There are no claims, as no token was needed.
    NoToken,
    /// The token has no such claim.
    Absent,
    /// The claim is `null`, which stands for no value.
    Null,
    /// The parameter was set to this claim.
    Set(&'a MappedClaim),
    /// The parameter belongs into a form, and the body is none.
    NoForm,
    /// The parameter's position cannot carry the value.
    NotCarried,
}

/// What a token has for a mapped parameter, ready to be set: the same for each request with this token.
#[derive(Debug)]
pub enum MappedClaim {
    /// The token has no such claim.
    Absent,
    /// The claim is `null`.
    Null,
    /// The claim as text, for a position other than a header.
    Text(String),
    /// The claim as a header has it.
    Header(HeaderValue),
    /// The claim cannot be in a header.
    NotCarried,
}

impl MappedClaim {
    /// Looks for the claims of all mappings.
    ///
    /// What goes into headers shares one piece of memory: of a token that was not seen for a while nothing is in
    /// the processor's cache any more, and each piece is waited for.
    pub fn of_all(mappings: &[ClaimMapping], claims: &VerifiedClaims) -> Arc<[Self]> {
        let found = mappings.iter().map(|mapping| match claims.get(&mapping.claim) {
            None => (mapping, Err(Self::Absent)),
            Some(Value::Null) => (mapping, Err(Self::Null)),
            Some(claim) => (mapping, Ok(text_of(claim))),
        });
        let found: Vec<_> = found.collect();
        let in_headers =
            found.iter().filter(|(mapping, _)| matches!(mapping.parameter, Parameter::Header(_)));
        let length = in_headers.map(|(_, text)| text.as_ref().map_or(0, |text| text.len())).sum();
        let mut memory = BytesMut::with_capacity(length);
        let mapped = found.into_iter().map(|(mapping, text)| match (text, &mapping.parameter) {
            (Err(without_text), _) => without_text,
            (Ok(text), Parameter::Header(_)) => {
                header::value(&text, &mut memory).map_or(Self::NotCarried, Self::Header)
            }
            (Ok(text), _) => Self::Text(text.into_owned()),
        });
        mapped.collect()
    }

    /// The text that a parameter is set to.
    pub fn text(&self) -> &str {
        match self {
            Self::Absent | Self::Null | Self::NotCarried => "",
            Self::Text(text) => text,
            // It was made of text.
            Self::Header(value) => std::str::from_utf8(value.as_bytes()).unwrap_or_default(),
        }
    }

    /// What it takes outside of itself, in bytes.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.capacity(),
            Self::Header(value) => value.len(),
            Self::Absent | Self::Null | Self::NotCarried => 0,
        }
    }
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
    let mut claims = authenticated.claims().map(|claims| claims.iter());
    for mapping in mappings {
        let claim = claims.as_mut().and_then(Iterator::next);
        let delivery = claim.map_or(Delivery::NoToken, |claim| set(&mapping.parameter, claim, request));
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
        Parameter::Header(name) => header::remove(&mut request.fields, name),
        Parameter::Cookie(name) => cookie::remove(&mut request.fields, name),
        Parameter::Query(name) => request.remove_query(name),
        Parameter::Form(name) => request.form().is_some_and(|form| form.remove(name)),
    }
}

fn set<'a>(parameter: &Parameter, claim: &'a MappedClaim, request: &mut FunctionRequest<'_>) -> Delivery<'a> {
    match claim {
        MappedClaim::Absent => return Delivery::Absent,
        MappedClaim::Null => return Delivery::Null,
        MappedClaim::NotCarried => return Delivery::NotCarried,
        MappedClaim::Text(_) | MappedClaim::Header(_) => {}
    }
    match (parameter, claim) {
        (Parameter::Header(name), MappedClaim::Header(value)) => {
            request.fields.append(name, value);
        }
        (Parameter::Header(_), _) => return Delivery::NotCarried,
        (Parameter::Cookie(name), _) => cookie::prepend(&mut request.fields, name, claim.text()),
        (Parameter::Query(name), _) => {
            let mut query = request.query.take().unwrap_or_default().into_owned();
            urlencoded::append(&mut query, name, claim.text());
            request.query = Some(query.into());
        }
        (Parameter::Form(name), _) => {
            request.begin_form_if_empty();
            let Some(form) = request.form() else { return Delivery::NoForm };
            if !form.append(name, claim.text()) {
                return Delivery::NotCarried;
            }
        }
    }
    Delivery::Set(claim)
}
