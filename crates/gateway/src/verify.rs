//! Verifies a token with the keys of the configuration and those that are fetched.

use std::time::Duration;

use arc_swap::Guard;
use claimgate_config::snapshot::JwtAuthentication;
use claimgate_jose::{JwkSet, VerifiedClaims, VerifyError, verify_observed};
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
    let mut told = 0;
    let mut judge = |sets: &[&JwkSet]| {
        let mut passed = 0;
        verify_observed(token, sets, &jwt.policy, now, |check| {
            passed += 1;
            // The second time the first checks pass again.
            if passed > told {
                told = passed;
                observer.observe(Step::Passed(check));
            }
        })
    };
    let Some(remote) = remote else {
        return Ok(judge(&[&jwt.keys])?);
    };
    let known = remote.current();
    let result = with_both(jwt, known.as_deref(), &mut judge);
    let Err(VerifyError::UnknownKeyId | VerifyError::MissingKeyId) = result else {
        return Ok(result?);
    };
    let known = Guard::into_inner(known);
    match (remote.other_than(known.as_ref()).await, known) {
        (Some(other), _) => Ok(with_both(jwt, Some(&other), &mut judge)?),
        (None, None) => Err(Rejection::KeysUnavailable { retry_after: remote.retry_after() }),
        (None, Some(_)) => Ok(result?),
    }
}

fn with_both<T>(
    jwt: &JwtAuthentication,
    published: Option<&PublishedKeys>,
    judge: &mut impl FnMut(&[&JwkSet]) -> T,
) -> T {
    let none = JwkSet::default();
    let published = published.map_or(&none, |published| &published.keys);
    match jwt.keys.keys() {
        // Fetched keys alone are one set, whose only key serves tokens without `kid`.
        [] => judge(&[published]),
        _ => judge(&[&jwt.keys, published]),
    }
}
