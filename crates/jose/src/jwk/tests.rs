#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
use super::*;
use crate::{Algorithm, base64url};

const THUMBPRINTS: &str = include_str!("../../tests/data/thumbprints.json");

/// RFC 7515 appendix A.2, A.3 and RFC 8037 appendix A.2, without braces.
const RSA: &str = r#""kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ""#;
const EC: &str = r#""kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#;
const OKP: &str = r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;
const OCT_32: &str = r#""kty":"oct","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8""#;

fn load(keys: &str) -> Result<(JwkSet, Vec<KeyProblem>), Vec<KeyProblem>> {
    JwkSet::load(&Value::parse(format!("{{\"keys\":[{keys}]}}").as_bytes()).unwrap())
}

fn load_one(members: &str) -> Result<(JwkSet, Vec<KeyProblem>), Vec<KeyProblem>> {
    load(&format!("{{{members}}}"))
}

fn rsa(n: &[u8], e: &[u8]) -> String {
    format!(r#""kty":"RSA","n":"{}","e":"{}""#, base64url::encode(n), base64url::encode(e))
}

/// An odd number of so many bits.
fn modulus(bits: usize) -> Vec<u8> {
    let mut n = vec![0xFF; bits.div_ceil(8)];
    n[0] >>= 8 * n.len() - bits;
    n
}

#[test]
fn keys_know_their_algorithms() {
    let secret = |bytes: usize| format!(r#""kty":"oct","k":"{}""#, base64url::encode(&vec![7; bytes]));
    for (key, bits, algorithms) in [
        (RSA.to_owned(), 2048, "RS256 RS384 RS512 PS256 PS384 PS512"),
        (format!(r#"{RSA},"alg":"PS384""#), 2048, "PS384"),
        (rsa(&modulus(2049), &[3]), 2049, "RS256 RS384 RS512 PS256 PS384 PS512"),
        (rsa(&modulus(8192), &[1, 0, 0, 0, 1]), 8192, "RS256 RS384 RS512 PS256 PS384 PS512"),
        (EC.to_owned(), 256, "ES256"),
        (OKP.to_owned(), 255, "EdDSA"),
        (format!(r#"{OKP},"alg":"EdDSA""#), 255, "EdDSA"),
        (format!(r#"{OKP},"alg":"Ed25519""#), 255, "EdDSA"),
        (secret(32), 256, "HS256"),
        (secret(47), 376, "HS256"),
        (secret(48), 384, "HS256 HS384"),
        (secret(64), 512, "HS256 HS384 HS512"),
        (format!(r#"{},"alg":"HS384""#, secret(64)), 512, "HS384"),
    ] {
        let (set, _) = load_one(&key).unwrap_or_else(|problems| panic!("{key}: {problems:?}"));
        let found: Vec<_> = set.keys()[0].algorithms().map(Algorithm::name).collect();
        assert_eq!((set.keys()[0].bits(), found.join(" ").as_str()), (bits, algorithms), "{key}");
    }
}

#[test]
fn malformed_and_weak_keys_are_errors() {
    let ec = |x: &str, y: &str| format!(r#""kty":"EC","crv":"P-256","x":"{x}","y":"{y}""#);
    let (x, y) =
        ("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    let okp = |x: &str| format!(r#""kty":"OKP","crv":"Ed25519","x":"{x}""#);
    let oct =
        |bytes: usize, alg: &str| format!(r#""kty":"oct","k":"{}"{alg}"#, base64url::encode(&vec![7; bytes]));
    let mut even = modulus(2048);
    *even.last_mut().unwrap() = 0xFE;

    for (key, member, message) in [
        (String::new(), "kty", "`kty` is missing"),
        (r#""kty":1"#.to_owned(), "kty", "must be a string"),
        (format!(r#"{RSA},"kid":7"#), "kid", "must be a string"),
        (format!(r#"{RSA},"use":["sig"]"#), "use", "must be a string"),
        (format!(r#"{RSA},"key_ops":"verify""#), "key_ops", "array of strings"),
        (format!(r#"{RSA},"key_ops":["verify",1]"#), "key_ops", "array of strings"),
        (format!(r#"{RSA},"alg":"ES256""#), "alg", "ES256 needs `kty` EC and `crv` P-256"),
        (format!(r#"{RSA},"alg":"HS256""#), "alg", "HS256 needs `kty` oct"),
        (format!(r#"{EC},"alg":"ES384""#), "alg", "ES384 needs `kty` EC and `crv` P-384"),
        (format!(r#"{EC},"alg":"ES512""#), "alg", "ES512 needs `kty` EC and `crv` P-521"),
        (format!(r#"{EC},"alg":"RS256""#), "alg", "RS256 needs `kty` RSA"),
        (format!(r#"{OKP},"alg":"ES256""#), "alg", "ES256 needs"),
        (oct(64, r#","alg":"RS256""#), "alg", "RS256 needs `kty` RSA"),
        (r#""kty":"RSA","e":"AQAB""#.to_owned(), "n", "is missing"),
        (r#""kty":"RSA","n":5,"e":"AQAB""#.to_owned(), "n", "must be a string"),
        (r#""kty":"RSA","n":"","e":"AQAB""#.to_owned(), "n", "is missing"),
        (RSA.replace("AQAB", "AQAB=="), "e", "is not base64url"),
        (RSA.replace("AQAB", "AQAB="), "e", "is not base64url"),
        (RSA.replace("AQAB", "AQA==="), "e", "is not base64url"),
        (RSA.replace("AQAB", "AQ AB"), "e", "is not base64url"),
        (rsa(&[0; 300], &[1, 0, 1]), "n", "is empty"),
        (rsa(&modulus(2047), &[1, 0, 1]), "n", "2047 bits is too weak; 2048 is the least"),
        (rsa(&modulus(1024), &[1, 0, 1]), "n", "1024 bits is too weak"),
        (rsa(&modulus(8193), &[1, 0, 1]), "n", "8193 bits is too large; 8192 is the most"),
        (rsa(&modulus(100_000), &[1, 0, 1]), "n", "too large"),
        (rsa(&even, &[1, 0, 1]), "n", "is even"),
        (rsa(&modulus(2048), &[]), "e", "is missing"),
        (rsa(&modulus(2048), &[0, 0]), "e", "is empty"),
        (rsa(&modulus(2048), &[1]), "e", "`e` is 1"),
        (rsa(&modulus(2048), &[2]), "e", "is even"),
        (rsa(&modulus(2048), &[1, 0, 0]), "e", "is even"),
        (rsa(&modulus(2048), &[2, 0, 0, 0, 1]), "e", "too large"),
        (rsa(&modulus(2048), &modulus(2048)), "e", "too large"),
        (r#""kty":"EC","x":"","y":"""#.to_owned(), "crv", "is missing"),
        (format!(r#""kty":"EC","crv":"P-256","x":"{x}""#), "y", "is missing"),
        (ec(y, x), "x", "no point on P-256"),
        (ec(x, x), "x", "no point on P-256"),
        (ec(x, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), "x", "no point on P-256"),
        (ec("_____________________________________wAAAAA", y), "x", "no point on P-256"),
        (ec(&x[1..], y), "x", "`x` is not base64url"),
        (ec(&base64url::encode(&[1; 30]), y), "x", "has 30 bytes; this curve needs 32"),
        (ec(x, &base64url::encode(&[0; 34])), "y", "has 34 bytes; this curve needs 32"),
        (ec(x, &base64url::encode(&[1; 33])), "y", "has 33 bytes; this curve needs 32"),
        (ec(&base64url::encode(&[1; 31]), y), "x", "no point on P-256"),
        (ec(x, y).replace("P-256", "P-384"), "x", "has 32 bytes; this curve needs 48"),
        (ec(x, y).replace("P-256", "P-521"), "x", "has 32 bytes; this curve needs 66"),
        (ec(x, y).replace("P-256", "Ed25519"), "crv", "Ed25519 needs `kty` OKP, not EC"),
        (okp(x).replace("Ed25519", "P-256"), "crv", "P-256 needs `kty` EC, not OKP"),
        (okp(&base64url::encode(&[3; 31])), "x", "has 31 bytes"),
        (okp(&base64url::encode(&[3; 57])), "x", "has 57 bytes"),
        (okp("AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), "x", "no point on Ed25519"),
        // The eight points of small order.
        (okp("AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), "x", "small order"),
        (okp("7P_______________________________________38"), "x", "small order"),
        (okp("JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU"), "x", "small order"),
        (okp("JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_IU"), "x", "small order"),
        (okp("xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o"), "x", "small order"),
        (okp("xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA_o"), "x", "small order"),
        (okp("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), "x", "small order"),
        (okp("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA"), "x", "small order"),
        // Spellings whose y is not reduced, or whose x is a negative zero.
        (okp("7v_______________________________________38"), "x", "canonical"),
        (okp("8P_______________________________________38"), "x", "canonical"),
        (okp("AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA"), "x", "canonical"),
        (okp("7P________________________________________8"), "x", "canonical"),
        (r#""kty":"oct""#.to_owned(), "k", "is missing"),
        (r#""kty":"oct","k":"""#.to_owned(), "k", "is missing"),
        (oct(31, ""), "k", "31 bytes; HS256 needs at least 32"),
        (oct(31, r#","alg":"HS256""#), "k", "31 bytes; HS256 needs at least 32"),
        (oct(47, r#","alg":"HS384""#), "k", "47 bytes; HS384 needs at least 48"),
        (oct(63, r#","alg":"HS512""#), "k", "63 bytes; HS512 needs at least 64"),
        (OCT_32.replace("Hh8", "Hh8=="), "k", "is not base64url"),
    ] {
        let problems = load(&format!("{{{OKP},\"kid\":\"good\"}},{{{key}}}")).expect_err(&key);
        let problem = &problems[0];
        assert_eq!((problem.index, problem.member), (Some(1), Some(member)), "{key}");
        assert!(problem.message.contains(message), "{key}: {}", problem.message);

        // In a set of somebody else's the other key goes on working.
        let jwks = format!("{{\"keys\":[{{{OKP},\"kid\":\"good\"}},{{{key}}}]}}");
        let (set, warnings) = JwkSet::load_remote(&Value::parse(jwks.as_bytes()).unwrap()).unwrap();
        assert_eq!((set.keys().len(), warnings), (1, problems));
    }
}

#[test]
fn members_that_stand_for_none_are_absent() {
    for key in [RSA, EC, OKP] {
        for absent in ["null", "\"\"", "[]"] {
            for member in
                ["kid", "use", "alg", "key_ops", "x5c", "x5t", "d", "p", "q", "dp", "dq", "qi", "oth", "k"]
            {
                let (set, problems) = load_one(&format!(r#"{key},"{member}":{absent}"#)).unwrap();
                assert_eq!((set.keys().len(), problems), (1, vec![]), "{member} {absent}");
                let (set, _) = load_one(key).unwrap();
                assert_eq!(set.keys()[0].key_id(), None);
            }
        }
    }
}

/// Other spellings of the same number, with what is noted of them.
#[test]
fn the_same_number_in_other_clothes_is_the_same_key() {
    let member = |key: &str, name: &str| {
        let key = Value::parse(format!("{{{key}}}").as_bytes()).unwrap();
        key.as_object().unwrap().get(name).unwrap().as_str().unwrap().to_owned()
    };
    let padded = |text: &str| format!("{text}{}", "=".repeat((4 - text.len() % 4) % 4));
    let zeros = |text: &str, count: usize| {
        base64url::encode(&[vec![0; count], base64url::decode(text.as_bytes()).unwrap()].concat())
    };
    let plain = |text: &str| padded(&text.replace('-', "+").replace('_', "/"));
    // A point of P-256, found by trying, whose x begins with a zero byte.
    let short_x = r#""kty":"EC","crv":"P-256","x":"AGnfXKNuernoPm10oPgnU_qAZW9Bg_GotruoZOaxm_M","y":"BZKLKC9F5SFWM3iCgI3rrG0OT_QjuWWaKrUvm_4-j_0""#;
    let mut cases = Vec::new();
    for name in ["n", "e"] {
        let text = member(RSA, name);
        let spellings =
            [zeros(&text, 1), zeros(&text, 9), padded(&zeros(&text, 1)), plain(&text), padded(&text)];
        cases.extend(spellings.map(|spelling| (RSA, name, text.clone(), spelling)));
    }
    for name in ["x", "y"] {
        for key in [EC, OKP] {
            if name == "y" && key == OKP {
                continue;
            }
            let text = member(key, name);
            cases.push((key, name, text.clone(), padded(&text)));
            if key == EC {
                cases.push((key, name, text.clone(), zeros(&text, 1)));
                cases.push((key, name, text.clone(), padded(&zeros(&text, 1))));
            }
        }
    }
    let secret = member(OCT_32, "k");
    cases.push((OCT_32, "k", secret.clone(), padded(&secret)));
    let x = member(short_x, "x");
    let shorter = base64url::encode(&base64url::decode(x.as_bytes()).unwrap()[1..]);
    cases.push((short_x, "x", x, shorter));
    for (key, name, text, spelling) in cases {
        let other = key.replace(&format!("\"{text}\""), &format!("\"{spelling}\""));
        let (right, expected) = load_one(key).unwrap();
        let (set, problems) =
            load_one(&other).unwrap_or_else(|problems| panic!("{name} {spelling}: {problems:?}"));
        assert_eq!(set.keys()[0].thumbprint(), right.keys()[0].thumbprint(), "{name}");
        assert_eq!(set.keys()[0].bits(), right.keys()[0].bits(), "{name}");
        let noted: Vec<_> = problems.iter().filter(|problem| problem.message.contains("RFC 7518")).collect();
        if spelling == text {
            assert!(noted.is_empty());
        } else {
            assert_eq!(
                (noted.len(), noted[0].member, noted[0].effect),
                (1, Some(name), Effect::Used),
                "{name} {spelling}"
            );
            assert_eq!(problems.len(), expected.len() + 1);
        }
    }
}

#[test]
fn all_problems_are_reported_with_their_key() {
    let keys = format!(
        r#"{{"kty":"RSA","kid":"a","n":"AA==","e":"Ag"}}, {{{OKP},"kid":"b"}}, 5, {{"kty":"oct","k":""}}"#
    );
    let problems = load(&keys).unwrap_err();
    let places: Vec<_> = problems
        .iter()
        .map(|problem| (problem.index.unwrap(), problem.kid.as_deref(), problem.member))
        .collect();
    assert_eq!(
        places,
        [(0, Some("a"), Some("n")), (0, Some("a"), Some("e")), (2, None, None), (3, None, Some("k"))]
    );
}

#[test]
fn keys_that_are_not_understood_or_not_for_signatures_are_left_out() {
    for (key, member) in [
        (r#""kty":"rsa""#.to_owned(), "kty"),
        (r#""kty":"AKP","alg":"ML-DSA-44","pub":"AA""#.to_owned(), "kty"),
        (r#""kty":"EC","crv":"secp256k1","x":"AA","y":"AA""#.to_owned(), "crv"),
        (r#""kty":"EC","crv":"p-256","x":"AA","y":"AA""#.to_owned(), "crv"),
        (r#""kty":"OKP","crv":"X25519","x":"AA""#.to_owned(), "crv"),
        (r#""kty":"OKP","crv":"Ed448","x":"AA""#.to_owned(), "crv"),
        (format!(r#"{RSA},"use":"enc""#), "use"),
        (format!(r#"{RSA},"key_ops":["encrypt","wrapKey"]"#), "key_ops"),
        (format!(r#"{RSA},"key_ops":["sign"]"#), "key_ops"),
        (format!(r#"{RSA},"alg":"RSA-OAEP""#), "alg"),
        (format!(r#"{RSA},"alg":"none""#), "alg"),
        (format!(r#"{RSA},"alg":"rs256""#), "alg"),
        (format!(r#"{EC},"alg":"ES256K""#), "alg"),
        (format!(r#"{OCT_32},"alg":"A256KW""#), "alg"),
    ] {
        let (set, warnings) = load(&format!("{{{key}}},{{{OKP}}}")).unwrap();
        assert_eq!(set.keys().len(), 1, "{key}");
        let [warning] = warnings.as_slice() else { panic!("{key}: {warnings:?}") };
        assert_eq!((warning.index, warning.member), (Some(0), Some(member)), "{key}");

        let errors = load_one(&key).expect_err(&key);
        assert_eq!(errors[0].index, None, "{key}");
        assert_eq!(errors[1..], warnings, "{key}");
    }
}

#[test]
fn a_published_secret_is_left_out() {
    let remote =
        |keys: &str| JwkSet::load_remote(&Value::parse(format!("{{\"keys\":[{keys}]}}").as_bytes()).unwrap());
    let (set, warnings) = remote(&format!("{{{OCT_32},\"kid\":\"a\"}},{{{OKP},\"kid\":\"a\"}}")).unwrap();
    assert_eq!(set.keys().iter().map(Jwk::key_type).collect::<Vec<_>>(), [KeyType::Okp]);
    assert_eq!((warnings[0].index, warnings[0].member), (Some(0), Some("kty")));
    assert!(remote(&format!("{{{OCT_32}}}")).is_err());
}

#[test]
fn private_keys_verify_and_are_warned_of() {
    let d = r#""d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A""#;
    for (key, member) in [
        (format!("{OKP},{d}"), "d"),
        (format!(r#"{OKP},{d},"key_ops":["sign"]"#), "d"),
        (format!(r#"{EC},{d}"#), "d"),
        (format!(r#"{RSA},"p":"AA","qi":"AA""#), "p"),
        (format!(r#"{RSA},"oth":[{{"r":"AA"}}]"#), "oth"),
    ] {
        let (set, warnings) = load_one(&key).unwrap();
        let [warning] = warnings.as_slice() else { panic!("{key}: {warnings:?}") };
        assert_eq!(warning.member, Some(member), "{key}");
        assert!(warning.message.contains("PRIVATE"), "{key}");
        assert!(!format!("{set:?}{warnings:?}").contains("nWGx"), "{key}");
    }
    for members in [OCT_32.to_owned(), format!(r#"{OCT_32},"key_ops":["sign"]"#)] {
        let (set, warnings) = load_one(&members).unwrap();
        assert_eq!((warnings.len(), warnings[0].member), (1, Some("k")));
        assert!(!format!("{set:?}{warnings:?}").contains("AAECAw"));
        assert_eq!(set.keys()[0].thumbprint(), None);
    }
}

#[test]
fn key_ids_are_unique() {
    for (keys, index) in [
        (format!(r#"{{{RSA},"kid":"a"}},{{{OKP}}},{{{EC},"kid":"a"}}"#), 2),
        (format!("{{{RSA}}},{{{OKP}}}"), 1),
        (format!(r#"{{{RSA}}},{{{OKP},"kid":""}}"#), 1),
        (format!(r#"{{{RSA},"kid":""}},{{{OKP},"kid":"a"}},{{{EC},"kid":""}}"#), 2),
    ] {
        let problems = load(&keys).unwrap_err();
        assert_eq!(problems.len(), 1, "{keys}");
        assert_eq!((problems[0].index, problems[0].member), (Some(index), Some("kid")), "{keys}");
    }
    for keys in [
        format!(r#"{{{RSA},"kid":"a"}},{{{OKP},"kid":"A"}},{{{EC}}}"#),
        format!(r#"{{{RSA},"kid":"a"}},{{{RSA},"kid":"a","use":"enc"}}"#),
        format!(r#"{{{RSA},"kid":" "}},{{{OKP},"kid":""}}"#),
    ] {
        assert!(load(&keys).is_ok(), "{keys}");
    }
}

#[test]
fn a_set_is_an_object_with_keys() {
    for (text, message) in [
        ("[]", "a JWK set is an object"),
        ("null", "a JWK set is an object"),
        ("{}", "needs the member `keys`"),
        (r#"{"Keys":[]}"#, "needs the member `keys`"),
        (r#"{"kty":"RSA"}"#, "this is a single key"),
        (r#"{"keys":{}}"#, "must be an array"),
        (r#"{"keys":[]}"#, "no key that can verify"),
    ] {
        let problems = JwkSet::load(&Value::parse(text.as_bytes()).unwrap()).unwrap_err();
        assert_eq!(problems[0].index, None, "{text}");
        assert!(problems[0].message.contains(message), "{text}: {}", problems[0].message);
    }
    let with_more = format!(r#"{{"cache":1,"keys":[{{{OKP},"x5c":["?"],"jku":"http://a"}}]}}"#);
    assert!(JwkSet::load(&Value::parse(with_more.as_bytes()).unwrap()).is_ok());
}

#[test]
fn thumbprints_are_those_of_the_rfcs() {
    let examples = Value::parse(THUMBPRINTS.as_bytes()).unwrap();
    for example in examples.as_array().unwrap() {
        let example = example.as_object().unwrap();
        let (set, _) = load(&example.get("key").unwrap().to_string()).unwrap();
        let expected = example.get("thumbprint").unwrap().as_str();
        assert_eq!(set.keys()[0].thumbprint(), expected, "{:?}", example.get("source"));
    }
}

#[test]
fn any_object_is_survived() {
    use proptest::prelude::*;
    let member = prop_oneof![
        Just("kty"),
        Just("kid"),
        Just("use"),
        Just("alg"),
        Just("crv"),
        Just("n"),
        Just("e"),
        Just("x"),
        Just("y"),
        Just("k"),
        Just("d"),
        Just("key_ops"),
    ];
    let value = prop_oneof![
        "RSA|EC|OKP|oct|sig|P-256|P-384|P-521|Ed25519|HS256|ES512|EdDSA".prop_map(Value::from),
        "[A-Za-z0-9_-]{0,90}".prop_map(Value::from),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(|bytes| Value::from(base64url::encode(&bytes))),
        any::<i64>().prop_map(Value::from),
    ];
    proptest!(|(members in prop::collection::vec((member, value), 0..8))| {
        let mut key = crate::json::Object::new();
        for (name, value) in members {
            key.insert(name, value);
        }
        let mut set = crate::json::Object::new();
        set.insert("keys", vec![Value::from(key)]);
        let _ = JwkSet::load(&Value::from(set));
    });
}
