#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
use super::*;
use crate::json::Value;
use crate::{JwkSet, KeyFile, KeyType, Policy, VerifiedClaims, VerifyError, verify};
use std::time::Duration;

fn claims() -> Object {
    let mut claims = Object::new();
    claims.insert("sub", "ünï \"quoted\"");
    claims.insert("exp", 2_000_000_000_u64);
    claims
}

/// Verifies with what a relying party gets: the public key, or the secret of HMAC.
fn check(key: &SigningKey, token: &[u8]) -> Result<VerifiedClaims, VerifyError> {
    let jwk = key.public_jwk().unwrap().unwrap_or_else(|| key.private_jwk().unwrap());
    let mut set = Object::new();
    set.insert("keys", vec![Value::from(jwk)]);
    verify(token, &JwkSet::load(&set.into()).unwrap().0, &Policy::default(), Duration::ZERO)
}

/// All other ways to have the same key.
fn copies(key: &SigningKey) -> Vec<SigningKey> {
    let mut copies = vec![SigningKey::from_jwk(&key.private_jwk().unwrap().into()).unwrap()];
    if key.algorithm().key_type() != KeyType::Oct {
        let file = KeyFile::read(&key.to_pkcs8().unwrap().der).unwrap();
        let copy = SigningKey::from_jwk(&file.keys[0]).unwrap();
        copies.push(copy.with_algorithm(key.algorithm()).unwrap().with_key_id("key 1"));
    }
    copies
}

#[test]
fn every_algorithm_signs_what_it_verifies_and_nothing_else() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap().with_key_id("key 1");
        let token = key.sign(&Object::new(), &claims()).unwrap();
        let verified = check(&key, token.as_bytes()).unwrap();
        assert_eq!(verified.claims(), &claims(), "{algorithm}");
        assert_eq!((verified.algorithm(), verified.key_id()), (algorithm, Some("key 1")));

        for copy in copies(&key) {
            assert_eq!(copy.private_jwk().unwrap(), key.private_jwk().unwrap(), "{algorithm}");
            let token = copy.sign(&Object::new(), &claims()).unwrap();
            assert!(check(&key, token.as_bytes()).is_ok(), "{algorithm}");
        }

        // Each bit of each byte. For the slower algorithms a changing choice of bits.
        let all_bits = matches!(algorithm.key_type(), KeyType::Oct | KeyType::Rsa);
        for position in 0..token.len() {
            for bit in (0..8).filter(|bit| all_bits || *bit == position % 8) {
                let mut changed = token.clone().into_bytes();
                changed[position] ^= 1 << bit;
                assert!(check(&key, &changed).is_err(), "{algorithm}: bit {bit} of byte {position}");
            }
        }
    }
}

