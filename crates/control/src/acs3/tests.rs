#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
use std::time::{Duration, SystemTime};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use proptest::prelude::*;

use super::{BodyHasher, Credentials, Request, SignatureError, Signed, WINDOW, canonical, hex, sign};

const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const SIGNED: &str =
    "accept;host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version";
const SIGNATURE: &str = "830a61ad598153eacd21ea63e9cb25dd56d675ea084bde4d9a1b18b08f48ffba";
const TARGET: &str = "/2023-03-30/custom-domains?limit=2&nextToken=a+b&prefix=api.";

/// What the Python SDK has sent.
struct Sent {
    method: String,
    uri: Uri,
    headers: HeaderMap,
    body: Vec<u8>,
    now: SystemTime,
}

impl Sent {
    fn new() -> Self {
        let authorization =
            format!("ACS3-HMAC-SHA256 Credential=testak,SignedHeaders={SIGNED},Signature={SIGNATURE}");
        let mut sent = Self {
            method: "GET".to_owned(),
            uri: TARGET.parse().unwrap(),
            headers: HeaderMap::new(),
            body: Vec::new(),
            now: humantime::parse_rfc3339("2026-01-02T03:04:05Z").unwrap(),
        };
        for (name, value) in [
            ("host", "127.0.0.1:9080"),
            ("accept", "application/json"),
            ("user-agent", "any"),
            ("x-acs-action", "ListCustomDomains"),
            ("x-acs-date", "2026-01-02T03:04:05Z"),
            ("x-acs-signature-nonce", "0123456789abcdef0123456789abcdef"),
            ("x-acs-version", "2023-03-30"),
            ("x-acs-content-sha256", EMPTY),
            ("authorization", &authorization),
        ] {
            sent.set(name, value);
        }
        sent
    }

    fn set(&mut self, name: &str, value: &str) {
        let name: HeaderName = name.parse().unwrap();
        self.headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }

    fn verify(&self, secret: &str) -> Result<(), SignatureError> {
        let request = Request { method: &self.method, uri: &self.uri, headers: &self.headers };
        let signed = Signed::read(&request, self.now)?;
        signed.verify(&request, secret.as_bytes())?;
        let mut hasher = BodyHasher::new();
        self.body.chunks(1).for_each(|chunk| hasher.add(chunk));
        hasher.check(signed.body)
    }
}

#[test]
fn published_vector() {
    let sent = Sent::new();
    let request = Request { method: &sent.method, uri: &sent.uri, headers: &sent.headers };
    let signed = Signed::read(&request, sent.now).unwrap();
    let canonical = canonical::request(
        &request,
        &signed.authorization.signed_headers,
        signed.authorization.signed_headers_text,
        signed.body,
    );
    assert_eq!(
        hex::encode(super::sha256(&canonical).as_ref()),
        "4062b9c0c2db9c62caf2350331e50cc8775cce6fc3f2814491122392ac43f1aa"
    );
    assert_eq!(sent.verify("testsecret"), Ok(()));
    assert_eq!((signed.access_key_id, signed.nonce.len()), ("testak", 32));
}

#[test]
fn what_is_signed_cannot_be_changed() {
    let changes: [fn(&mut Sent); 6] = [
        |sent| sent.method = "DELETE".to_owned(),
        |sent| sent.uri = TARGET.replace("custom-domains", "functions").parse().unwrap(),
        |sent| sent.uri = TARGET.replace("limit=2", "limit=3").parse().unwrap(),
        |sent| sent.set("host", "127.0.0.1:9081"),
        |sent| sent.set("x-acs-signature-nonce", "1123456789abcdef0123456789abcdef"),
        |sent| {
            sent.headers.remove("accept");
        },
    ];
    for change in changes {
        let mut sent = Sent::new();
        change(&mut sent);
        assert_eq!(sent.verify("testsecret"), Err(SignatureError::Mismatch));
    }
    assert_eq!(Sent::new().verify("testsecre"), Err(SignatureError::Mismatch));
    let mut sent = Sent::new();
    sent.set("user-agent", "another");
    assert_eq!(sent.verify("testsecret"), Ok(()), "it is not signed");
}

