#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
use std::path::Path;

use proptest::prelude::*;

use super::*;

fn read(yaml: &str) -> Result<Claims, String> {
    claimgate_config::read_text(yaml, Path::new("claims.yaml"), "claims", |field, report| {
        Some(Claims::read(Some(field.clone()), report))
    })
    .map(|(claims, _)| claims)
    .map_err(|problems| problems.to_string())
}

fn fields() -> Object {
    let json = br#"{"username": "snow", "name": "John Snow", "roles": ["ranger", "steward"], "age": 1.70e1,
                    "uid": 12345678901234567890, "admin": false, "nothing": null, "address": {"city": "Wall"}}"#;
    Value::parse(json).unwrap().as_object().unwrap().clone()
}

fn claims(yaml: &str) -> String {
    let claims = read(yaml).unwrap().of(&fields()).unwrap();
    format!("{} {}", claims.subject, Value::Object(claims.others))
}

#[test]
fn a_field_alone_keeps_its_type_and_text_takes_it_as_text() {
    for (yaml, right) in [
        ("{}", r#"snow {}"#),
        (r#"{sub: "{uid}"}"#, r#"12345678901234567890 {}"#),
        (r#"{sub: "user:{uid}"}"#, r#"user:12345678901234567890 {}"#),
        (
            r#"{roles: "{roles}", u: "{uid}", a: "{admin}"}"#,
            r#"snow {"roles":["ranger","steward"],"u":12345678901234567890,"a":false}"#,
        ),
        (
            r#"{x: "{name} ({uid}, {admin}, {roles}, {age})"}"#,
            r#"snow {"x":"John Snow (12345678901234567890, false, [\"ranger\",\"steward\"], 17)"}"#,
        ),
        (r#"{x: "{nothing}", y: "a{missing}b", z: "{address}"}"#, r#"snow {"z":{"city":"Wall"}}"#),
        (
            r#"{tenant: acme, n: 1, t: true, l: [1, {a: null}], e: ""}"#,
            r#"snow {"tenant":"acme","n":1,"t":true,"l":[1,{"a":null}],"e":""}"#,
        ),
        (
            r#"{x: ["{username}", "{missing}", user], y: {a: "{name}", b: "{missing}"}}"#,
            r#"snow {"x":["snow","user"],"y":{"a":"John Snow"}}"#,
        ),
        (r#"{x: "{{{name}}}", y: "{{}}", z: "}}{{"}"#, r#"snow {"x":"{John Snow}","y":"{}","z":"}{"}"#),
    ] {
        assert_eq!(claims(yaml), right, "{yaml}");
    }
}

#[test]
fn a_subject_must_be_there_and_be_text() {
    for yaml in
        [r#"{sub: "{missing}"}"#, r#"{sub: "{roles}"}"#, r#"{sub: ""}"#, r#"{sub: true}"#, "{sub: null}"]
    {
        assert!(read(yaml).unwrap().of(&fields()).is_none(), "{yaml}");
    }
}

#[test]
fn mistakes_are_told_where_they_stand() {
    for (yaml, right) in [
        ("a: 1\niss: x", "claims.yaml:2:6: error: iss: every token has its own iss; leave out this one"),
        ("aud: x", "claims.yaml:1:6: error: aud: every token has its own aud; leave out this one"),
        ("nbf: 1", "claims.yaml:1:6: error: nbf: tokens are good from when they are issued; leave out nbf"),
        (
            "a: 'x{name'",
            "claims.yaml:1:4: error: a: the template \"x{name\" has a brace without its partner; write {{ and }} for braces that are meant as such",
        ),
        (
            "a: ['name}']",
            "claims.yaml:1:4: error: a: the template \"name}\" has a brace without its partner; write {{ and }} for braces that are meant as such",
        ),
        (
            "a: '{}'",
            "claims.yaml:1:4: error: a: \"\" is no field's name; write {{ and }} for braces that are meant as such",
        ),
        (
            "a: '{\"b\":1}'",
            "claims.yaml:1:4: error: a: \"\\\"b\\\":1\" is no field's name; write {{ and }} for braces that are meant as such",
        ),
        (
            "a: '{passwordHash}'",
            "claims.yaml:1:4: error: a: the hash of the password is no field, and must not get into tokens",
        ),
        ("[]", "claims.yaml:1:1: error: expected an object of claims, as {roles: \"{roles}\"}, found a list"),
    ] {
        assert_eq!(read(yaml).unwrap_err(), right, "{yaml}");
    }
}

#[test]
fn names_and_fields_are_known() {
    let claims = read(r#"{a: "{x}{y}", b: ["{z}", {c: "{x}"}], sub: "{id}"}"#).unwrap();
    assert_eq!(claims.names().collect::<Vec<_>>(), ["iss", "sub", "aud", "iat", "exp", "jti", "a", "b"]);
    assert_eq!(claims.fields(), ["id", "x", "y", "z"]);
}

proptest! {
    #[test]
    fn escaped_text_is_itself(text in ".*") {
        let escaped = text.replace('{', "{{").replace('}', "}}");
        let yaml = format!("{{a: {}}}", Value::from(escaped));
        // YAML has no word for some characters that JSON has one for.
        if let Ok(claims) = read(&yaml) {
            let claims = claims.of(&fields()).unwrap();
            prop_assert_eq!(claims.others.get("a").unwrap(), &Value::from(text));
        }
    }
}
