#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! What passes, what the policy refuses, and at which second.
mod hostile;
mod published;

use super::*;
use aws_lc_rs::hmac;

pub(super) const SECRET: [u8; 64] = [7; 64];
pub(super) const NOW: u64 = 1_700_000_000;

/// A set of one HMAC key, of which any token can be made.
pub(super) fn secret_set() -> JwkSet {
    key_set(&format!(r#"{{"kty":"oct","k":"{}"}}"#, base64url::encode(&SECRET)))
}

pub(super) fn key_set(keys: &str) -> JwkSet {
    JwkSet::load(&Value::parse(format!("{{\"keys\":[{keys}]}}").as_bytes()).unwrap()).unwrap().0
}

/// A token whose signature fits, whatever stands in header and payload.
pub(super) fn token(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    signed(&format!("{}.{}", base64url::encode(header.as_ref()), base64url::encode(payload.as_ref())))
}

pub(super) fn signed(signing_input: &str) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &SECRET), signing_input.as_bytes());
    format!("{signing_input}.{}", base64url::encode(tag.as_ref()))
}

pub(super) fn reason(result: Result<VerifiedClaims, VerifyError>) -> &'static str {
    result.map_or_else(|error| error.reason(), |_| "accepted")
}

/// Verifies in both ways, which must not differ in their result nor in what they tell.
pub(super) fn verify(
    token: &[u8],
    keys: &JwkSet,
    policy: &Policy,
    now: Duration,
) -> Result<VerifiedClaims, VerifyError> {
    let (mut told, mut told_elsewhere) = (Vec::new(), Vec::new());
    let in_place = verify_observed(token, &[keys], policy, now, |check| told.push(format!("{check:?}")));
    let mut passed = |check: Check<'_>| told_elsewhere.push(format!("{check:?}"));
    let elsewhere = UnverifiedToken::read(token, &[keys], &mut passed).and_then(|unverified| {
        let checked = unverified.signature_check().run();
        unverified.verify_checked(&checked, policy, now, passed)
    });
    let shown = |result: &Result<VerifiedClaims, VerifyError>| match result {
        Ok(verified) => format!("{verified:?} {}", verified.claims()),
        Err(error) => format!("{error:?}"),
    };
    assert_eq!(shown(&in_place), shown(&elsewhere));
    assert_eq!(told, told_elsewhere);
    in_place
}

