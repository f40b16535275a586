//! Finds the token of a request and verifies it.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use claimgate_config::readings::MappedNames;
use claimgate_config::snapshot::{Authentication, Domain, GatewaySettings, JwtAuthentication, TokenSource};
use claimgate_remote_keys::RemoteKeys;
use http::header::SEC_WEBSOCKET_PROTOCOL;

use crate::claims::MappedClaim;
use crate::gateway::Serving;
use crate::parameters::{cookie, form, header, urlencoded};
use crate::path::RequestPath;
use crate::rejection::Rejection;
use crate::request::{FormLimits, FunctionRequest};
use crate::step::{Observer, Step};
use crate::verified_tokens::VerifiedToken;
use crate::verify::{Verifier, verify};

/// A request that may go to its function. Only [`authenticate`] makes one, and nothing is forwarded
/// without.
#[derive(Debug)]
pub struct Authenticated<'a> {
    authentication: Option<&'a JwtAuthentication>,
    claims: Option<Arc<[MappedClaim]>>,
}

impl<'a> Authenticated<'a> {
    /// How the domain's requests are authenticated; `None` when it is anonymous.
    pub fn authentication(&self) -> Option<&'a JwtAuthentication> {
        self.authentication
    }

    /// The mapped claims, in the order of `claimPassBy`; `None` when the domain is anonymous or the path is
    /// exempt.
    pub fn claims(&self) -> Option<&[MappedClaim]> {
        self.claims.as_deref()
    }
}

/// Authenticates a request as its domain wants it; `now` counts from the Unix epoch.
pub async fn authenticate<'a>(
    domain: &'a Domain,
    path: &RequestPath<'_>,
    request: &mut FunctionRequest<'_>,
    serving: &Serving,
    verifier: &Verifier,
    now: Duration,
    observer: &mut impl Observer<'a>,
) -> Result<Authenticated<'a>, Rejection> {
    let settings = &serving.snapshot.gateway;
    let Authentication::Jwt(jwt) = &domain.authentication else {
        observer.observe(Step::Anonymous);
        return Ok(Authenticated { authentication: None, claims: None });
    };
    let need = path.need_of_token(&jwt.scope);
    observer.observe(Step::Jwt { jwt, need });
    if !need.is_there() {
        return Ok(Authenticated { authentication: Some(jwt), claims: None });
    }
    let remote = domain.remote_keys.and_then(|number| serving.remote_keys.get(number));
    for source in &jwt.token_lookup {
        let found = look_up(source, request, settings).await?;
        observer.observe(Step::LookedUp { source, found: &found });
        let token = match found {
            Lookup::Absent | Lookup::NoForm => continue,
            Lookup::Ambiguous => return Err(Rejection::AmbiguousToken),
            Lookup::WrongPrefix => return Err(Rejection::WrongPrefix),
            Lookup::Found(token) => token,
        };
        let limit = settings.limits.token_bytes;
        if token.len() > limit {
            return Err(Rejection::TokenTooLong { limit });
        }
        let claims = verify_once(&token, jwt, remote, verifier, now, observer).await?;
        if !jwt.forward_token {
            let token = token.into_owned();
            // Those at other places were not even looked at.
            for source in &jwt.token_lookup {
                remove_token(source, &token, request)?;
            }
            observer.observe(Step::TokenRemoved);
        }
        return Ok(Authenticated { authentication: Some(jwt), claims: Some(claims) });
    }
    Err(Rejection::MissingToken(settings.missing_token_status))
}

/// Verifies a token, unless that was done before, and gives its mapped claims.
async fn verify_once<'s>(
    token: &[u8],
    jwt: &JwtAuthentication,
    remote: Option<&RemoteKeys>,
    verifier: &Verifier,
    now: Duration,
    observer: &mut impl Observer<'s>,
) -> Result<Arc<[MappedClaim]>, Rejection> {
    let Verifier { verified_tokens, slow_signatures } = verifier;
    let Some(key) = verified_tokens.key(token, jwt.id) else {
        let claims = verify(token, jwt, remote, slow_signatures, now, observer).await?;
        return Ok(MappedClaim::of_all(&jwt.claim_mappings, &claims));
    };
    let published = remote.and_then(|remote| remote.current().clone());
    if let Some(claims) = verified_tokens.find(&key, published.as_ref(), jwt.policy.leeway, now) {
        return Ok(claims);
    }
    let claims = verify(token, jwt, remote, slow_signatures, now, observer).await?;
    // When other keys came meanwhile, it is not known with which it was verified.
    let is_current = remote.is_none_or(|remote| {
        remote.current().as_ref().map(Arc::as_ptr) == published.as_ref().map(Arc::as_ptr)
    });
    let verified = VerifiedToken::new(&claims, jwt, published);
    let claims = Arc::clone(&verified.claims);
    if is_current {
        verified_tokens.insert(key, verified);
    }
    Ok(claims)
}

