//! CORS: which pages of other origins may read an answer, and what a preflight request is told, by the
//! `corsConfig` of a domain (Fetch standard, 3.2).

use claimgate_config::snapshot::{AllowedOrigins, CorsRules};
use claimgate_functions::Fields;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderName, HeaderValue, Method};

use crate::byte_set::is_token;
use crate::parameters::header;

/// What the answer to a request says of its origin, whoever gives the answer.
#[derive(Debug, Clone)]
pub struct Cors<'s> {
    rules: &'s CorsRules,
    /// The origin that the request comes from.
    origin: Option<HeaderValue>,
    /// Whether the origin may read the answer.
    is_allowed: bool,
    preflight: Option<Preflight>,
}

/// A request that asks whether another may be sent. It carries no token, and no page can read its answer.
#[derive(Debug, Clone)]
struct Preflight {
    /// The names of headers that it asks for.
    headers: Option<HeaderValue>,
}

impl<'s> Cors<'s> {
    /// What a request's origin may do.
    pub fn of(rules: &'s CorsRules, method: &Method, fields: &Fields, has_body: bool) -> Self {
        let origin = only(fields, &ORIGIN);
        let is_allowed = origin.as_ref().is_some_and(|origin| rules.origins.allow(origin.as_bytes()));
        Self { rules, origin, is_allowed, preflight: Preflight::of(method, fields, has_body) }
    }

    /// Whether the gateway answers the request itself, as it is a preflight request.
    pub fn is_preflight(&self) -> bool {
        self.preflight.is_some()
    }

    /// The origin that the request comes from.
    pub fn origin(&self) -> Option<&HeaderValue> {
        self.origin.as_ref()
    }

    /// Whether the origin may read the answer.
    pub fn is_allowed(&self) -> bool {
        self.is_allowed
    }

    /// Says it in an answer; an origin that is not allowed is told nothing, which browsers take for a no.
    /// What the function has said of it is removed: two answers to one question are none to a browser.
    pub fn set(&self, answer: &mut Fields) {
        answer.remove_where(|name| name.starts_with(b"access-control-"));
        let rules = self.rules;
        if rules.origins != AllowedOrigins::Any {
            add_to_vary(answer, "Origin");
        }
        if let (Some(_), None) = (&self.preflight, &rules.headers) {
            add_to_vary(answer, "Access-Control-Request-Headers");
        }
        let Some(origin) = self.origin.as_ref().filter(|_| self.is_allowed) else { return };
        let origin = match rules.origins {
            AllowedOrigins::Any => HeaderValue::from_static("*"),
            AllowedOrigins::Listed(_) => origin.clone(),
        };
        answer.append(&ACCESS_CONTROL_ALLOW_ORIGIN, &origin);
        if rules.allow_credentials {
            answer.append(&ACCESS_CONTROL_ALLOW_CREDENTIALS, &HeaderValue::from_static("true"));
        }
        match &self.preflight {
            Some(preflight) => preflight.permit(rules, answer),
            None => add(answer, &ACCESS_CONTROL_EXPOSE_HEADERS, rules.exposed_headers.as_ref()),
        }
    }
}

impl Preflight {
    /// Recognises a preflight request. What merely looks like one is a request like others, since this is
    /// the only kind that is answered before authentication.
    fn of(method: &Method, fields: &Fields, has_body: bool) -> Option<Self> {
        if method != Method::OPTIONS || has_body {
            return None;
        }
        only(fields, &ORIGIN)?;
        only(fields, &ACCESS_CONTROL_REQUEST_METHOD).filter(is_list_of_tokens)?;
        Some(Self { headers: only(fields, &ACCESS_CONTROL_REQUEST_HEADERS).filter(is_list_of_tokens) })
    }

    fn permit(&self, rules: &CorsRules, answer: &mut Fields) {
        add(answer, &ACCESS_CONTROL_ALLOW_METHODS, Some(&rules.methods));
        add(answer, &ACCESS_CONTROL_ALLOW_HEADERS, rules.headers.as_ref().or(self.headers.as_ref()));
        add(answer, &ACCESS_CONTROL_MAX_AGE, rules.max_age.as_ref());
    }
}

fn add(answer: &mut Fields, name: &HeaderName, value: Option<&HeaderValue>) {
    if let Some(value) = value {
        answer.append(name, value);
    }
}

/// The value of a field that is there once.
fn only(fields: &Fields, name: &HeaderName) -> Option<HeaderValue> {
    let mut values = fields.get_all(name);
    let first = values.next()?;
    if values.next().is_none() { HeaderValue::from_bytes(first).ok() } else { None }
}

fn is_list_of_tokens(value: &HeaderValue) -> bool {
    let is_allowed = |&byte: &u8| is_token(byte) || matches!(byte, b',' | b' ');
    !value.is_empty() && value.as_bytes().iter().all(is_allowed)
}

fn add_to_vary(answer: &mut Fields, name: &'static str) {
    let is_listed = {
        let values = answer.get_all(&VARY).filter_map(header::text);
        let mut names = values.flat_map(|value| value.split(',').map(str::trim));
        names.any(|known| known == "*" || known.eq_ignore_ascii_case(name))
    };
    if !is_listed {
        answer.append(&VARY, &HeaderValue::from_static(name));
    }
}

#[cfg(test)]
mod tests;
