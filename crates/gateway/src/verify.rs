//! Verifies a token with the keys of the configuration and those that are fetched.

use std::time::Duration;

use claimgate_config::snapshot::JwtAuthentication;
use claimgate_jose::{Check, JwkSet, UnverifiedToken, VerifiedClaims, VerifyError};
use claimgate_remote_keys::{PublishedKeys, RemoteKeys};

use crate::rejection::Rejection;
use crate::slow_signatures::SlowSignatures;
use crate::step::{Observer, Step};
use crate::verified_tokens::VerifiedTokens;

/// What one thread verifies tokens with.
#[derive(Debug)]
pub struct Verifier {
    /// The tokens that were verified before.
    pub verified_tokens: VerifiedTokens,
    /// Where slow signatures are checked.
    pub slow_signatures: SlowSignatures,
}

impl Verifier {
    /// Remembers nothing, and does everything in place.
    pub fn bare() -> Self {
        Self { verified_tokens: VerifiedTokens::off(), slow_signatures: SlowSignatures::in_place() }
    }
}

/// Verifies a token with a domain's keys, of which those of the configuration come first.
///
/// When no key fits its `kid`, the fetched ones may be old: then they are fetched again if that has not
/// been asked for shortly before, and the token is verified again with what has come. A token that is
/// refused for another reason causes no fetch.
pub async fn verify<'s>(
    token: &[u8],
    jwt: &JwtAuthentication,
    remote: Option<&RemoteKeys>,
    slow: &SlowSignatures,
    now: Duration,
    observer: &mut impl Observer<'s>,
) -> Result<VerifiedClaims, Rejection> {
    let Some(remote) = remote else {
        let passed = |check: Check<'_>| observer.observe(Step::Passed(check));
        return verify_with(token, &[&jwt.keys], jwt, slow, now, passed).await;
    };
    let mut told = 0;
    let mut verify = async |published: Option<&PublishedKeys>| {
        observer.observe(Step::RemoteKeys { source: remote.name(), published });
        let mut passed = 0;
        verify_with_both(token, jwt, published, slow, now, |check| {
            passed += 1;
            // The second time the first checks pass again.
            if passed > told {
                told = passed;
                observer.observe(Step::Passed(check));
            }
        })
        .await
    };
    let known = remote.current().clone();
    let result = verify(known.as_deref()).await;
    let Err(Rejection::InvalidToken(VerifyError::UnknownKeyId | VerifyError::MissingKeyId)) = result else {
        return result;
    };
    match (remote.other_than(known.as_ref()).await, known) {
        (Some(other), _) => verify(Some(&other)).await,
        (None, Some(_)) => result,
        (None, None) => Err(Rejection::KeysUnavailable {
            from: remote.name().to_owned(),
            failure: remote.failure(),
            retry_after: remote.retry_after(),
        }),
    }
}

async fn verify_with_both(
    token: &[u8],
    jwt: &JwtAuthentication,
    published: Option<&PublishedKeys>,
    slow: &SlowSignatures,
    now: Duration,
    passed: impl FnMut(Check<'_>),
) -> Result<VerifiedClaims, Rejection> {
    let none = JwkSet::default();
    let published = published.map_or(&none, |published| &published.keys);
    // Fetched keys alone are one set, whose only key serves tokens without `kid`.
    let sets: &[&JwkSet] = if jwt.keys.keys().is_empty() { &[published] } else { &[&jwt.keys, published] };
    verify_with(token, sets, jwt, slow, now, passed).await
}

/// Verifies in place, but for the check of a slow signature.
async fn verify_with(
    token: &[u8],
    sets: &[&JwkSet],
    jwt: &JwtAuthentication,
    slow: &SlowSignatures,
    now: Duration,
    mut passed: impl FnMut(Check<'_>),
) -> Result<VerifiedClaims, Rejection> {
    let unverified = UnverifiedToken::read(token, sets, &mut passed)?;
    let Some(check) = unverified.slow_check() else {
        return Ok(unverified.verify(&jwt.policy, now, passed)?);
    };
    let checked = slow.check(check).await?;
    Ok(unverified.verify_checked(&checked, &jwt.policy, now, passed)?)
}
