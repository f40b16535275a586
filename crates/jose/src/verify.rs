//! Verification of a token (RFC 7515 section 5.2, RFC 7519 section 7.2).
mod check;
mod error;
mod signature;
#[cfg(test)]
mod tests;

pub use check::{Check, Times};
pub use error::{TokenPart, VerifyError};
pub use signature::{CheckedSignature, SignatureCheck};

use crate::json::{Object, Value};
use crate::{Algorithm, Jwk, JwkSet, base64url};
use std::fmt;
use std::time::Duration;

/// What a token must fulfil beyond its signature.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Accepted `iss` values; empty accepts any.
    pub issuers: Vec<String>,
    /// Accepted audiences, of which `aud` must hold one; empty accepts any.
    pub audiences: Vec<String>,
    /// Tolerance for the issuer's clock at `exp` and `nbf`.
    pub leeway: Duration,
}

/// The claims of a token whose signature and times were verified. Only [`verify`] makes one.
pub struct VerifiedClaims {
    claims: Object,
    algorithm: Algorithm,
    key_id: Option<String>,
    times: Times,
}

/// Verifies a compact JWS at the time `now`, counted from the Unix epoch.
///
/// The cost grows with the token's size, which is the caller's to limit.
pub fn verify(
    token: &[u8],
    keys: &JwkSet,
    policy: &Policy,
    now: Duration,
) -> Result<VerifiedClaims, VerifyError> {
    verify_observed(token, &[keys], policy, now, |_| {})
}

/// As [`verify`], with the keys of several sets, and tells of each check that the token has passed, in
/// their order: the first one that is not told of is the one that failed.
///
/// Of two keys with the token's `kid`, the one of the first set is used. "The only key" for a token without
/// `kid` is that of the only set: with several sets such a token needs a key without `kid`.
pub fn verify_observed(
    token: &[u8],
    sets: &[&JwkSet],
    policy: &Policy,
    now: Duration,
    mut passed: impl FnMut(Check<'_>),
) -> Result<VerifiedClaims, VerifyError> {
    UnverifiedToken::read(token, sets, &mut passed)?.verify(policy, now, passed)
}

/// A token whose header is read and whose key is chosen: [`verify_observed`] in two halves, for those who
/// make the check of a slow signature elsewhere.
pub struct UnverifiedToken<'a> {
    key: &'a Jwk,
    algorithm: Algorithm,
    signature: Vec<u8>,
    segments: Segments<'a>,
}

