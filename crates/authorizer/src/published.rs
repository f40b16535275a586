//! What is published: the keys (RFC 7517) and the discovery document (OpenID Connect Discovery 1.0
//! section 3, RFC 8414 section 2).

use std::time::Duration;

use claimgate_jose::json::{Object, Value};

use crate::claims::Claims;
use crate::keys::{Key, KeyRing};

/// How long keys may be cached: a new one must be seen before it signs.
const LONGEST_MAX_AGE: Duration = Duration::from_secs(3600);

/// The seconds that a copy of the keys may be used for.
pub(crate) fn max_age(publish_ahead: Duration) -> u64 {
    (publish_ahead / 2).min(LONGEST_MAX_AGE).as_secs()
}

/// The keys whose tokens may be valid, and those that are to sign.
pub(crate) fn jwks(keys: &KeyRing, now: Duration) -> Object {
    let keys: Vec<Value> = keys.published(now).map(|key| Value::Object(key.public.clone())).collect();
    let mut jwks = Object::new();
    jwks.insert("keys", keys);
    jwks
}

/// What clients can know without asking anybody.
pub(crate) fn discovery<'a>(
    issuer: &str,
    jwks_uri: &str,
    token_endpoint: &str,
    claims: &Claims,
    keys: impl Iterator<Item = &'a Key>,
) -> Object {
    let mut algorithms: Vec<&str> = keys.map(|key| key.signing.algorithm().name()).collect();
    algorithms.sort_unstable();
    algorithms.dedup();
    let mut document = Object::new();
    document.insert("issuer", issuer);
    document.insert("jwks_uri", jwks_uri);
    document.insert("token_endpoint", token_endpoint);
    document.insert("grant_types_supported", list(["password"]));
    // A required list must not be empty. There is no authorization endpoint that this could be sent to.
    document.insert("response_types_supported", list(["token"]));
    document.insert("subject_types_supported", list(["public"]));
    document.insert("id_token_signing_alg_values_supported", list(algorithms));
    document.insert("token_endpoint_auth_methods_supported", list(["none"]));
    document.insert("claims_supported", list(claims.names()));
    document
}

fn list<'a>(items: impl IntoIterator<Item = &'a str>) -> Vec<Value> {
    items.into_iter().map(Value::from).collect()
}
