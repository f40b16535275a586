//! The body of `POST /token`: the password grant of RFC 6749 section 4.3.2, as a form or as JSON.

use std::collections::HashMap;

use claimgate_jose::json::Value;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use percent_encoding::percent_decode;

use crate::refusal::Refusal;
use crate::users::file::MAX_USERNAME_BYTES;
use claimgate_login::password::Password;

/// Who wants a token.
#[derive(Debug)]
pub(crate) struct Credentials {
    pub(crate) username: String,
    pub(crate) password: Password,
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyKind {
    Form,
    Json,
}

impl BodyKind {
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let unsupported = Refusal::UnsupportedMediaType;
        let mut types = headers.get_all(CONTENT_TYPE).iter();
        let (Some(content_type), None) = (types.next(), types.next()) else {
            return Err(unsupported);
        };
        let content_type = content_type.to_str().map_err(|_| unsupported)?;
        if headers.contains_key(CONTENT_ENCODING) {
            return Err(unsupported);
        }
        let (media_type, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
        let is_utf8 = parameters.split(';').all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
                value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            _ => true,
        });
        match media_type.trim().to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" if is_utf8 => Ok(Self::Form),
            "application/json" if is_utf8 => Ok(Self::Json),
            _ => Err(unsupported),
        }
    }
}

impl Credentials {
    pub(crate) fn parse(kind: BodyKind, body: &[u8], max_password_bytes: usize) -> Result<Self, Refusal> {
        let mut parameters = match kind {
            BodyKind::Form => form(body)?,
            BodyKind::Json => json(body)?,
        };
        match (parameters.remove("grant_type").as_deref(), kind) {
            (Some("password"), _) | (None, BodyKind::Json) => {}
            (Some(_), _) => return Err(Refusal::UnsupportedGrantType),
            (None, BodyKind::Form) => return Err(Refusal::Malformed("grant_type is missing")),
        }
        let username = parameters.remove("username").ok_or(Refusal::Malformed("username is missing"))?;
        let password = parameters.remove("password").ok_or(Refusal::Malformed("password is missing"))?;
        let password = Password::new(password.into_bytes());
        if username.len() > MAX_USERNAME_BYTES {
            return Err(Refusal::Malformed("the username is too long"));
        }
        if password.as_bytes().len() > max_password_bytes {
            return Err(Refusal::Malformed("the password is too long"));
        }
        Ok(Self { username, password })
    }
}

/// Parameters with a value; those without count as left out (RFC 6749 section 3.2).
type Parameters = HashMap<String, String>;

/// Percent-decoding is strict: bytes that are no UTF-8 are never replaced, or different passwords would
/// be the same.
fn form(body: &[u8]) -> Result<Parameters, Refusal> {
    let mut parameters = Parameters::new();
    for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let mut parts = pair.splitn(2, |byte| *byte == b'=');
        let (name, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        add(&mut parameters, decode(name)?, decode(value)?)?;
    }
    Ok(parameters)
}

fn decode(text: &[u8]) -> Result<String, Refusal> {
    let text: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    String::from_utf8(percent_decode(&text).collect())
        .map_err(|_| Refusal::Malformed("a parameter is not UTF-8"))
}

fn json(body: &[u8]) -> Result<Parameters, Refusal> {
    let Ok(Value::Object(object)) = Value::parse(body) else {
        return Err(Refusal::Malformed("the body is no JSON object, or names a member twice"));
    };
    let mut parameters = Parameters::new();
    for (name, value) in object.iter() {
        match value {
            Value::String(text) => add(&mut parameters, name.to_owned(), text.clone())?,
            Value::Null => {}
            _ if ["grant_type", "username", "password"].contains(&name) => {
                return Err(Refusal::Malformed("grant_type, username and password must be strings"));
            }
            _ => {}
        }
    }
    Ok(parameters)
}