#[test]
fn a_checked_signature_serves_no_other_token() {
    let (set, other_set) = (secret_set(), secret_set());
    let (good, other) = (token(HEADER, "{}"), token(HEADER, r#"{"sub":"a"}"#));
    let (input, _) = good.rsplit_once('.').unwrap();
    let bad = format!("{input}.{}", base64url::encode(&[0; 32]));
    let read = |token, set| UnverifiedToken::read(token, &[set], |_| {}).unwrap();
    let checked = read(good.as_bytes(), &set).signature_check().run();
    for (token, set, expected) in [
        (&good, &set, "accepted"),
        (&other, &set, "bad_signature"),
        (&bad, &set, "bad_signature"),
        (&good, &other_set, "bad_signature"),
    ] {
        let unverified = read(token.as_bytes(), set);
        let result = unverified.verify_checked(&checked, &Policy::default(), Duration::ZERO, |_| {});
        assert_eq!(reason(result), expected, "{token}");
    }
}

#[test]
fn slow_keys_are_told_apart() {
    for algorithm in Algorithm::ALL {
        let key = crate::SigningKey::generate(algorithm).unwrap();
        let set = key_set(&key.private_jwk().unwrap().to_string());
        let slow = matches!(algorithm, Algorithm::ES384 | Algorithm::ES512);
        assert_eq!(set.keys()[0].is_slow(), slow, "{algorithm}");
    }
}

const HEADER: &str = r#"{"alg":"HS256"}"#;

fn verify_payload(payload: &str, policy: &Policy) -> Result<VerifiedClaims, VerifyError> {
    verify(token(HEADER, payload).as_bytes(), &secret_set(), policy, Duration::from_secs(NOW))
}

#[test]
fn claims_are_found_by_name_and_path() {
    let payload = r#"{"sub":"a","a.b":"literal","a":{"b":"nested","c":{"d":1e2},"list":[{"x":1}]},"null":null,"":{"":5}}"#;
    let verified = verify_payload(payload, &Policy::default()).unwrap();
    for (name, value) in [
        ("sub", Some("\"a\"")),
        ("a.b", Some("\"literal\"")),
        ("a.c", Some(r#"{"d":1e2}"#)),
        ("a.c.d", Some("1e2")),
        ("a.list", Some(r#"[{"x":1}]"#)),
        ("null", Some("null")),
        (".", Some("5")),
        ("a.list.0", None),
        ("a.c.d.e", None),
        ("a.", None),
        (".a", None),
        ("sub.x", None),
        ("SUB", None),
        ("b", None),
    ] {
        assert_eq!(verified.get(name).map(Value::to_string).as_deref(), value, "{name}");
    }
    assert_eq!(verified.claims().to_string(), payload);
    assert_eq!((verified.algorithm(), verified.key_id()), (Algorithm::HS256, None));
    assert!(!format!("{verified:?}").contains("nested"));
}

#[test]
fn the_first_set_that_has_the_key_is_used() {
    let right = |kid: &str| format!(r#"{{"kty":"oct","k":"{}"{kid}}}"#, base64url::encode(&SECRET));
    let other = |kid: &str| format!(r#"{{"kty":"oct","k":"{}"{kid}}}"#, base64url::encode(&[8; 64]));
    let (a, b, none) = (r#","kid":"a""#, r#","kid":"b""#, "");
    let (with_a, without) = (r#"{"alg":"HS256","kid":"a"}"#, HEADER);
    // (header, keys of each set, result); an empty set is one that is still to come.
    let cases: [(&str, &[&str], &str); 12] = [
        (with_a, &[&right(a)], "accepted"),
        (with_a, &[&right(a), &other(a)], "accepted"),
        (with_a, &[&other(a), &right(a)], "bad_signature"),
        (with_a, &[&other(b), &right(a)], "accepted"),
        (with_a, &["", &right(a)], "accepted"),
        (with_a, &[&other(b), ""], "unknown_key_id"),
        (without, &[&right(a)], "accepted"),
        (without, &[&right(none), &other(none)], "accepted"),
        (without, &[&other(a), &right(none)], "accepted"),
        (without, &[&right(a), ""], "missing_key_id"),
        (without, &["", &right(a)], "missing_key_id"),
        (without, &[&right(a), &other(b)], "missing_key_id"),
    ];
    for (header, sets, expected) in cases {
        let of = |keys: &&str| if keys.is_empty() { JwkSet::default() } else { key_set(keys) };
        let owned: Vec<JwkSet> = sets.iter().map(of).collect();
        let token = token(header, "{}");
        let sets: Vec<&JwkSet> = owned.iter().collect();
        let policy = Policy::default();
        let result = verify_observed(token.as_bytes(), &sets, &policy, Duration::from_secs(NOW), |_| {});
        assert_eq!(reason(result), expected, "{header} {owned:?}");
    }
}

#[test]
fn times_decide_at_their_second() {
    let leeway = |seconds| Policy { leeway: Duration::from_secs(seconds), ..Policy::default() };
    for (payload, policy, expected) in [
        ("{}", leeway(0), "accepted"),
        (r#"{"exp":1700000001}"#, leeway(0), "accepted"),
        (r#"{"exp":1700000000}"#, leeway(0), "expired"),
        (r#"{"exp":1699999999}"#, leeway(0), "expired"),
        (r#"{"exp":1700000000.5}"#, leeway(0), "accepted"),
        (r#"{"exp":1.7000000005e9}"#, leeway(0), "accepted"),
        (r#"{"exp":1699999999.9}"#, leeway(0), "expired"),
        (r#"{"exp":1699999701}"#, leeway(300), "accepted"),
        (r#"{"exp":1699999700}"#, leeway(300), "expired"),
        (r#"{"exp":0}"#, leeway(0), "expired"),
        (r#"{"exp":253402300799}"#, leeway(u64::MAX), "accepted"),
        (r#"{"nbf":1700000000}"#, leeway(0), "accepted"),
        (r#"{"nbf":1699999999}"#, leeway(0), "accepted"),
        (r#"{"nbf":1700000000.5}"#, leeway(0), "not_yet_valid"),
        (r#"{"nbf":1700000001}"#, leeway(0), "not_yet_valid"),
        (r#"{"nbf":1700000300}"#, leeway(300), "accepted"),
        (r#"{"nbf":1700000301}"#, leeway(300), "not_yet_valid"),
        (r#"{"nbf":0,"iat":0}"#, leeway(0), "accepted"),
        (r#"{"iat":1900000000}"#, leeway(0), "accepted"),
        (r#"{"nbf":1700000001,"exp":1699999999}"#, leeway(0), "expired"),
    ] {
        assert_eq!(reason(verify_payload(payload, &policy)), expected, "{payload} {policy:?}");
    }
    let verified = verify_payload(r#"{"exp":1700000000.5}"#, &leeway(9)).unwrap();
    assert_eq!(verified.times().expires_at, Some(Duration::from_millis(1_700_000_000_500)));
}

#[test]
fn malformed_times_are_never_taken_for_absent() {
    for claim in ["exp", "nbf", "iat"] {
        for value in [
            "null",
            "true",
            "false",
            "\"1800000000\"",
            "\"\"",
            "[]",
            "[1800000000]",
            "{}",
            "1800000000000",
            "1.8e12",
            "1800000000000000",
            "253402300800",
            "2534023008e2",
            "1e19",
            "1e50",
            "1e309",
            "-1e309",
            "9007199254740994",
            "9.1e15",
            "100000000000000000000000000000000000000000000000000",
        ] {
            let payload = format!(r#"{{"{claim}":{value}}}"#);
            let error = verify_payload(&payload, &Policy::default()).unwrap_err();
            assert_eq!(error, VerifyError::InvalidTime { claim }, "{payload}");
        }
        for value in ["-1", "-0.001", "-1800000000", "-62135596800"] {
            let payload = format!(r#"{{"{claim}":{value}}}"#);
            let expected = if claim == "exp" { "invalid_time" } else { "accepted" };
            assert_eq!(reason(verify_payload(&payload, &Policy::default())), expected, "{payload}");
        }
        let far_off = format!(r#"{{"{claim}":253402300799}}"#);
        let expected = if claim == "nbf" { "not_yet_valid" } else { "accepted" };
        assert_eq!(reason(verify_payload(&far_off, &Policy::default())), expected);
        for value in ["1e-400", "0.0", "-0", "-0.0"] {
            let payload = format!(r#"{{"{claim}":{value}}}"#);
            let expected = if claim == "exp" { "expired" } else { "accepted" };
            assert_eq!(reason(verify_payload(&payload, &Policy::default())), expected, "{payload}");
        }
    }
}

#[test]
fn issuer_and_audience_must_be_accepted_ones() {
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    for (payload, issuers, audiences, expected) in [
        (r#"{"iss":5,"aud":5}"#, [].as_slice(), [].as_slice(), "accepted"),
        (r#"{"iss":"a"}"#, &["a", "b"], &[], "accepted"),
        (r#"{"iss":"b"}"#, &["a", "b"], &[], "accepted"),
        (r#"{"iss":"A"}"#, &["a"], &[], "wrong_issuer"),
        (r#"{"iss":"a/"}"#, &["a"], &[], "wrong_issuer"),
        (r#"{"iss":["a"]}"#, &["a"], &[], "wrong_issuer"),
        (r#"{"iss":null}"#, &["a"], &[], "wrong_issuer"),
        ("{}", &["a"], &[], "wrong_issuer"),
        (r#"{"aud":"x"}"#, &[], &["x", "y"], "accepted"),
        (r#"{"aud":["z","y"]}"#, &[], &["x", "y"], "accepted"),
        (r#"{"aud":["z"]}"#, &[], &["x"], "wrong_audience"),
        (r#"{"aud":"X"}"#, &[], &["x"], "wrong_audience"),
        (r#"{"aud":[]}"#, &[], &["x"], "wrong_audience"),
        (r#"{"aud":["x",1]}"#, &[], &["x"], "wrong_audience"),
        (r#"{"aud":{"x":1}}"#, &[], &["x"], "wrong_audience"),
        (r#"{"aud":null}"#, &[], &["x"], "wrong_audience"),
        ("{}", &[], &["x"], "wrong_audience"),
    ] {
        let policy = Policy { issuers: list(issuers), audiences: list(audiences), leeway: Duration::ZERO };
        assert_eq!(reason(verify_payload(payload, &policy)), expected, "{payload} {policy:?}");
    }
}

#[test]
fn kid_picks_the_key() {
    let key =
        |secret: u8, kid: &str| format!(r#"{{"kty":"oct","k":"{}"{kid}}}"#, base64url::encode(&[secret; 32]));
    let ours = format!(r#"{{"kty":"oct","k":"{}""#, base64url::encode(&SECRET));
    for (keys, kid, expected) in [
        (format!("{ours}}}"), "", "accepted"),
        (format!("{ours}}}"), r#","kid":"""#, "accepted"),
        (format!("{ours}}}"), r#","kid":"a""#, "unknown_key_id"),
        (format!(r#"{ours},"kid":"a"}}"#), "", "accepted"),
        (format!(r#"{ours},"kid":"a"}}"#), r#","kid":"""#, "accepted"),
        (format!(r#"{ours},"kid":"a"}}"#), r#","kid":"a""#, "accepted"),
        (format!(r#"{ours},"kid":"a"}}"#), r#","kid":"\u0061""#, "accepted"),
        (format!(r#"{ours},"kid":"a"}}"#), r#","kid":"A""#, "unknown_key_id"),
        (format!(r#"{ours},"kid":"a"}}"#), r#","kid":"a ""#, "unknown_key_id"),
        (format!(r#"{ours},"kid":"a"}},{}"#, key(1, r#","kid":"b""#)), "", "missing_key_id"),
        (format!(r#"{ours},"kid":"a"}},{}"#, key(1, r#","kid":"b""#)), r#","kid":"a""#, "accepted"),
        (format!(r#"{ours},"kid":"a"}},{}"#, key(1, r#","kid":"b""#)), r#","kid":"b""#, "bad_signature"),
        (format!(r#"{ours}}},{}"#, key(1, r#","kid":"b""#)), "", "accepted"),
        (format!(r#"{ours},"kid":""}},{}"#, key(1, r#","kid":"b""#)), r#","kid":"""#, "accepted"),
        (format!(r#"{ours},"kid":"a"}},{}"#, key(1, "")), "", "bad_signature"),
        (format!(r#"{ours},"kid":"a"}},{}"#, key(1, "")), r#","kid":"c""#, "unknown_key_id"),
    ] {
        let token = token(format!(r#"{{"alg":"HS256"{kid}}}"#), "{}");
        let result = verify(token.as_bytes(), &key_set(&keys), &Policy::default(), Duration::ZERO);
        assert_eq!(reason(result), expected, "{keys} {kid}");
    }
}

#[test]
fn the_first_check_not_told_of_is_the_one_that_failed() {
    let good = r#"{"iss":"a","aud":"b","exp":1800000000,"nbf":1,"iat":1}"#;
    let policy =
        Policy { issuers: vec!["a".to_owned()], audiences: vec!["b".to_owned()], ..Policy::default() };
    for (token, failed) in [
        (token(HEADER, good), None),
        ("a.b".to_owned(), Some("form")),
        ("!.e30.".to_owned(), Some("header")),
        (token("{}", good), Some("alg")),
        (token(r#"{"alg":"HS256","crit":["b64"]}"#, good), Some("crit")),
        (token(r#"{"alg":"HS256","kid":1}"#, good), Some("kid")),
        (token(r#"{"alg":"HS256","kid":"other"}"#, good), Some("key")),
        (token(r#"{"alg":"RS256"}"#, good), Some("key_fit")),
        (token(HEADER, good).replace('.', ".."), Some("form")),
        (format!("{}AA", token(HEADER, good)), Some("signature")),
        (token(HEADER, "[]"), Some("payload")),
        (token(HEADER, r#"{"iat":"1"}"#), Some("times")),
        (token(HEADER, r#"{"exp":1}"#), Some("exp")),
        (token(HEADER, r#"{"nbf":1800000000}"#), Some("nbf")),
        (token(HEADER, r#"{"aud":"b"}"#), Some("iss")),
        (token(HEADER, r#"{"iss":"a"}"#), Some("aud")),
    ] {
        let mut passed = Vec::new();
        let verified =
            verify_observed(token.as_bytes(), &[&secret_set()], &policy, Duration::from_secs(NOW), |check| {
                passed.push(check.name());
            });
        assert_eq!(passed, Check::NAMES[..passed.len()], "{token}");
        assert_eq!(Check::NAMES.get(passed.len()).copied(), failed, "{token}");
        assert_eq!(verified.is_ok(), failed.is_none(), "{token}");
    }
}
