#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
mod listed;
mod property;

use serde_json::json;

use super::*;
use Audience::{Editor, Viewer};

const DOMAIN: DocumentKind = DocumentKind::CustomDomain;
const FUNCTION: DocumentKind = DocumentKind::Function;

fn text_shown(kind: DocumentKind, json: &str, audience: Audience) -> String {
    shown(kind, json, audience).unwrap().to_string()
}

fn object(text: &str) -> Object {
    match Value::parse(text.as_bytes()).unwrap() {
        Value::Object(object) => object,
        other => panic!("no object: {other:?}"),
    }
}

fn domain_with(info: impl Into<serde_json::Value>) -> String {
    json!({"domainName": "a.example.com", "authConfig": {"authType": "jwt", "authInfo": info.into()}})
        .to_string()
}

/// A domain with a key in each of the ways in which one may be written, and the place of the key.
fn in_every_spelling(key: &str) -> Vec<(String, &'static str)> {
    let set = format!(r#"{{"keys":[{key}]}}"#);
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let of = |info: String| {
        format!(r#"{{"domainName":"a.example.com","authConfig":{{"authType":"jwt","authInfo":{info}}}}}"#)
    };
    let plain = format!(r#"{{"jwks":{set},"tokenLookup":"header:A"}}"#);
    let text_in = format!(r#"{{"jwks":{},"tokenLookup":"header:A"}}"#, quoted(&set));
    let place = "authConfig.authInfo.jwks.keys[0]";
    vec![
        (of(plain.clone()), place),
        (of(quoted(&plain)), place),
        (of(text_in.clone()), place),
        (of(quoted(&text_in)), place),
        (of(plain.replace("jwks", "JWKS")), "authConfig.authInfo.JWKS.keys[0]"),
        (of(plain.clone()).replace("\"d\"", "\"\\u0064\"").replace("\"k\"", "\"\\u006b\""), place),
        (
            format!("# YAML\ndomainName: a.example.com\nauthConfig:\n  authType: jwt\n  authInfo: {plain}\n"),
            place,
        ),
        (
            format!(
                "domainName: a.example.com\nauthConfig: {{authType: jwt, authInfo: {}}}\n",
                quoted(&plain)
            ),
            place,
        ),
        (
            format!(
                "domainName: a.example.com\naccountId: &one {key}\nauthConfig: {{authType: jwt, authInfo: {{jwks: {{keys: [*one]}}}}}}\n"
            ),
            place,
        ),
        (format!("\u{feff}{}", of(plain)), place),
    ]
}

#[test]
fn private_members_are_removed_with_a_warning_in_every_spelling() {
    for number in ["1e999", "1", "-1E+999999999999", "123456789012345678901234567890.5"] {
        let key = format!(r#"{{"kty":"EC","crv":"P-256","x":"x","y":"y","n1":{number},"d":"private"}}"#);
        for (text, place) in in_every_spelling(&key) {
            let (stored, warnings) = entered(DOMAIN, &text, None);
            assert!(!stored.contains("private"), "{stored}");
            assert!(stored.contains("P-256") && stored.contains(number), "{stored}");
            assert!(warnings.iter().any(|warning| warning.field == place), "{text}: {warnings:?}");
        }
    }
}

#[test]
fn private_members_are_removed_where_no_key_belongs() {
    let key = json!({"kty": "EC", "d": "private"});
    for info in
        [json!({"jwks": key}), json!({"jwks": [key]}), json!({"x": [{"y": key.to_string()}]}), json!([key])]
    {
        let (stored, warnings) = entered(DOMAIN, &domain_with(info.clone()), None);
        assert!(!stored.contains("private") && warnings.len() == 1, "{stored}: {warnings:?}");
        let shown = text_shown(DOMAIN, &domain_with(info), Editor);
        assert!(!shown.contains("private"), "{shown}");
    }
}

#[test]
fn secrets_are_masked_in_every_spelling_and_a_mask_is_the_secret() {
    let key = r#"{"kty":"oct","kid":"a","n1":1e999,"other":"secret","k":"secret"}"#;
    for (text, _) in in_every_spelling(key) {
        let stored = document_value(&text).unwrap().to_string();
        let masked = text_shown(DOMAIN, &stored, Viewer);
        assert!(!masked.contains("secret") && !masked.contains("999") && masked.contains(MASK), "{masked}");
        if text.contains('&') {
            // There the alias has put the key in a second place, which has no kid to be known by.
            continue;
        }
        assert_eq!(entered(DOMAIN, &masked, Some(&stored)), (stored.clone(), Vec::new()));
        let other = masked.replace(r#"kid":"a"#, r#"kid":"b"#).replace(r#"kid\":\"a"#, r#"kid\":\"b"#);
        let other = other.replace(r#"kid\\\":\\\"a"#, r#"kid\\\":\\\"b"#);
        assert!(!entered(DOMAIN, &other, Some(&stored)).0.contains("\"k\":\"secret"));
    }
}

#[test]
fn a_mask_means_the_secret_of_its_own_key() {
    let keys = |one: &str, two: &str| json!({"jwks": {"keys": [{"kty": "oct", "k": one}, {"kty": "oct", "k": two}]}});
    let stored = domain_with(keys("one", "two"));
    assert_eq!(entered(DOMAIN, &domain_with(keys(MASK, MASK)), Some(&stored)).0, stored);
    assert_eq!(
        entered(DOMAIN, &domain_with(keys("new", MASK)), Some(&stored)).0,
        domain_with(keys("new", "two"))
    );
    // With a key less it is not known which of them is left.
    let one = domain_with(json!({"jwks": {"keys": [{"kty": "oct", "k": MASK}]}}));
    assert_eq!(entered(DOMAIN, &one, Some(&stored)).0, one);
}

#[test]
fn what_cannot_be_read_is_not_shown() {
    for text in ["", "no JSON", "[]", r#"{"a":1,"a":2}"#, "\u{feff}{}", r#"{"a":"\ud800"}"#, "{\"a\":007}"] {
        for audience in [Viewer, Editor] {
            assert_eq!(shown(DOMAIN, text, audience), None, "{text}");
        }
    }
    let key = r#"{"kty":"EC","d":"secret"}"#;
    for info in [
        format!(r#"{{"jwks":{{"keys":[{key}]}},"a":1,"a":2}}"#),
        format!(r#"{{"jwks":{{"keys":[{key}"#),
        key.repeat(2),
    ] {
        let text = domain_with(info);
        for audience in [Viewer, Editor] {
            let read = text_shown(DOMAIN, &text, audience);
            assert!(!read.contains("secret") && read.contains(MASK), "{read}");
            assert_eq!(entered(DOMAIN, &read, Some(&text)).0, text);
        }
    }
}

#[test]
fn what_needs_no_change_stays_as_it_was_written() {
    let text = r#"{ "domainName":"a.example.com", "authConfig":{"authType":"jwt","authInfo":"{\"jwks\": {\"keys\": []}}"} }"#;
    assert_eq!(entered(DOMAIN, text, None).0, text);
    assert_eq!(text_shown(DOMAIN, text, Viewer), object(text).to_string());
    assert_eq!(entered(DOMAIN, "{no JSON", None).0, "{no JSON");
}

#[test]
fn the_key_of_a_certificate_is_kept_and_never_shown() {
    const PEM: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";
    let text = json!({"certConfig": {"certificate": PEM, "privateKey": "K"}}).to_string();
    let read = text_shown(DOMAIN, &text, Editor);
    assert_eq!(read, json!({"certConfig": {"certificate": PEM}}).to_string());
    assert_eq!(entered(DOMAIN, &read, Some(&text)).0, text);
    let files = json!({"certConfig": {"certificateFile": "c.pem"}}).to_string();
    assert_eq!(entered(DOMAIN, &files, Some(&text)).0, files);
    let other = PEM.replace("AAAA", "BBBB");
    let both = format!("{PEM}\n-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n{other}\n");
    let text =
        json!({"certConfig": {"certificate": both, "privateKey": both, "passphrase": "secret"}}).to_string();
    let read = text_shown(DOMAIN, &text, Editor);
    assert_eq!(read, json!({"certConfig": {"certificate": format!("{PEM}\n{other}")}}).to_string());
    assert_eq!(entered(DOMAIN, &text, None).0, text);
}

#[test]
fn the_environment_of_processes_is_masked() {
    // Names of variables are the author's, those of members of keys too.
    let env = json!({"TOKEN": "secret", "MODE": "m", "kty": "a", "d": "b", "KEY": r#"{"kty":"EC","d":"x"}"#});
    let text = json!({"process": {"command": ["a"], "env": env}}).to_string();
    let masked = text_shown(FUNCTION, &text, Viewer);
    assert!(!masked.contains("secret") && masked.contains("TOKEN"), "{masked}");
    assert_eq!(entered(FUNCTION, &masked, Some(&text)).0, text);
    assert_eq!(text_shown(FUNCTION, &text, Editor), text);
}

#[test]
fn a_comparison_shows_which_secrets_are_new() {
    let document = |secret: &str, a: &str, b: &str| {
        let set = json!({"keys": [{"kty": "oct", "k": secret}]});
        let info = json!({"JWKS": set.to_string()}).to_string();
        let trigger = json!({"authType": "jwt", "authConfig": info});
        object(&json!({"process": {"env": {"A": a, "B": b}}, "httpTrigger": trigger}).to_string())
    };
    let texts = |before: Object, after: Object| {
        let (before, after) = compared(FUNCTION, Some(&before), Some(&after));
        (before.unwrap().to_string(), after.unwrap().to_string())
    };
    let (before, after) = texts(document("one", "1st", "2nd"), document("one", "1st", "2nd"));
    assert_eq!(before, after);
    let (before, after) = texts(document("one", "1st", "2nd"), document("two", "2nd", "2nd"));
    for secret in ["one", "two", "1st", "2nd"] {
        assert!(!before.contains(secret) && !after.contains(secret), "{before} {after}");
    }
    assert!(after.contains(r#""k":"*** (new)""#), "{after}");
    assert!(after.contains(r#""A":"*** (new)","B":"***""#), "{after}");
}