/// What is at one place where a token may be.
#[derive(Debug, PartialEq, Eq)]
pub enum Lookup<'a> {
    /// Nothing.
    Absent,
    /// Nothing, as the body is no form.
    NoForm,
    /// More than one value.
    Ambiguous,
    /// A value that lacks the prefix.
    WrongPrefix,
    /// A token.
    Found(Cow<'a, [u8]>),
}

async fn look_up<'a>(
    source: &'a TokenSource,
    request: &'a mut FunctionRequest<'_>,
    settings: &GatewaySettings,
) -> Result<Lookup<'a>, Rejection> {
    Ok(match source {
        TokenSource::Header { name, prefix } => {
            match the_only(request.fields.get_all(name).map(Cow::Borrowed)) {
                Lookup::Found(value) => match prefix {
                    None => one_of_list(Lookup::Found(value)),
                    Some(prefix) => one_of_list(strip_prefix(value, prefix)),
                },
                other => other,
            }
        }
        TokenSource::Cookie(name) => {
            the_only(cookie::values(&request.fields, name).map(|value| Cow::Borrowed(unquoted(value))))
        }
        TokenSource::Query(name) => {
            let query: &[u8] = request.query.as_deref().unwrap_or_default();
            the_only(urlencoded::values(query, name).map(Cow::Owned))
        }
        TokenSource::Form(name) => {
            match request.read_form(FormLimits::of(&settings.limits, &settings.timeouts)).await? {
                Some((kind, body)) => the_only(form::values(kind, body, name)?.into_iter().map(Cow::Owned)),
                None => Lookup::NoForm,
            }
        }
    })
}

fn the_only<'a>(mut values: impl Iterator<Item = Cow<'a, [u8]>>) -> Lookup<'a> {
    match (values.next(), values.next()) {
        (None, _) => Lookup::Absent,
        (Some(value), None) => Lookup::Found(value),
        (Some(_), Some(_)) => Lookup::Ambiguous,
    }
}

/// A proxy may have joined two fields to one with a comma (RFC 9110, 5.3), which no token has.
fn one_of_list(found: Lookup<'_>) -> Lookup<'_> {
    match found {
        Lookup::Found(value) if memchr::memchr(b',', &value).is_some() => Lookup::Ambiguous,
        found => found,
    }
}

/// The token behind the prefix and spaces (RFC 9110, 11.4). The scheme is compared without case (11.1).
fn strip_prefix<'a>(value: Cow<'a, [u8]>, prefix: &str) -> Lookup<'a> {
    let prefix = prefix.as_bytes();
    // Nearly all write it as it is configured, which is seen at a glance.
    let is_prefix = |start: &[u8]| start == prefix || start.eq_ignore_ascii_case(prefix);
    let behind = value.get(prefix.len()..).unwrap_or_default();
    let spaces = behind.iter().take_while(|&&byte| byte == b' ').count();
    let has_prefix = value.get(..prefix.len()).is_some_and(is_prefix) && spaces > 0;
    let begin = prefix.len() + spaces;
    match value {
        // Only spaces may follow a scheme.
        _ if !has_prefix || behind.get(spaces) == Some(&b'\t') => Lookup::WrongPrefix,
        Cow::Borrowed(value) => Lookup::Found(Cow::Borrowed(value.get(begin..).unwrap_or_default())),
        Cow::Owned(mut value) => Lookup::Found(Cow::Owned(value.split_off(begin))),
    }
}

/// RFC 6265, 4.1.1: the quotes around a cookie's value are not part of it.
fn unquoted(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(value)
}

/// Removes what is at a place where a token may be. What is in a form that was not read whole is removed when the
/// form is forwarded.
fn remove_token(
    source: &TokenSource,
    token: &[u8],
    request: &mut FunctionRequest<'_>,
) -> Result<(), Rejection> {
    match source {
        TokenSource::Header { name, .. } if name == SEC_WEBSOCKET_PROTOCOL => {
            header::remove_from_list(&mut request.fields, name, token);
        }
        TokenSource::Header { name, .. } => {
            header::remove(&mut request.fields, name);
        }
        TokenSource::Cookie(name) => {
            cookie::remove(&mut request.fields, &MappedNames::new([&**name]), |_| ())
        }
        TokenSource::Query(name) => {
            request.replace_in_query(&MappedNames::new([&**name]), Vec::new(), |_| ());
        }
        TokenSource::Form(name) => {
            request.remove_from_form(MappedNames::default().and_in_forms([&**name]))?;
        }
    }
    Ok(())
}
