//! What is read as a key in one form is the same key in every other, and errors say nothing of it.
//!
//! Input: a file with keys, in PEM, DER or JSON.

use claimgate_jose::json::{Object, Value};
use claimgate_jose::key_file::{Encoded, Form, KeyFile, KeyFileError};
use claimgate_jose::{JwkSet, SigningKey, jwk};

/// Checks one input.
pub fn check(data: &[u8]) {
    let file = match KeyFile::read(data) {
        Ok(file) => file,
        Err(error) => return check_error(&error, data),
    };
    assert!(file.form == Form::JwkSet || file.keys.len() == 1);
    assert!(file.others == 0 || matches!(file.form, Form::Pem(_)));
    if let Form::Pem(structure) | Form::Der(structure) = file.form {
        let key = file.keys.first().and_then(Value::as_object).expect("a key");
        let is_private = jwk::private_members(key).next().is_some();
        assert_eq!(is_private, structure.is_private(), "{structure}");
    }
    for key in &file.keys {
        check_private(key);
        check_public(key);
    }
}

fn check_private(key: &Value) {
    let Ok(signing) = SigningKey::from_jwk(key) else { return };
    let expected = material(signing.private_jwk().expect("a key that was read is written"));
    let traditional = signing.to_traditional().expect("a key that was read is written");
    for encoded in [signing.to_pkcs8().ok(), traditional].into_iter().flatten() {
        check_reading(&encoded, &expected);
    }
}

fn check_public(key: &Value) {
    let mut set = Object::new();
    set.insert("keys", vec![key.clone()]);
    let Ok((set, _)) = JwkSet::load(&set.into()) else { return };
    let key = set.keys().first().expect("the only key");
    let public = key.public_jwk().expect("a key that was read is written");
    let spki = key.to_spki().expect("a key that was read is written");
    let traditional = key.to_traditional().expect("a key that was read is written");
    assert_eq!(public.is_some(), spki.is_some());
    let Some(public) = public else { return };
    assert!(jwk::private_members(&public).next().is_none(), "a public key that is private");
    assert_eq!(jwk::thumbprint(&public).as_deref(), key.thumbprint());
    for encoded in [spki, traditional].into_iter().flatten() {
        check_reading(&encoded, &material(public.clone()));
    }
}

fn check_reading(encoded: &Encoded, expected: &Value) {
    for content in [encoded.der.as_slice(), encoded.to_pem().as_bytes()] {
        let file = KeyFile::read(content).expect("what was written is read");
        assert!(matches!(file.form, Form::Pem(same) | Form::Der(same) if same == encoded.structure));
        assert!(file.keys == [expected.clone()], "a key that changes as {}", encoded.structure);
    }
}

/// The members that say what the key is.
fn material(mut jwk: Object) -> Value {
    for member in ["kid", "use", "alg"] {
        jwk.remove(member);
    }
    jwk.into()
}

/// Nothing of the content may be told except a label, which is no place for a key.
fn check_error(error: &KeyFileError, data: &[u8]) {
    // Longer than the words of the messages themselves.
    const BY_CHANCE: usize = 24;
    let message = error.to_string();
    if !matches!(error, KeyFileError::Label { .. }) {
        let text = String::from_utf8_lossy(data);
        let told =
            text.split_ascii_whitespace().find(|word| word.len() >= BY_CHANCE && message.contains(word));
        assert_eq!(told, None, "{message}");
    }
}
