#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Tokens as attackers send them.
use super::*;
use crate::SigningKey;
use crate::json::Object;

const PAYLOAD: &str = r#"{"sub":"a"}"#;

fn check(token: impl AsRef<[u8]>) -> &'static str {
    reason(verify(token.as_ref(), &secret_set(), &Policy::default(), Duration::from_secs(NOW)))
}

fn public_set(key: &SigningKey) -> JwkSet {
    key_set(&key.public_jwk().unwrap().unwrap().to_string())
}

fn sign(key: &SigningKey) -> String {
    let mut claims = Object::new();
    claims.insert("sub", "a");
    key.sign(&Object::new(), &claims).unwrap()
}

#[test]
fn only_compact_jws_is_a_token() {
    let good = token(r#"{"alg":"HS256"}"#, PAYLOAD);
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!() };
    for (token, expected) in [
        (good.clone(), "accepted"),
        (String::new(), "not_compact"),
        (header.to_owned(), "not_compact"),
        (format!("{header}.{payload}"), "not_compact"),
        (format!("{good}."), "not_compact"),
        (format!("{good}.x.y"), "encrypted"),
        (format!("{good}.x.y.z"), "not_compact"),
        ("..".to_owned(), "invalid_json"),
        ("....".to_owned(), "encrypted"),
        (".".repeat(100_000), "not_compact"),
        (format!("{header}.{payload}."), "wrong_signature_length"),
        (format!("{header}..{signature}"), "bad_signature"),
        (signed(&format!("{header}.")), "invalid_json"),
        (
            format!(r#"{{"payload":"{payload}","protected":"{header}","signature":"{signature}"}}"#),
            "not_compact",
        ),
        (format!("Bearer {good}"), "invalid_base64"),
        (format!(" {good}"), "invalid_base64"),
        (format!("{good} "), "invalid_base64"),
        (format!("{good}\n"), "invalid_base64"),
        (format!("{good}="), "invalid_base64"),
        (format!("{good}=="), "invalid_base64"),
        (format!("{good},{good}"), "encrypted"),
        (good.replace('.', "\u{3002}"), "not_compact"),
    ] {
        assert_eq!(check(&token), expected, "{token}");
    }
    assert_eq!(check([0xFF, b'.', 0xFF, b'.', 0xFF]), "invalid_base64");
}

#[test]
fn each_part_has_one_spelling() {
    // `{"alg":"HS256"} ` with white space has 16 bytes, so its last character has four unused bits.
    let header = base64url::encode(br#"{"alg":"HS256"} "#);
    let payload = base64url::encode(br#"{"sub":"abcd"} "#);
    assert_eq!(check(signed(&format!("{header}.{payload}"))), "accepted");
    for (header, payload) in [
        (format!("{header}=="), payload.clone()),
        (format!("{header}="), payload.clone()),
        (format!("{}=", &header[..header.len() - 1]), payload.clone()),
        (header.replace("IA", "IB"), payload.clone()),
        (format!("{} {}", &header[..4], &header[4..]), payload.clone()),
        (format!("{header}\n"), payload.clone()),
        (header.clone(), format!("{payload}=")),
        (header.clone(), format!("{payload}==")),
        (header.clone(), format!("{}+", &payload[..payload.len() - 1])),
        (header.clone(), format!("{}/", &payload[..payload.len() - 1])),
        (header.clone(), format!("{} ", &payload[..payload.len() - 1])),
        (header.clone(), format!("{payload}A")),
    ] {
        assert_eq!(check(signed(&format!("{header}.{payload}"))), "invalid_base64", "{header}.{payload}");
    }
    // The 32 bytes of a tag leave two unused bits: three other spellings of the same tag.
    let good = token(r#"{"alg":"HS256"}"#, PAYLOAD);
    let (start, last) = good.split_at(good.len() - 1);
    let others = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for other in others.chars().filter(|other| last != other.to_string()) {
        assert_ne!(check(format!("{start}{other}")), "accepted", "{other}");
    }
}

#[test]
fn the_header_must_be_one_that_is_understood() {
    for (header, expected) in [
        (r#"{"alg":"HS256","typ":"JWT","cty":"JWT","x":[1,{"y":null}]}"#, "accepted"),
        (r#"{"alg":"none"}"#, "unsupported_algorithm"),
        (r#"{"alg":"None"}"#, "unsupported_algorithm"),
        (r#"{"alg":"NONE"}"#, "unsupported_algorithm"),
        (r#"{"alg":"nOnE"}"#, "unsupported_algorithm"),
        (r#"{"alg":""}"#, "unsupported_algorithm"),
        (r#"{"alg":"hs256"}"#, "unsupported_algorithm"),
        (r#"{"alg":" HS256"}"#, "unsupported_algorithm"),
        (r#"{"alg":"HS256 "}"#, "unsupported_algorithm"),
        (r#"{"alg":"HS256\n"}"#, "unsupported_algorithm"),
        (r#"{"alg":"HS256\u0000"}"#, "unsupported_algorithm"),
        (r#"{"alg":"HS1"}"#, "unsupported_algorithm"),
        (r#"{"alg":"RSA-OAEP"}"#, "unsupported_algorithm"),
        (r#"{"alg":"PBES2-HS256+A128KW","p2c":1000000000}"#, "unsupported_algorithm"),
        (r#"{"alg":["HS256"]}"#, "missing_algorithm"),
        (r#"{"alg":null}"#, "missing_algorithm"),
        (r#"{"ALG":"HS256"}"#, "missing_algorithm"),
        (r#"{}"#, "missing_algorithm"),
        (r#"{"alg":"HS256","crit":["exp"],"exp":1}"#, "critical_header"),
        (r#"{"alg":"HS256","crit":["alg"]}"#, "critical_header"),
        (r#"{"alg":"HS256","crit":["b64"],"b64":true}"#, "critical_header"),
        (r#"{"alg":"HS256","crit":["x","x"]}"#, "critical_header"),
        (r#"{"alg":"HS256","crit":[]}"#, "critical_header"),
        (r#"{"alg":"HS256","crit":""}"#, "critical_header"),
        (r#"{"alg":"HS256","crit":null}"#, "critical_header"),
        (r#"{"alg":"HS256","crit":{}}"#, "critical_header"),
        (r#"{"alg":"HS256","b64":false}"#, "unencoded_payload"),
        (r#"{"alg":"HS256","b64":true}"#, "unencoded_payload"),
        (r#"{"alg":"HS256","kid":1}"#, "invalid_key_id"),
        (r#"{"alg":"HS256","kid":null}"#, "invalid_key_id"),
        (r#"{"alg":"HS256","kid":["a"]}"#, "invalid_key_id"),
        (r#"{"alg":"HS256","kid":"../../../dev/null"}"#, "unknown_key_id"),
        (r#"{"alg":"HS256","kid":"' UNION SELECT 'x"}"#, "unknown_key_id"),
        (r#"{"alg":"HS256","kid":"\u0000"}"#, "unknown_key_id"),
        (
            r#"{"alg":"HS256","jwk":{"kty":"oct","k":"AA"},"jku":"http://a","x5u":"http://a","x5c":["AA"]}"#,
            "accepted",
        ),
        (r#"{"alg":"HS256","alg":"HS256"}"#, "invalid_json"),
        (r#"{"alg":"none","\u0061lg":"HS256"}"#, "invalid_json"),
        (r#"{"alg":"HS256","x":{"a":1,"a":1}}"#, "invalid_json"),
        (r#"{"alg":"HS256"}x"#, "invalid_json"),
        (r#"{"alg":"HS256"}{}"#, "invalid_json"),
        (r#"{"alg":"HS256",}"#, "invalid_json"),
        ("\u{feff}{\"alg\":\"HS256\"}", "invalid_json"),
        (r#"{"alg":"HS256","x":"\ud800"}"#, "invalid_json"),
        (r#"{"alg":"HS256","x":NaN}"#, "invalid_json"),
        ("", "invalid_json"),
        (r#"["alg"]"#, "not_an_object"),
        (r#""HS256""#, "not_an_object"),
        ("null", "not_an_object"),
    ] {
        assert_eq!(check(token(header, PAYLOAD)), expected, "{header}");
    }
    assert_eq!(check(token(b"{\"alg\":\"HS256\",\"x\":\"\xff\"}", PAYLOAD)), "invalid_json");
    let long = format!(r#"{{"alg":"HS256","kid":"{}"}}"#, "k".repeat(10_240));
    assert_eq!(check(token(long, PAYLOAD)), "unknown_key_id");
}

#[test]
fn the_payload_must_be_an_unambiguous_object() {
    let nested = |depth: usize| format!("{{\"a\":{}1{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    for (payload, expected) in [
        ("{}".to_owned(), "accepted"),
        (nested(128), "accepted"),
        (nested(129), "invalid_json"),
        (nested(100_000), "invalid_json"),
        (String::new(), "invalid_json"),
        ("[]".to_owned(), "not_an_object"),
        ("null".to_owned(), "not_an_object"),
        ("\"a\"".to_owned(), "not_an_object"),
        ("1".to_owned(), "not_an_object"),
        (r#"{"sub":"a","sub":"b"}"#.to_owned(), "invalid_json"),
        (r#"{"sub":"a","s\u0075b":"b"}"#.to_owned(), "invalid_json"),
        (r#"{"x":[{"y":1,"y":1}]}"#.to_owned(), "invalid_json"),
        (r#"{"sub":"a"} x"#.to_owned(), "invalid_json"),
        (r#"{"sub":"a"}{"sub":"b"}"#.to_owned(), "invalid_json"),
        (r#"{"exp":NaN}"#.to_owned(), "invalid_json"),
        (r#"{"sub":"\udfff"}"#.to_owned(), "invalid_json"),
        ("\u{feff}{}".to_owned(), "invalid_json"),
        ("sub=a".to_owned(), "invalid_json"),
        (token(r#"{"alg":"HS256"}"#, PAYLOAD), "invalid_json"),
    ] {
        assert_eq!(
            check(token(r#"{"alg":"HS256","cty":"JWT","zip":"DEF"}"#, &payload)),
            expected,
            "{payload:.60}"
        );
    }
    assert_eq!(check(token(r#"{"alg":"HS256"}"#, b"{\"sub\":\"\xc3\x28\"}")), "invalid_json");
}

#[test]
fn many_members_cost_little() {
    let members: Vec<String> = (0..100_000).map(|number| format!("\"{number}\":{number}")).collect();
    let object = format!("{{{}}}", members.join(","));
    assert_eq!(check(token(r#"{"alg":"HS256"}"#, &object)), "accepted");
    assert_eq!(check(token(&object, PAYLOAD)), "missing_algorithm");
}

/// The key decides on the algorithm: no key serves one of another kind, hash, curve or size.
#[test]
fn every_key_refuses_the_other_algorithms() {
    let rsa = SigningKey::generate(Algorithm::RS256).unwrap();
    let keys: Vec<(Algorithm, JwkSet, Vec<u8>)> = Algorithm::ALL
        .into_iter()
        .map(|algorithm| {
            // Every RSA algorithm with the same key: only `alg` tells them apart.
            let key = if algorithm.key_type() == crate::KeyType::Rsa {
                let mut jwk = rsa.private_jwk().unwrap();
                jwk.insert("alg", algorithm.name());
                SigningKey::from_jwk(&jwk.into()).unwrap()
            } else {
                SigningKey::generate(algorithm).unwrap()
            };
            let text = key.private_jwk().unwrap().to_string();
            (algorithm, key_set(&text), sign(&key).into_bytes())
        })
        .collect();
    for (key_algorithm, set, _) in &keys {
        for (algorithm, _, token) in &keys {
            let result = verify(token, set, &Policy::default(), Duration::ZERO);
            let expected = if algorithm == key_algorithm { "accepted" } else { "algorithm_mismatch" };
            assert_eq!(reason(result), expected, "a token of {algorithm} with a key of {key_algorithm}");
        }
    }
    // Without `alg`, an RSA key serves six; everything else is refused as before.
    let mut open = rsa.public_jwk().unwrap().unwrap();
    open.remove("alg");
    for (algorithm, _, token) in &keys {
        let result = verify(token, &key_set(&open.to_string()), &Policy::default(), Duration::ZERO);
        let fits = algorithm.key_type() == crate::KeyType::Rsa;
        assert_eq!(reason(result), if fits { "accepted" } else { "algorithm_mismatch" }, "{algorithm}");
    }
}

#[test]
fn a_public_key_is_no_secret() {
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
        let key = SigningKey::generate(algorithm).unwrap();
        let public = key.public_jwk().unwrap().unwrap();
        let member = if algorithm == Algorithm::RS256 { "n" } else { "x" };
        let raw = base64url::decode(public.get(member).unwrap().as_str().unwrap().as_bytes()).unwrap();
        for secret in [public.to_string().into_bytes(), raw, Vec::new()] {
            for hash in [hmac::HMAC_SHA256, hmac::HMAC_SHA384, hmac::HMAC_SHA512] {
                let bits = 8 * hash.digest_algorithm().output_len();
                let header = base64url::encode(format!("{{\"alg\":\"HS{bits}\"}}").as_bytes());
                let input = format!("{header}.{}", base64url::encode(PAYLOAD.as_bytes()));
                let tag = hmac::sign(&hmac::Key::new(hash, &secret), input.as_bytes());
                let token = format!("{input}.{}", base64url::encode(tag.as_ref()));
                let result = verify(token.as_bytes(), &public_set(&key), &Policy::default(), Duration::ZERO);
                assert_eq!(reason(result), "algorithm_mismatch", "{algorithm} {bits}");
            }
        }
    }
}

#[test]
fn signatures_of_wrong_form_are_refused() {
    // The order of P-256 (FIPS 186-5) and of the base point of Ed25519 (RFC 8032 section 5.1).
    const P256_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let order: Vec<u8> =
        (0..32).map(|i| u8::from_str_radix(&P256_ORDER[2 * i..2 * i + 2], 16).unwrap()).collect();
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let set = public_set(&key);
    let token = sign(&key);
    let (input, signature) = token.rsplit_once('.').unwrap();
    let right = base64url::decode(signature.as_bytes()).unwrap();
    let (r, s) = right.split_at(32);
    let zero = [0; 32];
    let der = [&[0x30, 0x44, 2, 0x20], r, &[2, 0x20], s].concat();
    for (signature, expected) in [
        (right.clone(), "accepted"),
        ([zero, zero].concat(), "bad_signature"),
        ([r, &zero].concat(), "bad_signature"),
        ([&zero, s].concat(), "bad_signature"),
        ([order.as_slice(), &order].concat(), "bad_signature"),
        ([r, &order].concat(), "bad_signature"),
        ([order.as_slice(), s].concat(), "bad_signature"),
        (vec![0xFF; 64], "bad_signature"),
        ([s, r].concat(), "bad_signature"),
        (der, "wrong_signature_length"),
        (vec![0x30, 6, 2, 1, 0, 2, 1, 0], "wrong_signature_length"),
        (Vec::new(), "wrong_signature_length"),
        (right[..63].to_vec(), "wrong_signature_length"),
        ([&right, [0].as_slice()].concat(), "wrong_signature_length"),
        ([&[0], right.as_slice()].concat(), "wrong_signature_length"),
        ([zero.as_slice(), r, s].concat(), "wrong_signature_length"),
    ] {
        let token = format!("{input}.{}", base64url::encode(&signature));
        let result = verify(token.as_bytes(), &set, &Policy::default(), Duration::ZERO);
        assert_eq!(reason(result), expected, "{signature:?}");
    }
}

#[test]
fn an_ed25519_signature_has_one_spelling() {
    const ORDER: [u8; 32] = [
        0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let token = sign(&key);
    let (input, signature) = token.rsplit_once('.').unwrap();
    let mut signature = base64url::decode(signature.as_bytes()).unwrap();
    // S + L is the same number modulo L.
    let mut carry = 0;
    for (byte, add) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
    for (signature, expected) in [
        (signature.as_slice(), "bad_signature"),
        (&signature[..32], "wrong_signature_length"),
        (&[0; 64], "bad_signature"),
        (&[], "wrong_signature_length"),
    ] {
        let token = format!("{input}.{}", base64url::encode(signature));
        let result = verify(token.as_bytes(), &public_set(&key), &Policy::default(), Duration::ZERO);
        assert_eq!(reason(result), expected);
    }
}

#[test]
fn errors_show_nothing_of_the_token() {
    let header = format!(r#"{{"alg":"x\n\u001b[31m\"é{}"}}"#, "y".repeat(500));
    let error = verify(token(header, PAYLOAD).as_bytes(), &secret_set(), &Policy::default(), Duration::ZERO);
    let error = error.unwrap_err().to_string();
    assert!(error.len() < 120 && error.is_ascii() && !error.contains(['\n', '\u{1b}']), "{error}");

    let secret = "s3cret";
    for token in [
        token(format!(r#"{{"alg":"HS256","kid":"{secret}"}}"#), "{}"),
        token(format!(r#"{{"alg":"HS256","{secret}":1,"{secret}":1}}"#), "{}"),
        token(r#"{"alg":"HS256"}"#, format!(r#"{{"{secret}":1,"{secret}":1}}"#)),
        token(r#"{"alg":"HS256"}"#, format!(r#"{{"exp":"{secret}"}}"#)),
        format!("{secret}!.a.b"),
    ] {
        let error = verify(token.as_bytes(), &secret_set(), &Policy::default(), Duration::ZERO).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(secret), "{error:?}");
    }
}

#[test]
fn any_bytes_are_survived() {
    use proptest::prelude::*;
    let set = secret_set();
    proptest!(|(token in prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        "[A-Za-z0-9_=-]{0,40}\\.[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,43}".prop_map(String::into_bytes),
        ("\\PC{0,60}", "\\PC{0,60}").prop_map(|(header, payload)| token(header, payload).into_bytes()),
    ])| {
        prop_assert!(verify(&token, &set, &Policy::default(), Duration::ZERO).is_err());
    });
}