impl<'a> UnverifiedToken<'a> {
    /// Makes the checks before that of the signature; arguments are those of [`verify_observed`].
    pub fn read(
        token: &'a [u8],
        sets: &[&'a JwkSet],
        mut passed: impl FnMut(Check<'_>),
    ) -> Result<Self, VerifyError> {
        let segments = Segments::of(token)?;
        passed(Check::Form);

        let header = json_object(TokenPart::Header, segments.header)?;
        passed(Check::Header(&header));
        let algorithm = algorithm_of(&header)?;
        passed(Check::Algorithm(algorithm));
        check_extensions(&header)?;
        passed(Check::Extensions);
        let key_id = key_id_of(&header)?;
        passed(Check::KeyId(key_id));

        let key = choose_key(sets, key_id)?;
        passed(Check::Key(key));
        let signature_bytes = fit_key(key, algorithm)?;
        passed(Check::KeyFits);
        let signature = decode_signature(segments.signature, signature_bytes)?;
        Ok(Self { key, algorithm, signature, segments })
    }

    /// The check of the signature when it is [slow](Jwk::is_slow), to be made elsewhere.
    pub fn slow_check(&self) -> Option<SignatureCheck> {
        self.key.is_slow().then(|| self.signature_check())
    }

    fn signature_check(&self) -> SignatureCheck {
        SignatureCheck {
            key: self.key.clone(),
            algorithm: self.algorithm,
            signing_input: self.segments.signing_input.to_vec(),
            signature: self.signature.clone(),
        }
    }

    /// Checks the signature and all that comes after it.
    pub fn verify(
        self,
        policy: &Policy,
        now: Duration,
        passed: impl FnMut(Check<'_>),
    ) -> Result<VerifiedClaims, VerifyError> {
        let fits = self.key.verifies(self.algorithm, self.segments.signing_input, &self.signature);
        self.finish(fits, policy, now, passed)
    }

    /// As [`UnverifiedToken::verify`], with a signature that was checked elsewhere. One that is not of this
    /// token is a bad one.
    pub fn verify_checked(
        self,
        checked: &CheckedSignature,
        policy: &Policy,
        now: Duration,
        passed: impl FnMut(Check<'_>),
    ) -> Result<VerifiedClaims, VerifyError> {
        let fits = checked.proves(self.key, self.algorithm, self.segments.signing_input, &self.signature);
        self.finish(fits, policy, now, passed)
    }

    fn finish(
        self,
        signature_fits: bool,
        policy: &Policy,
        now: Duration,
        mut passed: impl FnMut(Check<'_>),
    ) -> Result<VerifiedClaims, VerifyError> {
        if !signature_fits {
            return Err(VerifyError::BadSignature);
        }
        passed(Check::Signature);

        let claims = json_object(TokenPart::Payload, self.segments.payload)?;
        passed(Check::Payload(&claims));
        let times = times_of(&claims)?;
        passed(Check::Times(times));
        check_expiry(&times, policy.leeway, now)?;
        passed(Check::Expiry);
        check_not_before(&times, policy.leeway, now)?;
        passed(Check::NotBefore);
        check_issuer(&claims, &policy.issuers)?;
        passed(Check::Issuer);
        check_audience(&claims, &policy.audiences)?;
        passed(Check::Audience);

        let key_id = self.key.key_id().map(str::to_owned);
        Ok(VerifiedClaims { claims, algorithm: self.algorithm, key_id, times })
    }
}

impl fmt::Debug for UnverifiedToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedToken")
            .field("key", self.key)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl VerifiedClaims {
    /// A claim by its literal name, else by a dotted path into objects.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.claims.get(name).or_else(|| {
            let mut steps = name.split('.');
            let first = self.claims.get(steps.next()?)?;
            steps.try_fold(first, |value, step| value.as_object()?.get(step))
        })
    }

    /// The whole claims set.
    pub fn claims(&self) -> &Object {
        &self.claims
    }

    /// The `kid` of the configured key that verified the token, when the key has one.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The algorithm of the signature.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The times of the token.
    pub fn times(&self) -> Times {
        self.times
    }
}

impl fmt::Debug for VerifiedClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedClaims")
            .field("algorithm", &self.algorithm)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// `HEADER.PAYLOAD.SIGNATURE` (RFC 7515 section 7.1).
struct Segments<'a> {
    header: &'a [u8],
    payload: &'a [u8],
    signature: &'a [u8],
    /// Header and payload with the dot between them: what is signed.
    signing_input: &'a [u8],
}

impl<'a> Segments<'a> {
    fn of(token: &'a [u8]) -> Result<Self, VerifyError> {
        let mut dots = memchr::memchr_iter(b'.', token);
        let (Some(first), Some(second), None) = (dots.next(), dots.next(), dots.next()) else {
            let is_jwe = memchr::memchr_iter(b'.', token).count() == 4;
            return Err(if is_jwe { VerifyError::Encrypted } else { VerifyError::NotCompact });
        };
        let part = |range: std::ops::Range<usize>| token.get(range).unwrap_or_default();
        Ok(Self {
            header: part(0..first),
            payload: part(first + 1..second),
            signature: part(second + 1..token.len()),
            signing_input: part(0..second),
        })
    }
}

/// `alg`, `crit`, `b64` and `kid` are the header parameters that have a meaning here. `jwk`, `jku`, `x5c`
/// and `x5u` have none: a token does not choose who may sign it (RFC 8725 section 3.10).
fn algorithm_of(header: &Object) -> Result<Algorithm, VerifyError> {
    let algorithm = header.get("alg").and_then(Value::as_str).ok_or(VerifyError::MissingAlgorithm)?;
    Algorithm::from_name(algorithm).ok_or_else(|| VerifyError::unsupported(algorithm))
}

fn check_extensions(header: &Object) -> Result<(), VerifyError> {
    if header.get("crit").is_some() {
        return Err(VerifyError::CriticalHeader);
    }
    if header.get("b64").is_some() {
        return Err(VerifyError::UnencodedPayload);
    }
    Ok(())
}

/// `None` when it is absent or empty.
fn key_id_of(header: &Object) -> Result<Option<&str>, VerifyError> {
    match header.get("kid") {
        None => Ok(None),
        Some(Value::String(key_id)) => Ok(Some(key_id.as_str()).filter(|key_id| !key_id.is_empty())),
        Some(_) => Err(VerifyError::InvalidKeyId),
    }
}

/// `kid` picks the key, byte for byte. Without one it is the key without `kid`, or the only key.
fn choose_key<'a>(sets: &[&'a JwkSet], key_id: Option<&str>) -> Result<&'a Jwk, VerifyError> {
    if let Some(key) = sets.iter().flat_map(|set| set.keys()).find(|key| key.key_id() == key_id) {
        return Ok(key);
    }
    if key_id.is_some() {
        return Err(VerifyError::UnknownKeyId);
    }
    match sets {
        [only_set] => match only_set.keys() {
            [only_key] => Ok(only_key),
            _ => Err(VerifyError::MissingKeyId),
        },
        _ => Err(VerifyError::MissingKeyId),
    }
}

