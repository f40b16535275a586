//! A key set loads with keys of legal size, or with problems that hold nothing secret. JSON is read
//! as another parser reads it.
//!
//! Input: a JWK set, or any JSON text.

use std::time::Duration;

use claimgate_jose::json::{Object, Value};
use claimgate_jose::{Jwk, JwkSet, KeyProblem, KeyType, Policy, SigningKey, base64url, verify};

/// Checks one input.
pub fn check(data: &[u8]) {
    let parsed = Value::parse(data);
    compare_with_another_parser(data, parsed.as_ref().ok());
    let Ok(value) = parsed else { return };
    assert_eq!(
        Value::parse(value.to_string().as_bytes()).as_ref(),
        Ok(&value),
        "printed JSON is read otherwise"
    );

    let local = JwkSet::load(&value);
    let remote = JwkSet::load_remote(&value);
    for result in [&local, &remote] {
        match result {
            Ok((set, warnings)) => {
                check_set(set);
                check_problems(warnings, &value);
                assert!(!holds_secret(&format!("{set:?}"), &value));
            }
            Err(errors) => {
                assert!(!errors.is_empty());
                check_problems(errors, &value);
            }
        }
    }
    if let Ok((local, _)) = &local {
        // What an operator may write, others may publish, but for secrets.
        let public = |set: &JwkSet| -> Vec<String> {
            let keys = set.keys().iter().filter(|key| key.key_type() != KeyType::Oct);
            keys.map(|key| format!("{key:?}")).collect()
        };
        let remote = remote.as_ref().map(|(remote, _)| remote.keys().len()).map_err(|_| public(local));
        assert!(remote == Ok(public(local).len()) || remote == Err(Vec::new()), "{remote:?}");
    }
    keys(&value).iter().for_each(sign_and_verify);
}

fn keys(set: &Value) -> &[Value] {
    set.as_object().and_then(|set| set.get("keys")?.as_array()).unwrap_or_default()
}

fn check_set(set: &JwkSet) {
    assert!(!set.keys().is_empty());
    for key in set.keys() {
        check_key(key);
        assert_ne!(key.key_id(), Some(""));
        let same = set.keys().iter().filter(|other| other.key_id() == key.key_id());
        assert_eq!(same.count(), 1, "two keys for one kid");
    }
}

fn check_key(key: &Jwk) {
    let legal = match key.key_type() {
        KeyType::Rsa => (2048..=8192).contains(&key.bits()),
        KeyType::Ec => [256, 384, 521].contains(&key.bits()),
        KeyType::Okp => key.bits() == 255,
        KeyType::Oct => key.algorithms().all(|algorithm| key.bits() >= 8 * algorithm.hash_bytes()),
    };
    assert!(legal, "{key:?}");
    assert!(key.algorithms().next().is_some(), "{key:?} verifies nothing");
    for algorithm in key.algorithms() {
        assert_eq!((algorithm.key_type(), algorithm.curve()), (key.key_type(), key.curve()));
        assert!(key.algorithm().is_none_or(|only| only == algorithm), "{key:?}");
    }
}

fn check_problems(problems: &[KeyProblem], set: &Value) {
    for problem in problems {
        assert!(problem.index.is_none_or(|index| index < keys(set).len()));
        assert!(!problem.message.is_empty());
        assert!(!holds_secret(&problem.message, set), "{}", problem.message);
    }
}

/// Whether a text holds a private member of a key. What is short or has spaces may stand in any text.
fn holds_secret(text: &str, set: &Value) -> bool {
    const BY_CHANCE: usize = 16;
    let secrets = keys(set).iter().filter_map(Value::as_object).flat_map(|key| {
        ["d", "p", "q", "dp", "dq", "qi", "k"].into_iter().filter_map(|member| key.get(member)?.as_str())
    });
    let public: Vec<&str> = keys(set)
        .iter()
        .filter_map(Value::as_object)
        .flat_map(|key| ["kid", "x", "n"].into_iter().filter_map(|member| key.get(member)?.as_str()))
        .collect();
    secrets
        .filter(|secret| secret.len() >= BY_CHANCE && base64url::decode(secret.as_bytes()).is_ok())
        .filter(|secret| !public.iter().any(|public| public.contains(secret)))
        .any(|secret| text.contains(secret))
}

/// A pair that signs makes tokens that its public half verifies.
fn sign_and_verify(jwk: &Value) {
    let Ok(signing) = SigningKey::from_jwk(jwk) else { return };
    let token = signing.sign(&Object::new(), &Object::new()).expect("a key that was read signs");
    let set = Value::Object({
        let mut set = Object::new();
        set.insert("keys", vec![jwk.clone()]);
        set
    });
    let (set, _) = JwkSet::load(&set).expect("a key that signs is a key that verifies");
    let claims =
        verify(token.as_bytes(), &set, &Policy::default(), Duration::ZERO).expect("the signature fits");
    assert_eq!(claims.algorithm(), signing.algorithm());
}

/// What we take, another parser takes and reads alike; what we refuse and it takes must be one of our
/// stricter rules.
fn compare_with_another_parser(text: &[u8], ours: Option<&Value>) {
    let theirs = serde_json::from_slice::<serde_json::Value>(text);
    match (ours, theirs) {
        (Some(ours), Ok(theirs)) => assert!(same(ours, &theirs), "{ours} is read as {theirs}"),
        (None, Ok(theirs)) => {
            let nested = text.iter().filter(|byte| b"[{".contains(byte)).count() > 128;
            let printed = theirs.to_string();
            let unique = Value::parse(printed.as_bytes()).is_ok() && members(&theirs) == colons(text);
            assert!(nested || !unique, "refused without a reason");
        }
        (Some(_), Err(error)) => {
            let error = error.to_string();
            let theirs_alone = ["number out of range", "recursion limit exceeded"];
            assert!(theirs_alone.iter().any(|limit| error.starts_with(limit)), "taken in spite of {error}");
        }
        (None, Err(_)) => {}
    }
}

fn same(ours: &Value, theirs: &serde_json::Value) -> bool {
    use serde_json::Value as Theirs;
    match (ours, theirs) {
        (Value::Null, Theirs::Null) => true,
        (Value::Bool(ours), Theirs::Bool(theirs)) => ours == theirs,
        (Value::Number(ours), Theirs::Number(theirs)) => {
            let close = |ours: f64, theirs: f64| (ours - theirs).abs() <= ours.abs() * 1e-15;
            ours.as_f64().zip(theirs.as_f64()).is_some_and(|(ours, theirs)| close(ours, theirs))
        }
        (Value::String(ours), Theirs::String(theirs)) => ours == theirs,
        (Value::Array(ours), Theirs::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Value::Object(ours), Theirs::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().all(|(name, ours)| theirs.get(name).is_some_and(|theirs| same(ours, theirs)))
        }
        _ => false,
    }
}

/// Members of all objects, of which the other parser keeps the last of a name.
fn members(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Array(items) => items.iter().map(members).sum(),
        serde_json::Value::Object(object) => object.len() + object.values().map(members).sum::<usize>(),
        _ => 0,
    }
}

/// Colons outside of strings: one for each member that was written.
fn colons(text: &[u8]) -> usize {
    let (mut colons, mut quoted) = (0, false);
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\\' if quoted => drop(bytes.next()),
            b'"' => quoted = !quoted,
            b':' if !quoted => colons += 1,
            _ => {}
        }
    }
    colons
}
