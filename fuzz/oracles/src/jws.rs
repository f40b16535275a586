//! Only tokens that were signed are accepted, by the one algorithm that they name.
//!
//! Input: a token, or a header and a payload with a line end between them, which are then signed.

use std::sync::LazyLock;
use std::time::Duration;

use aws_lc_rs::hmac;
use claimgate_jose::json::{Object, Value};
use claimgate_jose::{Algorithm, JwkSet, Policy, VerifiedClaims, VerifyError, base64url};

/// A key of every algorithm, under the algorithm's name as `kid`.
const KEYS_WITH_ID: &str = include_str!("../data/keys.json");
/// A token of each of these keys, a line each: all that was ever signed with them.
const TOKENS: &str = include_str!("../data/tokens.txt");
/// The secret of the only key without `kid`.
const SECRET: [u8; 64] = [7; 64];
const NOW: Duration = Duration::from_secs(1_700_000_000);
const LEEWAY: Duration = Duration::from_secs(30);

static KEYS: LazyLock<JwkSet> = LazyLock::new(|| {
    let Ok(Value::Object(mut set)) = Value::parse(KEYS_WITH_ID.as_bytes()) else { panic!("no key set") };
    let Some(Value::Array(mut keys)) = set.remove("keys") else { panic!("no keys") };
    let mut secret = Object::new();
    secret.insert("kty", "oct");
    secret.insert("k", base64url::encode(&SECRET));
    keys.push(secret.into());
    set.insert("keys", keys);
    JwkSet::load(&set.into()).expect("a good set").0
});

/// Checks one input.
pub fn check(data: &[u8]) {
    check_token(data);
    if let Some(end) = data.iter().position(|&byte| byte == b'\n') {
        let (header, payload) = (&data[..end], &data[end + 1..]);
        check_signed(header, payload, &[Algorithm::HS256, Algorithm::HS384, Algorithm::HS512]);
    }
}

/// Nobody can sign for the keys, so what is accepted was signed by their owners.
fn check_token(token: &[u8]) {
    let Ok(claims) = verify(token) else { return };
    let end = token.iter().rposition(|&byte| byte == b'.').expect("a token has dots");
    let signed = |known: &str| known.as_bytes().starts_with(&token[..=end]);
    assert!(TOKENS.lines().any(signed), "forged for {:?}", claims.key_id());
    assert_eq!(claims.key_id(), Some(claims.algorithm().name()));
}

fn check_signed(header: &[u8], payload: &[u8], algorithms: &[Algorithm]) {
    let mut accepted = Vec::new();
    for &algorithm in algorithms {
        match verify(&sign(algorithm, header, payload)) {
            Ok(claims) => {
                assert_eq!(claims.algorithm(), algorithm, "accepted by another algorithm");
                assert_eq!(claims.key_id(), None, "accepted by another key");
                accepted.push(claims);
            }
            Err(VerifyError::BadSignature) => {
                assert!(!is_meant_for(header, algorithm), "a good signature is refused");
            }
            Err(error) => assert!(!error.to_string().contains(char::is_control), "{error:?}"),
        }
    }
    assert!(accepted.len() <= 1, "accepted by two algorithms");
    if let Some(claims) = accepted.pop() {
        check_header(header, claims.algorithm());
        check_claims(payload, &claims);
    }
}

fn check_header(header: &[u8], algorithm: Algorithm) {
    // The other parser's limits of numbers are not ours.
    let Ok(header) = serde_json::from_slice::<serde_json::Value>(header) else { return };
    assert_eq!(header["alg"], algorithm.name());
    assert!(header.get("crit").is_none() && header.get("b64").is_none());
    assert!(header.get("kid").is_none_or(|key_id| key_id == ""));
}

fn check_claims(payload: &[u8], claims: &VerifiedClaims) {
    let Ok(read) = serde_json::from_slice::<serde_json::Value>(payload) else { return };
    let printed = claims.claims().to_string();
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&printed).ok().as_ref(),
        Some(&read),
        "other claims"
    );
    let time = |claim: &str| read.get(claim).map(|time| time.as_f64().expect("a time is a number"));
    let (now, leeway) = (NOW.as_secs_f64(), LEEWAY.as_secs_f64());
    assert!(time("exp").is_none_or(|expires_at| now < expires_at + leeway), "accepted after it expired");
    assert!(time("nbf").is_none_or(|not_before| not_before <= now + leeway), "accepted before it began");
    assert!(time("iat").is_none_or(|issued_at| issued_at >= 0.0));
    assert_eq!(claims.times().expires_at.is_some(), time("exp").is_some());
    for (name, value) in claims.claims().iter() {
        assert_eq!(claims.get(name), Some(value), "the literal name comes first");
    }
}

/// Whether a header names the key without `kid`, and the algorithm.
fn is_meant_for(header: &[u8], algorithm: Algorithm) -> bool {
    let Ok(Value::Object(header)) = Value::parse(header) else { return false };
    let text = |name| header.get(name).and_then(Value::as_str);
    text("kid").unwrap_or_default().is_empty() && text("alg") == Some(algorithm.name())
}

fn verify(token: &[u8]) -> Result<VerifiedClaims, VerifyError> {
    let policy = Policy { leeway: LEEWAY, ..Policy::default() };
    claimgate_jose::verify(token, &KEYS, &policy, NOW)
}

fn sign(algorithm: Algorithm, header: &[u8], payload: &[u8]) -> Vec<u8> {
    let hash = match algorithm {
        Algorithm::HS384 => hmac::HMAC_SHA384,
        Algorithm::HS512 => hmac::HMAC_SHA512,
        _ => hmac::HMAC_SHA256,
    };
    let signing_input = format!("{}.{}", base64url::encode(header), base64url::encode(payload));
    let tag = hmac::sign(&hmac::Key::new(hash, &SECRET), signing_input.as_bytes());
    format!("{signing_input}.{}", base64url::encode(tag.as_ref())).into_bytes()
}