/// Gives the length of the key's signatures in bytes. The key decides which algorithms are possible, never
/// the token (RFC 8725 section 3.1).
fn fit_key(key: &Jwk, algorithm: Algorithm) -> Result<usize, VerifyError> {
    key.signature_bytes(algorithm).ok_or(VerifyError::AlgorithmMismatch { token: algorithm })
}

fn decode_signature(signature: &[u8], expected: usize) -> Result<Vec<u8>, VerifyError> {
    let signature = decode(TokenPart::Signature, signature)?;
    if signature.len() != expected {
        return Err(VerifyError::WrongSignatureLength { found: signature.len(), expected });
    }
    Ok(signature)
}

/// `iat` must be a time and is not compared, so that a clock that is a little off does no harm.
fn times_of(claims: &Object) -> Result<Times, VerifyError> {
    Ok(Times {
        expires_at: time(claims, "exp")?,
        not_before: time(claims, "nbf")?,
        issued_at: time(claims, "iat")?,
    })
}

/// The last valid moment lies just before `exp` (RFC 7519 section 4.1.4).
fn check_expiry(times: &Times, leeway: Duration, now: Duration) -> Result<(), VerifyError> {
    let expired = times.expires_at.is_some_and(|expires_at| expires_at.saturating_add(leeway) <= now);
    if expired { Err(VerifyError::Expired) } else { Ok(()) }
}

/// The first valid moment is `nbf` (RFC 7519 section 4.1.5).
fn check_not_before(times: &Times, leeway: Duration, now: Duration) -> Result<(), VerifyError> {
    let early = times.not_before.is_some_and(|not_before| not_before > now.saturating_add(leeway));
    if early { Err(VerifyError::NotYetValid) } else { Ok(()) }
}

/// A NumericDate (RFC 7519 section 2). One that is malformed is never taken for absent. Before 1970 is as early as
/// 1970; a token that expired then was never good.
fn time(claims: &Object, claim: &'static str) -> Result<Option<Duration>, VerifyError> {
    /// The end of the year 9999. Later values are usually milliseconds.
    const LATEST: f64 = 253_402_300_799.999;
    let Some(value) = claims.get(claim) else {
        return Ok(None);
    };
    let may_be_negative = claim != "exp";
    value
        .as_number()
        .and_then(|number| number.as_f64())
        .map(|seconds| if may_be_negative && seconds.is_finite() { seconds.max(0.0) } else { seconds })
        .filter(|seconds| (0.0..=LATEST).contains(seconds))
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .map(Some)
        .ok_or(VerifyError::InvalidTime { claim })
}

fn check_issuer(claims: &Object, issuers: &[String]) -> Result<(), VerifyError> {
    let issuer = claims.get("iss").and_then(Value::as_str);
    let accepted = issuers.is_empty() || issuer.is_some_and(|issuer| issuers.iter().any(|one| one == issuer));
    if accepted { Ok(()) } else { Err(VerifyError::WrongIssuer) }
}

/// `aud` is a string or an array of strings (RFC 7519 section 4.1.3).
fn check_audience(claims: &Object, audiences: &[String]) -> Result<(), VerifyError> {
    if audiences.is_empty() {
        return Ok(());
    }
    let named: Option<Vec<&str>> = match claims.get("aud") {
        Some(Value::String(audience)) => Some(vec![audience]),
        Some(Value::Array(list)) => list.iter().map(Value::as_str).collect(),
        _ => None,
    };
    let accepted =
        named.is_some_and(|named| named.iter().any(|one| audiences.iter().any(|ours| ours == one)));
    if accepted { Ok(()) } else { Err(VerifyError::WrongAudience) }
}

fn json_object(part: TokenPart, segment: &[u8]) -> Result<Object, VerifyError> {
    match Value::parse(&decode(part, segment)?) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(VerifyError::NotAnObject(part)),
        Err(error) => Err(VerifyError::InvalidJson { part, error }),
    }
}

fn decode(part: TokenPart, segment: &[u8]) -> Result<Vec<u8>, VerifyError> {
    base64url::decode(segment).map_err(|_| VerifyError::InvalidBase64(part))
}