#[test]
fn other_ways_of_writing_the_same() {
    let same = |change: fn(&mut Sent)| {
        let mut sent = Sent::new();
        change(&mut sent);
        assert_eq!(sent.verify("testsecret"), Ok(()));
    };
    same(|sent| sent.uri = TARGET.replace('+', "%20").parse().unwrap());
    same(|sent| sent.uri = "/2023-03-30/custom-domains?prefix=ap%69.&nextToken=a+b&limit=2".parse().unwrap());
    same(|sent| sent.set("accept", "  application/json "));
    same(|sent| {
        sent.headers.remove("host");
        sent.uri = format!("http://127.0.0.1:9080{TARGET}").parse().unwrap();
    });
}

#[test]
fn refused_before_any_secret_is_looked_up() {
    use SignatureError::*;
    let refused = |expected: SignatureError, change: &dyn Fn(&mut Sent)| {
        let mut sent = Sent::new();
        change(&mut sent);
        assert_eq!(sent.verify("testsecret"), Err(expected));
    };
    for (name, shown) in [
        ("authorization", "Authorization"),
        ("host", "Host"),
        ("x-acs-date", "x-acs-date"),
        ("x-acs-signature-nonce", "x-acs-signature-nonce"),
        ("x-acs-content-sha256", "x-acs-content-sha256"),
    ] {
        refused(MissingHeader(shown), &|sent| {
            sent.headers.remove(name);
        });
        if name != "authorization" {
            let names = SIGNED.replace(&format!("{name};"), "").replace("host", "Host");
            let authorization =
                format!("ACS3-HMAC-SHA256 Credential=testak,SignedHeaders={names},Signature={SIGNATURE}");
            refused(NotSigned(name.to_owned()), &|sent| sent.set("authorization", &authorization));
        }
    }
    refused(NotSigned("x-acs-security-token".to_owned()), &|sent| sent.set("x-acs-security-token", "x"));
    refused(RepeatedHeader("x-acs-date".to_owned()), &|sent| {
        sent.headers.append("x-acs-date", HeaderValue::from_static("2026-01-02T03:04:05Z"));
    });
    refused(RepeatedHeader("accept".to_owned()), &|sent| {
        sent.headers.append("accept", HeaderValue::from_static("text/html"));
    });
    for hash in ["", "UNSIGNED-PAYLOAD", &EMPTY[2..]] {
        refused(OtherBody, &|sent| sent.set("x-acs-content-sha256", hash));
    }
    refused(MalformedNonce, &|sent| sent.set("x-acs-signature-nonce", " "));
    refused(MalformedNonce, &|sent| sent.set("x-acs-signature-nonce", &"n".repeat(257)));
    refused(MalformedNonce, &|sent| sent.set("x-acs-signature-nonce", "\u{e4}"));
    for date in ["", "yesterday", "2026-01-02 03:04", "2026-13-02T03:04:05Z", "1767323045"] {
        refused(MalformedDate, &|sent| sent.set("x-acs-date", date));
    }
    for authorization in [
        "Bearer x",
        "ACS3-HMAC-SHA256",
        "ACS3-HMAC-SHA256 ",
        "acs3-hmac-sha256 Credential=testak,SignedHeaders=host,Signature=00",
        "ACS3-HMAC-SHA256 Credential=testak,SignedHeaders=host,Signature=00",
        "ACS3-HMAC-SHA256 Credential=,SignedHeaders=host,Signature=",
        "ACS3-HMAC-SHA256 Credential=a,Credential=b,SignedHeaders=host,Signature=00",
    ] {
        refused(MalformedAuthorization, &|sent| sent.set("authorization", authorization));
    }
    let twice = format!("ACS3-HMAC-SHA256 Credential=a,SignedHeaders=host;{SIGNED},Signature={SIGNATURE}");
    refused(MalformedAuthorization, &|sent| sent.set("authorization", &twice));
}

