//! That every field of a document is listed as one that is shown or as one that is secret.
use std::collections::{BTreeMap, BTreeSet};

use claimgate_config::schema::{Fields, fields_of};

use super::super::fields::{Object, Shape};
use super::*;

/// Has every object that a custom domain may have, with at least one member each.
const EVERYTHING_OF_A_DOMAIN: &str = r#"
domainName: a.example.com
certConfig: {certName: name}
tlsConfig: {minVersion: TLSv1.2}
wafConfig: {enableWAF: false}
corsConfig: {allowOrigins: ["*"]}
routeConfig:
  routes:
    - path: /*
      functionName: hello
      rewriteConfig:
        equalRules: [{match: /a, replacement: /b}]
        wildcardRules: [{match: /c*, replacement: /d}]
        regexRules: [{match: "^/e", replacement: /f}]
authConfig:
  authType: jwt
  authInfo:
    jwks: {keys: []}
    tokenLookup: [{readPosition: header, parameterName: Authorization}]
    claimPassBy: [{mappingParameterPosition: header, claimName: sub, mappingParameterName: x-sub}]
"#;

const EVERYTHING_OF_A_FUNCTION: &str = r#"
functionName: hello
process: {command: [a], env: {A: a}}
httpTrigger:
  authType: jwt
  corsConfig: {allowOrigins: ["*"]}
  authConfig:
    jwks: {keys: []}
    tokenLookup: [{readPosition: header, parameterName: Authorization}]
    claimPassBy: [{mappingParameterPosition: header, claimName: sub, mappingParameterName: x-sub}]
"#;

/// Objects whose members no reader of documents takes: keys are read elsewhere.
const NOT_READ: [&str; 2] = [".jwks", ".jwks.keys[]"];

#[test]
fn every_field_is_listed_and_every_listed_one_is_a_field() {
    for (kind, text) in [(DOMAIN, EVERYTHING_OF_A_DOMAIN), (FUNCTION, EVERYTHING_OF_A_FUNCTION)] {
        let mut listed = BTreeMap::new();
        list(shape(kind), String::new(), &mut listed);
        listed.retain(|path, _| !NOT_READ.iter().any(|end| path.ends_with(end)));
        let read: Fields = fields_of(kind, text);
        // A field that is new: list it in `fields.rs`, as `Plain` only if it never holds a secret. An object that
        // is new has to be in the document above, too.
        assert_eq!(listed, read);
    }
}

fn list(object: &Object, path: String, listed: &mut BTreeMap<String, BTreeSet<&'static str>>) {
    listed.entry(path.clone()).or_default().extend(object.members.iter().map(|(name, _)| *name));
    for (name, shape) in object.members {
        let separator = if path.is_empty() { "" } else { "." };
        let path = format!("{path}{separator}{name}");
        match shape {
            Shape::Object(object) | Shape::Json(object) => list(object, path, listed),
            Shape::List(object) | Shape::ListOrText(object) | Shape::Keys(object) => {
                list(object, format!("{path}[]"), listed);
            }
            Shape::Plain | Shape::Certificates | Shape::Variables | Shape::Secret(_) => {}
        }
    }
}

/// What `jose` knows as private members of keys is secret.
#[test]
fn every_private_member_of_keys_is_secret() {
    let names = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];
    let secrets = names.map(|name| format!(r#""{name}":"secret of {name}""#)).join(",");
    let key = format!(r#"{{"kty":"RSA",{secrets}}}"#);
    let known: Vec<&str> = claimgate_jose::jwk::private_members(&object(&key)).collect();
    assert_eq!(known.len(), 8, "list the new one in `fields.rs`: {known:?}");
    let text = domain_with(format!(r#"{{"jwks":{{"keys":[{key}]}}}}"#));
    assert!(!text_shown(DOMAIN, &text, Viewer).contains("secret"));
    let read = text_shown(DOMAIN, &text, Editor);
    assert!(read.contains("secret of k") && read.matches("secret").count() == 1, "{read}");
}
