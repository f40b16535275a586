//! Documents of every field with random junk: no secret ever shows.
//!
//! What is secret is decided here by the names of members and not by the list that is tested: texts within
//! private members of keys and `privateKey` say `NEVER`, other secrets and whatever is in a place where no
//! document has anything say `SECRET`.
use claimgate_config::{StoredDomain, StoredFunction, UnknownFields};
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

/// A whole document, with every field, all of it as it should be.
fn everything(kind: DocumentKind) -> serde_json::Value {
    let public = |key: serde_json::Value| {
        let mut key = key;
        key["use"] = "sig".into();
        key["x5c"] = json!(["AAAA"]);
        key
    };
    let keys = json!([
        {"kty": "oct", "kid": "1", "alg": "HS256", "k": "SECRET-c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"},
        {"kty": "oct", "k": "SECRET-without-a-kid"},
        public(json!({"kty": "EC", "kid": "2", "crv": "P-256", "x": "x", "y": "y", "d": "NEVER-d", "other": "SECRET"})),
        public(json!({"kty": "RSA", "n": "n", "e": "AQAB", "d": "NEVER-d", "p": "NEVER-p", "q": "NEVER-q",
            "dp": "NEVER-dp", "dq": "NEVER-dq", "qi": "NEVER-qi", "oth": [{"r": "NEVER-oth", "d": "NEVER", "t": "NEVER"}]})),
        public(json!({"kty": "OKP", "crv": "Ed25519", "x": "x", "d": "NEVER-d"})),
    ]);
    let jwt = json!({
        "jwks": {"keys": keys},
        "tokenLookup": [{"readPosition": "header", "parameterName": "Authorization", "prefix": "Bearer"}],
        "claimPassBy": [{"mappingParameterPosition": "header", "claimName": "sub", "mappingParameterName": "x-sub"}],
        "issuers": ["https://id.example.com"], "audiences": ["orders"], "leewaySeconds": 5,
        "whitelist": ["/public/*"], "forwardToken": false, "otherBodies": "refuse",
    });
    let cors = json!({"allowOrigins": ["https://app.example.com"], "maxAge": 60});
    match kind {
        DocumentKind::CustomDomain => json!({
            "domainName": "a.example.com", "protocol": "HTTP", "accountId": "1", "apiVersion": "1",
            "certConfig": {
                "certName": "name", "privateKey": "NEVER-pem",
                "certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
            },
            "tlsConfig": {"minVersion": "TLSv1.2"}, "corsConfig": cors, "wafConfig": {"enableWAF": false},
            "routeConfig": {"routes": [{"path": "/*", "functionName": "hello", "methods": ["GET"],
                "rewriteConfig": {"equalRules": [{"match": "/a", "replacement": "/b"}]}}]},
            "authConfig": {"authType": "jwt", "authInfo": jwt},
        }),
        DocumentKind::Function => json!({
            "functionName": "hello",
            "process": {"command": ["a"], "env": {"A": "SECRET-a", "B": "SECRET-b"}, "user": 33, "port": 8080},
            "httpTrigger": {"authType": "jwt", "authConfig": jwt, "corsConfig": cors, "description": "words"},
        }),
    }
}

/// Something that no document has anywhere, with secrets in it.
const JUNK: [&str; 10] = [
    r#"{"name":"SECRET"}"#,
    r#"[["SECRET"],{"name":["SECRET"]}]"#,
    r#"[{"kty":"EC","d":"NEVER","x":{"kty":"oct","k":"SECRET","d":"NEVER"}}]"#,
    r#"{"kty":"RSA","n":1e999,"d":"NEVER","k":"SECRET"}"#,
    r#"{"keys":[{"kty":"OKP","d":"NEVER"},["SECRET"],"SECRET"],"privateKey":"SECRET"}"#,
    r#"{"n":1e999,"a":-0.0,"b":12345678901234567890123,"c":"SECRET"}"#,
    r#"[[[[[[[[[[[[[[[[[[[[{"name":"SECRET"}]]]]]]]]]]]]]]]]]]]]"#,
    r#"{"text":"{\"kty\":\"EC\",\"d\":\"NEVER\"}","more":"SECRET"}"#,
    r#"[{"":"SECRET","\u0000":"SECRET","***":"SECRET"}]"#,
    r#"{"d":{"kty":1,"d":["NEVER"]},"jwks":"SECRET","JWKS":"SECRET"}"#,
];

