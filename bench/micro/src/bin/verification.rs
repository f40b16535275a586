//! Verification of a token to its claims: claimgate's against the signature alone (aws-lc-rs with a parsed
//! key) and against the crate `jsonwebtoken`.
//!
//! The three take turns in each round and are measured in CPU time of this thread, so that other work on
//! the machine weighs little; the ratios are medians of the rounds' ratios.

use std::time::Duration;

use aws_lc_rs::signature::ParsedPublicKey;
use aws_lc_rs::{hmac, signature};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use claimgate_jose::json::{Object, Value};
use claimgate_jose::{Algorithm, JwkSet, Policy, SigningKey, verify};
use rustix::time::{ClockId, clock_gettime};

/// The gateway's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 15;
const TOKENS: usize = 50;
/// How long each of the three takes in a round.
const TURN: Duration = Duration::from_millis(40);
const NOW: u64 = 1_800_000_000;

fn main() {
    println!("| algorithm | µs a token | min-max | / signature alone | speed / `jsonwebtoken` |");
    println!("| --- | --: | --: | --: | --: |");
    for (name, algorithm, bits) in [
        ("HS256", Algorithm::HS256, None),
        ("RS256", Algorithm::RS256, None),
        ("RS256, 4096 bits", Algorithm::RS256, Some(4096)),
        ("PS256", Algorithm::PS256, None),
        ("ES256", Algorithm::ES256, None),
        ("ES384", Algorithm::ES384, None),
        ("ES512", Algorithm::ES512, None),
        ("EdDSA", Algorithm::EdDSA, None),
    ] {
        // Names on the command line choose rows.
        if std::env::args().len() > 1 && !std::env::args().any(|chosen| chosen == name) {
            continue;
        }
        let key = match bits {
            Some(bits) => SigningKey::generate_sized(algorithm, bits),
            None => SigningKey::generate(algorithm),
        };
        let key = key.expect("a key").with_key_id("bench");
        report(name, &key);
    }
}

fn report(name: &str, key: &SigningKey) {
    let tokens: Vec<String> = (0..TOKENS).map(|user| token(key, user)).collect();
    let jwk = key.public_jwk().expect("a public key").unwrap_or_else(|| key.private_jwk().expect("a secret"));
    let jwk = Value::Object(jwk).to_string();

    let set = Value::parse(format!("{{\"keys\":[{jwk}]}}").as_bytes()).expect("a set");
    let (keys, _) = JwkSet::load(&set).expect("a usable set");
    let policy = Policy::default();
    let ours = |token: &str| {
        verify(token.as_bytes(), &keys, &policy, Duration::from_secs(NOW)).expect("a good token").claims().len()
    };

    let raw = raw_verifier(&keys, &jwk, key.algorithm());
    let signed: Vec<(String, Vec<u8>)> = tokens.iter().map(|token| split(token)).collect();

    let theirs = theirs(&jwk, key.algorithm());
    let (mut times, mut over_raw, mut over_theirs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let own = time(|turn| ours(&tokens[turn % TOKENS]));
        let signature = time(|turn| {
            let (message, signature) = &signed[turn % TOKENS];
            usize::from(raw(message.as_bytes(), signature))
        });
        times.push(own);
        over_raw.push(own / signature);
        if let Some(theirs) = &theirs {
            over_theirs.push(time(|turn| theirs(&tokens[turn % TOKENS])) / own);
        }
    }
    let (least, most) = (times.iter().copied().fold(f64::MAX, f64::min), times.iter().copied().fold(0.0, f64::max));
    let theirs = if over_theirs.is_empty() { "has none".to_owned() } else { format!("{:.2}", median(over_theirs)) };
    println!("| {name} | {:.2} | {least:.2}-{most:.2} | {:.2} | {theirs} |", median(times), median(over_raw));
}

/// Microseconds of CPU for one call.
fn time(mut call: impl FnMut(usize) -> usize) -> f64 {
    let start = cpu();
    let mut calls = 0;
    loop {
        for _ in 0..8 {
            std::hint::black_box(call(calls));
            calls += 1;
        }
        let taken = cpu() - start;
        if taken >= TURN {
            return taken.as_secs_f64() * 1e6 / calls as f64;
        }
    }
}

fn cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

fn token(key: &SigningKey, user: usize) -> String {
    let mut claims = Object::new();
    claims.insert("iss", "https://issuer.example.com");
    claims.insert("aud", "api.example.com");
    claims.insert("sub", format!("user-{user:06}").as_str());
    claims.insert("name", format!("John Snow {user}").as_str());
    claims.insert("email", format!("john.snow.{user}@example.com").as_str());
    claims.insert("roles", Value::Array(vec!["ranger".into(), "steward".into()]));
    claims.insert("iat", NOW - 60);
    claims.insert("exp", 4_000_000_000_u64);
    claims.insert("jti", format!("{user:032x}").as_str());
    key.sign(&Object::new(), &claims).expect("a token")
}

fn split(token: &str) -> (String, Vec<u8>) {
    let (message, signature) = token.rsplit_once('.').expect("three segments");
    (message.to_owned(), URL_SAFE_NO_PAD.decode(signature).expect("a signature"))
}

fn raw_verifier(keys: &JwkSet, jwk: &str, algorithm: Algorithm) -> Box<dyn Fn(&[u8], &[u8]) -> bool> {
    let scheme: &'static dyn signature::VerificationAlgorithm = match algorithm {
        Algorithm::RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::ES256 => &signature::ECDSA_P256_SHA256_FIXED,
        Algorithm::ES384 => &signature::ECDSA_P384_SHA384_FIXED,
        Algorithm::ES512 => &signature::ECDSA_P521_SHA512_FIXED,
        Algorithm::EdDSA => &signature::ED25519,
        _ => {
            let jwk: serde_json::Value = serde_json::from_str(jwk).expect("a JWK");
            let secret = URL_SAFE_NO_PAD.decode(jwk["k"].as_str().expect("a secret")).expect("base64url");
            let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
            return Box::new(move |message, signature| hmac::verify(&key, message, signature).is_ok());
        }
    };
    let public = keys.keys()[0].to_spki().expect("a public key").expect("a public key");
    let key = ParsedPublicKey::new(scheme, public.der.as_slice()).expect("a public key");
    Box::new(move |message, signature| key.verify_sig(message, signature).is_ok())
}

/// `jsonwebtoken` at the same job; it has no ES512.
fn theirs(jwk: &str, algorithm: Algorithm) -> Option<Box<dyn Fn(&str) -> usize>> {
    let algorithm: jsonwebtoken::Algorithm = algorithm.name().parse().ok()?;
    let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_str(jwk).ok()?;
    let key = jsonwebtoken::DecodingKey::from_jwk(&jwk).ok()?;
    let mut validation = jsonwebtoken::Validation::new(algorithm);
    validation.validate_aud = false;
    validation.validate_nbf = true;
    validation.leeway = 0;
    Some(Box::new(move |token| {
        let decoded = jsonwebtoken::decode::<serde_json::Map<String, serde_json::Value>>(token, &key, &validation);
        decoded.expect("a good token").claims.len()
    }))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
