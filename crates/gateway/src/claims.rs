//! Hands the claims over: whatever the client sent in a mapped parameter is removed, then the parameter
//! is set from the claim.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::BytesMut;
use claimgate_config::snapshot::{
    ClaimMapping, GatewaySettings, JwtAuthentication, MappedParameters, Parameter,
};
use claimgate_jose::VerifiedClaims;
use claimgate_jose::json::Value;
use http::HeaderValue;

use crate::authenticate::Authenticated;
use crate::headers;
use crate::parameters::form::{ClaimsOfForm, FormError, FormFilter};
use crate::parameters::{content_type, cookie, header, urlencoded};
use crate::path::PathError;
use crate::rejection::Rejection;
use crate::request::{FormLimits, FunctionRequest};
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
    /// The parameter belongs into a form, and the body is not one.
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

/// Sets the mapped parameters of a request, before all others of their position: some functions stop reading
/// parameters after a thousand.
///
/// The removal does not depend on whether a claim, or a token, is there: a function trusts these
/// parameters on every path.
pub async fn forward<'a>(
    authenticated: &Authenticated<'a>,
    request: &mut FunctionRequest<'_>,
    path: &str,
    settings: &GatewaySettings,
    observer: &mut impl Observer<'a>,
) -> Result<(), Rejection> {
    let Some(jwt) = authenticated.authentication() else {
        return Ok(());
    };
    let MappedParameters { query_and_form, cookies, .. } = &jwt.mapped;
    // A token that decides, or does not, is gone only where the request had to have one.
    let with_tokens = jwt.mapped.with_tokens.as_ref().filter(|_| authenticated.claims().is_some());
    let form = match with_tokens {
        _ if !query_and_form.is_empty() => request.form_kind(jwt)?,
        Some(_) => request.form()?,
        None => None,
    };
    let is_form = form.is_some();

    // What the claims make of the query and of a form.
    let mut in_query = Vec::new();
    let mut is_ascii = true;
    let mut in_form = ClaimsOfForm::default();
    let mut not_carried = Vec::new();
    if !query_and_form.is_empty() {
        let claims = authenticated.claims().unwrap_or_default();
        for (mapping, claim) in jwt.claim_mappings.iter().zip(claims) {
            if let (Parameter::Query(_) | Parameter::Form(_), MappedClaim::Text(text)) =
                (&mapping.parameter, claim)
            {
                is_ascii &= text.is_ascii();
            }
            match (&mapping.parameter, claim, &form) {
                (Parameter::Query(name), MappedClaim::Text(text), _) => {
                    urlencoded::push_pair(&mut in_query, name, text);
                }
                (Parameter::Form(name), MappedClaim::Text(text), Some(kind))
                    if !in_form.push(kind, name, text)? =>
                {
                    not_carried.push(mapping);
                }
                _ => {}
            }
        }
        if !is_ascii && !content_type::leaves_utf8(&request.fields) {
            return Err(FormError::CharsetOfClaim.into());
        }
        if let Some((_, parameters)) = path.split_once(';') {
            if urlencoded::has_mapped(parameters.as_bytes(), query_and_form) {
                return Err(PathError::MappedParameter.into());
            }
            // To Fastify 4 the `?` behind them is part of the last one.
            if !in_query.is_empty() {
                in_query.insert(0, b'&');
            }
        }
    }

    // What the client sent under their names goes, and they come.
    let mut removed = Removed::default();
    for mapping in &jwt.claim_mappings {
        if let Parameter::Header(name) = &mapping.parameter
            && header::remove(&mut request.fields, name)
        {
            observer.observe(Step::Removed(mapping));
        }
    }
    if !cookies.is_empty() {
        cookie::remove(&mut request.fields, cookies, |position| removed.cookies.push(position));
    }
    if !query_and_form.is_empty() {
        headers::remove_method_overrides(&mut request.fields);
        let removed = &mut removed.query_and_form;
        request.replace_in_query(query_and_form, in_query, |position| removed.push(position));
    }
    if let Some(kind) = form {
        let limits = FormLimits::of(&settings.limits, &settings.timeouts);
        let removed_names = Arc::clone(with_tokens.unwrap_or(query_and_form));
        let filter = FormFilter::new(&kind, removed_names, in_form, limits.memory())?;
        let removed = &mut removed.query_and_form;
        request.replace_in_form(&kind, filter, limits, |position| removed.push(position)).await?;
    }
    removed.tell(jwt, observer);
    let mut claims = authenticated.claims().map(|claims| claims.iter());
    for mapping in &jwt.claim_mappings {
        let claim = claims.as_mut().and_then(Iterator::next);
        let delivery = match (&mapping.parameter, claim) {
            (_, None) => Delivery::NoToken,
            (_, Some(MappedClaim::Absent)) => Delivery::Absent,
            (_, Some(MappedClaim::Null)) => Delivery::Null,
            (Parameter::Header(name), Some(claim @ MappedClaim::Header(value))) => {
                request.fields.append(name, value);
                Delivery::Set(claim)
            }
            (Parameter::Header(_), _) | (_, Some(MappedClaim::NotCarried)) => Delivery::NotCarried,
            (Parameter::Cookie(name), Some(claim)) => {
                cookie::prepend(&mut request.fields, name, claim.text());
                Delivery::Set(claim)
            }
            (Parameter::Form(_), _) if !is_form => Delivery::NoForm,
            (Parameter::Form(_), _) if not_carried.contains(&mapping) => Delivery::NotCarried,
            (Parameter::Query(_) | Parameter::Form(_), Some(claim)) => Delivery::Set(claim),
        };
        observer.observe(Step::Claim { mapping, delivery });
    }
    Ok(())
}

/// Which names a client had sent, by their positions among the mapped ones.
#[derive(Default)]
struct Removed {
    query_and_form: Vec<usize>,
    cookies: Vec<usize>,
}

impl Removed {
    fn tell<'a>(&self, jwt: &'a JwtAuthentication, observer: &mut impl Observer<'a>) {
        if self.query_and_form.is_empty() && self.cookies.is_empty() {
            return;
        }
        let MappedParameters { query_and_form, cookies, .. } = &jwt.mapped;
        for mapping in &jwt.claim_mappings {
            let (position, removed) = match &mapping.parameter {
                Parameter::Header(_) => continue,
                Parameter::Query(name) | Parameter::Form(name) => {
                    (query_and_form.position(name), &self.query_and_form)
                }
                Parameter::Cookie(name) => (cookies.position(name), &self.cookies),
            };
            if position.is_some_and(|position| removed.contains(&position)) {
                observer.observe(Step::Removed(mapping));
            }
        }
    }
}

/// A claim as text: a string as it is, a number exactly, anything else as compact JSON.
fn text_of(claim: &Value) -> Cow<'_, str> {
    match claim {
        Value::String(text) => Cow::Borrowed(text),
        Value::Number(number) => number.to_plain_decimal(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Cow::Owned(claim.to_string()),
    }
}