fn add(parameters: &mut Parameters, name: String, value: String) -> Result<(), Refusal> {
    if value.is_empty() {
        return Ok(());
    }
    match parameters.insert(name, value) {
        None => Ok(()),
        Some(_) => Err(Refusal::Malformed("a parameter is there twice")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    fn headers(content_types: &[&str]) -> HeaderMap {
        content_types.iter().map(|value| (CONTENT_TYPE, value.parse().unwrap())).collect()
    }

    #[test]
    fn content_types_are_told_apart() {
        for (content_type, right) in [
            ("application/json", Some(BodyKind::Json)),
            ("Application/JSON; charset=UTF-8", Some(BodyKind::Json)),
            ("application/x-www-form-urlencoded;charset=\"utf-8\"", Some(BodyKind::Form)),
            ("application/x-www-form-urlencoded; charset=latin1", None),
            ("application/jsonx", None),
            ("text/plain", None),
            ("multipart/form-data; boundary=x", None),
            ("", None),
        ] {
            assert_eq!(BodyKind::of(&headers(&[content_type])).ok(), right, "{content_type}");
        }
        assert!(BodyKind::of(&headers(&[])).is_err());
        assert!(BodyKind::of(&headers(&["application/json", "application/json"])).is_err());
        let mut compressed = headers(&["application/json"]);
        compressed.insert(CONTENT_ENCODING, "gzip".parse().unwrap());
        assert!(BodyKind::of(&compressed).is_err());
    }

    fn told(kind: BodyKind, body: &str) -> String {
        match Credentials::parse(kind, body.as_bytes(), 16) {
            Ok(credentials) => format!("{} {}", credentials.username, credentials.password.as_bytes().len()),
            Err(Refusal::Malformed(why)) => why.to_owned(),
            Err(refusal) => refusal.reason().to_owned(),
        }
    }

    #[test]
    fn forms() {
        let start = "grant_type=password";
        for (body, right) in [
            ("grant_type=password&username=snow&password=winter", "snow 6"),
            ("password=a%2Bb+c&username=s%C3%B8+w&grant_type=password&scope=x&scope2=", "sø w 5"),
            ("username=snow&password=winter", "grant_type is missing"),
            ("grant_type=&username=snow&password=winter", "grant_type is missing"),
            ("grant_type=Password&username=snow&password=winter", "unsupported_grant_type"),
            ("grant_type=client_credentials", "unsupported_grant_type"),
            (&format!("{start}&password=winter"), "username is missing"),
            (&format!("{start}&username=&password=winter"), "username is missing"),
            (&format!("{start}&username=snow"), "password is missing"),
            (&format!("{start}&username=snow&password="), "password is missing"),
            (&format!("{start}&username=snow&password=a&password=b"), "a parameter is there twice"),
            (&format!("{start}&username=a&%75sername=b&password=a"), "a parameter is there twice"),
            (&format!("{start}&username=a&password=a&x=1&x=2"), "a parameter is there twice"),
            (&format!("{start}&username=a&password=%ff"), "a parameter is not UTF-8"),
            (&format!("{start}&username=a&password=12345678901234567"), "the password is too long"),
            (&format!("{start}&username={}&password=a", "x".repeat(256)), "the username is too long"),
            (&format!("{start}&username=a%00b&password=%00"), "a\0b 1"),
            ("", "grant_type is missing"),
            ("&&=&", "grant_type is missing"),
        ] {
            assert_eq!(told(BodyKind::Form, body), right, "{body}");
        }
    }

    #[test]
    fn json_objects() {
        for (body, right) in [
            (r#"{"username":"snow","password":"winter"}"#, "snow 6"),
            (r#"{"grant_type":"password","username":"sn\u00f8w","password":"a\u0000"}"#, "snøw 2"),
            (r#"{"grant_type":null,"username":"snow","password":"winter","scope":["x"]}"#, "snow 6"),
            (r#"{"grant_type":"code","username":"snow","password":"winter"}"#, "unsupported_grant_type"),
            (r#"{"grant_type":7,"username":"snow"}"#, "grant_type, username and password must be strings"),
            (r#"{"username":"snow","password":1234}"#, "grant_type, username and password must be strings"),
            (r#"{"username":"snow","password":null}"#, "password is missing"),
            (r#"{"username":"","password":"x"}"#, "username is missing"),
            (
                r#"{"username":"a","username":"b","password":"x"}"#,
                "the body is no JSON object, or names a member twice",
            ),
            (r#"["snow","winter"]"#, "the body is no JSON object, or names a member twice"),
            ("", "the body is no JSON object, or names a member twice"),
            (
                "{\"username\":\"\\ud800\",\"password\":\"x\"}",
                "the body is no JSON object, or names a member twice",
            ),
        ] {
            assert_eq!(told(BodyKind::Json, body), right, "{body}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_was_written_is_read(username in ".{1,60}", password in ".{1,200}") {
            let encode = |text| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
            let form = format!(
                "x=1&grant_type=password&username={}&password={}", encode(&username), encode(&password)
            );
            let mut json = claimgate_jose::json::Object::new();
            json.insert("username", username.as_str());
            json.insert("password", password.as_str());
            for (kind, body) in [(BodyKind::Form, form), (BodyKind::Json, json.to_string())] {
                let credentials = Credentials::parse(kind, body.as_bytes(), 1024).unwrap();
                proptest::prop_assert_eq!(&credentials.username, &username);
                proptest::prop_assert_eq!(credentials.password.as_bytes(), password.as_bytes());
            }
        }

        #[test]
        fn any_body_is_read_or_refused(body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            for kind in [BodyKind::Form, BodyKind::Json] {
                let _ = Credentials::parse(kind, &body, 1024);
            }
        }
    }

    #[test]
    fn debug_output_does_not_show_the_password() {
        let credentials = Credentials::parse(BodyKind::Json, br#"{"username":"a","password":"hunter2"}"#, 16);
        assert!(!format!("{credentials:?}").contains("hunter2"));
    }
}