#[test]
fn another_body_is_refused_and_another_hash_breaks_the_signature() {
    let mut sent = Sent::new();
    sent.body = b"{}".to_vec();
    assert_eq!(sent.verify("testsecret"), Err(SignatureError::OtherBody));
    let hash = hex::encode(super::sha256(b"{}").as_ref());
    sent.set("x-acs-content-sha256", &hash);
    assert_eq!(sent.verify("testsecret"), Err(SignatureError::Mismatch));
}

#[test]
fn the_date_may_be_a_quarter_of_an_hour_off() {
    let second = Duration::from_secs(1);
    let at = |now: SystemTime| Sent { now, ..Sent::new() }.verify("testsecret");
    let date = Sent::new().now;
    assert_eq!(at(date + WINDOW), Ok(()));
    assert_eq!(at(date - WINDOW), Ok(()));
    for now in [date + WINDOW + second, date - WINDOW - second] {
        assert!(matches!(at(now), Err(SignatureError::Expired { .. })));
    }
}

proptest! {
    #[test]
    fn queries_mean_the_same_however_they_are_written(
        parameters in prop::collection::vec(("[ -~\u{e4}]{1,6}", "[ -~\u{e4}]{0,6}"), 0..5),
        raw in any::<bool>(),
    ) {
        let escape = |text: &str| -> String {
            text.bytes().map(|byte| match byte {
                b' ' => "+".to_owned(),
                b'\'' | b'(' | b')' | b'!' | b'*' if raw => char::from(byte).to_string(),
                b'a'..=b'z' if raw => char::from(byte).to_string(),
                _ => format!("%{byte:02x}"),
            }).collect()
        };
        let written: Vec<String> =
            parameters.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
        let reversed: Vec<String> = written.iter().rev().cloned().collect();
        let canonical = canonical::query(&written.join("&"));
        prop_assert_eq!(&canonical, &canonical::query(&reversed.join("&")));
        prop_assert_eq!(&canonical, &canonical::query(&canonical), "it is its own canonical form");
        prop_assert!(!canonical.contains(['+', ' ', '\'', '(', ')', '!', '*']));
    }

    #[test]
    fn nothing_panics(authorization in "(ACS3-HMAC-SHA256 )?[ -~]{0,80}", query in "[ -~]{0,40}") {
        let mut sent = Sent::new();
        sent.set("authorization", &authorization);
        if let Ok(uri) = format!("/?{query}").parse() {
            sent.uri = uri;
        }
        prop_assert!(sent.verify("testsecret").is_err());
        canonical::query(&query);
    }

    #[test]
    fn hexadecimal_round_trip(bytes in any::<[u8; 32]>()) {
        let text = hex::encode(&bytes);
        prop_assert_eq!(hex::decode(&text), Some(bytes));
        prop_assert_eq!(hex::decode(&text.to_uppercase()), Some(bytes));
        prop_assert_eq!(hex::decode(&text[1..]), None);
    }
}

#[test]
fn what_is_signed_here_is_found_right_here() {
    let request = axum::http::Request::put("/api/v1/custom-domains/%2A.example.com?dryRun=true&b=x+y")
        .header("host", "127.0.0.1:8081")
        .header("content-type", "application/json")
        .body(())
        .unwrap();
    let (mut parts, ()) = request.into_parts();
    let credentials = Credentials { id: "id".to_owned(), secret: "secret".to_owned().into() };
    let now = SystemTime::now();
    sign(&mut parts, b"{}", &credentials, now).unwrap();
    let request = Request::of(&parts);
    let signed = Signed::read(&request, now).unwrap();
    assert_eq!((signed.access_key_id, signed.verify(&request, b"secret")), ("id", Ok(())));
    assert_eq!(signed.verify(&request, b"other"), Err(SignatureError::Mismatch));
}