/// A change of a document, somewhere.
#[derive(Debug, Clone)]
enum Edit {
    /// A value becomes junk.
    Replace(Index, usize),
    /// An object has one more member: a name that no one knows, or one in another case.
    Add(Index, usize, usize),
    /// An object becomes a string that holds it as JSON, perhaps with something behind it.
    Quote(Index, &'static str),
    /// A number is out of every range.
    Number(Index),
    /// The member is gone.
    Remove(Index),
}

const NAMES: [&str; 7] = ["other", "D", "K", "private", "PrivateKey", "Jwks", "\u{feff}k"];

fn edit() -> impl Strategy<Value = Edit> {
    let (at, junk, name) = (any::<Index>(), 0..JUNK.len(), 0..NAMES.len());
    prop_oneof![
        2 => (at.clone(), junk.clone()).prop_map(|(at, junk)| Edit::Replace(at, junk)),
        2 => (at.clone(), junk, name).prop_map(|(at, junk, name)| Edit::Add(at, junk, name)),
        3 => (at.clone(), prop_oneof![Just(""), Just(" "), Just("}"), Just("\u{0}"), Just("{}")])
            .prop_map(|(at, end)| Edit::Quote(at, end)),
        1 => at.clone().prop_map(Edit::Number),
        1 => at.prop_map(Edit::Remove),
    ]
}

/// The paths of all values of a document, the document itself left out.
fn paths(value: &serde_json::Value, path: &str, found: &mut Vec<String>) {
    let mut add = |name: &str, value| {
        let path = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
        found.push(path.clone());
        paths(value, &path, found);
    };
    match value {
        serde_json::Value::Object(members) => members.iter().for_each(|(name, value)| add(name, value)),
        serde_json::Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, value)| add(&at.to_string(), value))
        }
        _ => {}
    }
}

impl Edit {
    fn make(&self, document: &mut serde_json::Value) {
        let mut found = Vec::new();
        paths(document, "", &mut found);
        let at = |index: &Index| found[index.index(found.len())].clone();
        match self {
            Self::Replace(index, junk) => {
                let path = at(index);
                *document.pointer_mut(&path).unwrap() = raw(junk_for(&path, *junk));
            }
            Self::Add(index, junk, name) => {
                let path = at(index);
                let (value, junk) = (document.pointer_mut(&path).unwrap(), junk_for(&path, *junk));
                if let Some(members) = value.as_object_mut() {
                    members.insert(NAMES[*name].to_owned(), raw(junk));
                }
            }
            Self::Quote(index, end) => {
                let value = document.pointer_mut(&at(index)).unwrap();
                if value.is_object() {
                    *value = format!("{value}{end}").into();
                }
            }
            Self::Number(index) => *document.pointer_mut(&at(index)).unwrap() = HUGE.into(),
            Self::Remove(index) => {
                let path = at(index);
                let (parent, name) = path.rsplit_once('/').unwrap();
                // Without `kty` an object is no key.
                if name == "kty" {
                    return;
                }
                if let Some(members) = document.pointer_mut(parent).unwrap().as_object_mut() {
                    members.remove(name);
                }
            }
        }
    }
}

/// A variable may hold anything, private keys too, and is all an editor's.
fn junk_for(path: &str, junk: usize) -> &'static str {
    if path.starts_with("/process/env") { JUNK[0] } else { JUNK[junk] }
}

/// Stands for a number that `serde_json` refuses, until the document is a text.
const HUGE: &str = "HUGE-NUMBER";

fn raw(json: &str) -> serde_json::Value {
    serde_json::from_str(&json.replace("1e999", &format!("\"{HUGE}\""))).unwrap()
}

fn document() -> impl Strategy<Value = (DocumentKind, String)> {
    let kind = prop_oneof![Just(DOMAIN), Just(FUNCTION)];
    (kind, proptest::collection::vec(edit(), 0..6)).prop_map(|(kind, edits)| {
        let mut document = everything(kind);
        for edit in edits {
            edit.make(&mut document);
        }
        (kind, document.to_string().replace(&format!("\"{HUGE}\""), "1e999"))
    })
}

fn no_secret(text: &str, of: &[&str]) {
    for secret in of {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_secret_shows((kind, text) in document(), (_, earlier) in document()) {
        let (stored, _) = entered(kind, &text, Some(&earlier));
        for json in [&text, &stored] {
            let viewer = shown(kind, json, Viewer).unwrap();
            no_secret(&viewer.to_string(), &["SECRET", "NEVER"]);
            let editor = shown(kind, json, Editor).unwrap();
            no_secret(&editor.to_string(), &["NEVER"]);
            let (before, after) = compared(kind, Some(&object(&earlier)), Some(&object(json)));
            for compared in [before, after] {
                no_secret(&compared.unwrap().to_string(), &["SECRET", "NEVER"]);
            }
        }
        // What is stored has no private member of a key left in it, and nothing is lost but these.
        let (again, warnings) = entered(kind, &stored, None);
        prop_assert_eq!((again, warnings.len()), (stored.clone(), 0));
        // An editor who writes back what was read changes nothing.
        let read = text_shown(kind, &stored, Editor);
        let (back, _) = entered(kind, &read, Some(&stored));
        prop_assert_eq!(&text_shown(kind, &back, Editor), &read);
        // What is wrong with it is said without quoting any of it.
        let problems = match kind {
            DOMAIN => StoredDomain::read(&text, UnknownFields::LeftOut).err(),
            FUNCTION => StoredFunction::read(&text, UnknownFields::LeftOut).err(),
        };
        for problem in problems.unwrap_or_default() {
            no_secret(&problem.message, &["SECRET", "NEVER"]);
        }
    }
}
