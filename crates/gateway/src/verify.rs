//! Verifies a token with the keys of the configuration and those that are fetched.

use std::time::Duration;

use arc_swap::Guard;
use claimgate_config::snapshot::JwtAuthentication;
use claimgate_jose::{Check, JwkSet, VerifiedClaims, VerifyError, verify_observed};
use claimgate_remote_keys::{PublishedKeys, RemoteKeys};

use crate::rejection::Rejection;
use crate::step::{Observer, Step};

/// Verifies a token with a domain's keys, of which those of the configuration come first.
///
/// When no key fits its `kid`, the fetched ones may be old: then they are fetched again if that has not
/// been asked for shortly before, and the token is verified again with what has come. A token that is
/// refused for another reason causes no fetch.
pub async fn verify<'s>(
    token: &[u8],
    jwt: &JwtAuthentication,
    remote: Option<&RemoteKeys>,
    now: Duration,
    observer: &mut impl Observer<'s>,
) -> Result<VerifiedClaims, Rejection> {
    let Some(remote) = remote else {
        let passed = |check: Check<'_>| observer.observe(Step::Passed(check));
        return Ok(verify_observed(token, &[&jwt.keys], &jwt.policy, now, passed)?);
    };
    let mut told = 0;
    let mut verify = |published: Option<&PublishedKeys>| {
        observer.observe(Step::RemoteKeys { source: remote.name(), published });
        let mut passed = 0;
        verify_with_both(token, jwt, published, now, |check| {
            passed += 1;
            // The second time the first checks pass again.
            if passed > told {
                told = passed;
                observer.observe(Step::Passed(check));
            }
        })
    };
    let known = remote.current();
    let result = verify(known.as_deref());
    let Err(VerifyError::UnknownKeyId | VerifyError::MissingKeyId) = result else {
        return Ok(result?);
    };
    let known = Guard::into_inner(known);
    match (remote.other_than(known.as_ref()).await, known) {
        (Some(other), _) => Ok(verify(Some(&other))?),
        (None, Some(_)) => Ok(result?),
        (None, None) => Err(Rejection::KeysUnavailable {
            from: remote.name().to_owned(),
            failure: remote.failure(),
            retry_after: remote.retry_after(),
        }),
    }
}

fn verify_with_both(
    token: &[u8],
    jwt: &JwtAuthentication,
    published: Option<&PublishedKeys>,
    now: Duration,
    passed: impl FnMut(Check<'_>),
) -> Result<VerifiedClaims, VerifyError> {
    let none = JwkSet::default();
    let published = published.map_or(&none, |published| &published.keys);
    match jwt.keys.keys() {
        // Fetched keys alone are one set, whose only key serves tokens without `kid`.
        [] => verify_observed(token, &[published], &jwt.policy, now, passed),
        _ => verify_observed(token, &[&jwt.keys, published], &jwt.policy, now, passed),
    }
}