#[test]
fn keys_have_the_size_that_was_asked_for() {
    for (algorithm, bits, found) in [
        (Algorithm::PS256, 3072, 3072),
        (Algorithm::ES384, 384, 384),
        (Algorithm::ES512, 521, 521),
        (Algorithm::EdDSA, 255, 255),
        (Algorithm::EdDSA, 256, 255),
        (Algorithm::HS256, 256, 256),
        (Algorithm::HS512, 1000, 1000),
        (Algorithm::HS256, 8192, 8192),
    ] {
        let key = SigningKey::generate_sized(algorithm, bits).unwrap();
        let mut set = Object::new();
        set.insert("keys", vec![Value::from(key.private_jwk().unwrap())]);
        let (set, _) = JwkSet::load(&set.into()).unwrap();
        assert_eq!(set.keys()[0].bits(), found, "{algorithm} {bits}");
    }
    for (algorithm, bits, message) in [
        (Algorithm::RS256, 1024, "a key for RS256 has 2048, 3072, 4096 or 8192 bits, not 1024"),
        (Algorithm::PS512, 2049, "a key for PS512 has 2048, 3072, 4096 or 8192 bits, not 2049"),
        (Algorithm::ES256, 384, "a key for ES256 has 256 bits, not 384"),
        (Algorithm::ES512, 512, "a key for ES512 has 521 bits, not 512"),
        (Algorithm::EdDSA, 448, "a key for EdDSA has 256 bits, not 448"),
        (Algorithm::HS384, 376, "a key for HS384 has 384 to 8192 bits in whole bytes, not 376"),
        (Algorithm::HS256, 257, "a key for HS256 has 256 to 8192 bits in whole bytes, not 257"),
        (Algorithm::HS256, 0, "a key for HS256 has 256 to 8192 bits in whole bytes, not 0"),
        (Algorithm::HS256, usize::MAX, "a key for HS256 has 256 to 8192 bits"),
    ] {
        let error = SigningKey::generate_sized(algorithm, bits).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn the_header_says_how_to_verify() {
    let key = SigningKey::generate(Algorithm::HS256).unwrap();
    let header = |key: &SigningKey, extra: &str| {
        let extra = Value::parse(extra.as_bytes()).unwrap();
        let token = key.sign(extra.as_object().unwrap(), &Object::new())?;
        let header = base64url::decode(token.split('.').next().unwrap().as_bytes()).unwrap();
        Ok::<_, SignError>(String::from_utf8(header).unwrap())
    };
    assert_eq!(header(&key, "{}").unwrap(), r#"{"alg":"HS256","typ":"JWT"}"#);
    for reserved in ["alg", "crit", "b64"] {
        let extra = format!(r#"{{"{reserved}":"HS256"}}"#);
        assert_eq!(header(&key, &extra), Err(SignError::ReservedHeader(reserved)));
    }
    let key = key.with_key_id("a");
    assert_eq!(
        header(&key, r#"{"typ":"at+jwt","x":1}"#).unwrap(),
        r#"{"alg":"HS256","typ":"at+jwt","kid":"a","x":1}"#
    );
    assert_eq!(header(&key.with_key_id(""), "{}").unwrap(), r#"{"alg":"HS256","typ":"JWT"}"#);
}

#[test]
fn jwks_say_what_the_key_is_for() {
    let key = SigningKey::generate(Algorithm::PS384).unwrap().with_key_id("a");
    let names = |jwk: &Object| jwk.iter().map(|(name, _)| name.to_owned()).collect::<Vec<_>>().join(" ");
    assert_eq!(names(&key.public_jwk().unwrap().unwrap()), "kty kid use alg n e");
    assert_eq!(names(&key.private_jwk().unwrap()), "kty kid use alg n e d p q dp dq qi");
    let key = SigningKey::generate(Algorithm::ES512).unwrap();
    assert_eq!(names(&key.private_jwk().unwrap()), "kty use alg crv x y d");
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    assert_eq!(names(&key.private_jwk().unwrap()), "kty use alg crv x d");
    let key = SigningKey::generate(Algorithm::HS512).unwrap();
    assert_eq!(names(&key.private_jwk().unwrap()), "kty use alg k");
    assert_eq!(key.public_jwk(), Ok(None));
    assert_eq!(key.to_pkcs8().err(), Some(SignError::NoPkcs8ForHmac));
}

#[test]
fn algorithms_must_fit_the_key() {
    for (made_for, fitting) in [
        (Algorithm::RS256, "RS256 RS384 RS512 PS256 PS384 PS512"),
        (Algorithm::HS384, "HS256 HS384"),
        (Algorithm::ES384, "ES384"),
        (Algorithm::EdDSA, "EdDSA"),
    ] {
        let pristine = SigningKey::generate(made_for).unwrap();
        for algorithm in Algorithm::ALL {
            let copy = SigningKey::from_jwk(&pristine.private_jwk().unwrap().into()).unwrap();
            let fits = copy.with_algorithm(algorithm).is_ok();
            assert_eq!(
                fits,
                fitting.split(' ').any(|name| name == algorithm.name()),
                "{made_for} {algorithm}"
            );
        }
    }
}

#[test]
fn unusable_private_jwks_are_refused() {
    let rsa = SigningKey::generate(Algorithm::RS256).unwrap().private_jwk().unwrap();
    let ec = SigningKey::generate(Algorithm::ES256).unwrap().private_jwk().unwrap();
    let okp = SigningKey::generate(Algorithm::EdDSA).unwrap().private_jwk().unwrap();
    let other_ec = SigningKey::generate(Algorithm::ES256).unwrap().private_jwk().unwrap();
    let other_okp = SigningKey::generate(Algorithm::EdDSA).unwrap().private_jwk().unwrap();
    let text = |object: &Object, name: &str| object.get(name).unwrap().clone();

    let mut cases: Vec<(Object, &str, Option<Value>)> = Vec::new();
    for member in ["d", "p", "q", "dp", "dq", "qi"] {
        cases.push((rsa.clone(), member, None));
        cases.push((rsa.clone(), member, Some("AQ".into())));
    }
    cases.push((rsa.clone(), "use", Some("enc".into())));
    cases.push((rsa.clone(), "key_ops", Some(vec!["verify".into()].into())));
    for d in [None, Some("AQ".into()), Some("A===".into()), Some(1_i64.into())] {
        cases.push((ec.clone(), "d", d.clone()));
        cases.push((okp.clone(), "d", d));
    }
    cases.push((ec.clone(), "d", Some(text(&other_ec, "d"))));
    let d = base64url::decode(text(&ec, "d").as_str().unwrap().as_bytes()).unwrap();
    cases.push((ec.clone(), "d", Some(base64url::encode(&[&[0], d.as_slice()].concat()).into())));
    cases.push((ec.clone(), "d", Some(base64url::encode(&[0; 32]).into())));
    cases.push((ec.clone(), "d", Some(base64url::encode(&[0xFF; 32]).into())));
    cases.push((okp.clone(), "d", Some(text(&other_okp, "d"))));
    for (mut jwk, member, value) in cases {
        jwk.remove(member);
        if let Some(value) = value {
            jwk.insert(member, value);
        }
        let error = SigningKey::from_jwk(&jwk.clone().into()).unwrap_err();
        let SignError::InvalidJwk { member: Some(_), .. } = error else { panic!("{member}: {error:?}") };
        let private = text(if jwk.get("p").is_some() { &rsa } else { &ec }, "d").to_string();
        assert!(!format!("{error} {error:?}").contains(private.trim_matches('"')));
    }
    for text in ["5", "{}", r#"{"kty":"oct","k":"AA"}"#, r#"{"kty":"DSA"}"#] {
        assert!(SigningKey::from_jwk(&Value::parse(text.as_bytes()).unwrap()).is_err(), "{text}");
    }
}

#[test]
fn nothing_private_is_shown() {
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA, Algorithm::HS256] {
        let key = SigningKey::generate(algorithm).unwrap().with_key_id("a");
        assert_eq!(
            format!("{key:?}"),
            format!("SigningKey {{ algorithm: {algorithm:?}, key_id: Some(\"a\"), .. }}")
        );
    }
}
