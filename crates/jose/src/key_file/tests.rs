#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
use super::*;
use crate::{Algorithm, JwkSet, SigningKey, base64url};

/// One key of each kind that DER has.
fn keys() -> Vec<SigningKey> {
    [Algorithm::RS256, Algorithm::ES256, Algorithm::ES384, Algorithm::ES512, Algorithm::EdDSA]
        .map(|algorithm| SigningKey::generate(algorithm).unwrap())
        .into()
}

/// The members that say what the key is, as a file without `kid`, `use` and `alg` gives them.
fn material(mut jwk: Object) -> Value {
    for member in ["kid", "use", "alg"] {
        jwk.remove(member);
    }
    jwk.into()
}

fn set_of(jwk: Object) -> Value {
    KeyFile { form: Form::Jwk, keys: vec![jwk.into()], others: 0 }.to_jwk_set()
}

fn read(content: &[u8]) -> KeyFile {
    KeyFile::read(content).unwrap()
}

fn only(form: Form, jwk: Object) -> KeyFile {
    KeyFile { form, keys: vec![material(jwk)], others: 0 }
}

#[test]
fn what_is_written_is_read_again() {
    for key in keys() {
        let private = key.private_jwk().unwrap();
        let forms = [Some(key.to_pkcs8().unwrap()), key.to_traditional().unwrap()];
        check_reading(forms, &private);

        let (set, _) = JwkSet::load(&set_of(private)).unwrap();
        let public = key.public_jwk().unwrap().unwrap();
        assert_eq!(set.keys()[0].public_jwk().unwrap().as_ref(), Some(&public));
        let forms = [set.keys()[0].to_spki().unwrap(), set.keys()[0].to_traditional().unwrap()];
        check_reading(forms, &public);
    }
}

fn check_reading(forms: [Option<Encoded>; 2], jwk: &Object) {
    for encoded in forms.into_iter().flatten() {
        let structure = encoded.structure;
        assert_eq!(read(&encoded.der), only(Form::Der(structure), jwk.clone()));
        assert_eq!(read(encoded.to_pem().as_bytes()), only(Form::Pem(structure), jwk.clone()));
    }
}

#[test]
fn jwks_are_read_as_they_are() {
    let key = Value::parse(br#" {"kty":"oct","k":"AA","kid":"a","x":1}"#).unwrap();
    assert_eq!(
        read(key.to_string().as_bytes()),
        KeyFile { form: Form::Jwk, keys: vec![key.clone()], others: 0 }
    );
    let set = format!("\u{feff} \n{{\"keys\":[{key},5]}}");
    let expected = KeyFile { form: Form::JwkSet, keys: vec![key, 5_i64.into()], others: 0 };
    assert_eq!(read(set.as_bytes()), expected);
}

#[test]
fn of_several_blocks_the_first_private_one_is_read() {
    let [first, second] = [Algorithm::ES256, Algorithm::ES384].map(|alg| SigningKey::generate(alg).unwrap());
    let public = |key: &SigningKey| {
        let jwk = key.public_jwk().unwrap().unwrap();
        let (set, _) = JwkSet::load(&set_of(jwk)).unwrap();
        set.keys()[0].to_spki().unwrap().unwrap().to_pem().to_string()
    };
    let text = format!("Certificate:\n  Data:\n{}\n# more\n{}", public(&first), public(&second));
    let file = read(text.as_bytes());
    assert_eq!((file.form, file.others), (Form::Pem(Structure::Spki), 1));
    assert_eq!(file.keys[0], material(first.public_jwk().unwrap().unwrap()));

    let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    let text = format!("{}{parameters}{}", public(&first), second.to_pkcs8().unwrap().to_pem().as_str());
    let file = read(text.as_bytes());
    assert_eq!((file.form, file.others), (Form::Pem(Structure::Pkcs8), 1));
    assert_eq!(file.keys[0], material(second.private_jwk().unwrap()));
}

#[test]
fn other_spellings_of_pem_are_read() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let pem = key.to_pkcs8().unwrap().to_pem();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    for text in [
        pem.replace('\n', "\r\n"),
        format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----"),
        pem.lines().map(|line| format!("    {line}\n")).collect(),
        format!("\u{feff}{}", pem.as_str()),
    ] {
        assert_eq!(read(text.as_bytes()).keys[0], material(key.private_jwk().unwrap()), "{text}");
    }
}

/// What some programs write: the private key 1 in one byte, without public key.
#[test]
fn short_private_ec_keys_are_completed() {
    let key = sec1::EcPrivateKey {
        private_key: &[1],
        parameters: der::identifier_of(crate::Curve::P256).map(sec1::EcParameters::NamedCurve),
        public_key: None,
    };
    let file = read(&pkcs8::der::Encode::to_der(&key).unwrap());
    let jwk = file.keys[0].as_object().unwrap();
    let d = base64url::decode(jwk.get("d").unwrap().as_str().unwrap().as_bytes()).unwrap();
    assert_eq!(d, [&[0; 31][..], &[1]].concat());
    // The base point of P-256 (SEC 2 section 2.4.2).
    assert_eq!(jwk.get("x").unwrap().as_str(), Some("axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY"));
    assert!(SigningKey::from_jwk(&file.keys[0]).is_ok());
}

#[test]
fn what_holds_no_key_is_refused_with_a_reason() {
    let pem = SigningKey::generate(Algorithm::ES256).unwrap().to_pkcs8().unwrap().to_pem();
    let dh = "-----BEGIN DH PARAMETERS-----\nMAA=\n-----END DH PARAMETERS-----\n";
    let der = |text: &str| base64url::decode(text.as_bytes()).unwrap();
    for (content, message) in [
        (vec![], "this is no key"),
        (b"hello".to_vec(), "this is no key"),
        (vec![0xFF; 50], "this is no key"),
        (b"\"text\"".to_vec(), "this is no key"),
        (b"{".to_vec(), "not acceptable JSON: "),
        (br#"{"kty":"RSA","kty":"EC"}"#.to_vec(), "two members of this name"),
        (b"[]".to_vec(), "neither JWK nor JWK set: a JWK set is an object"),
        (b"{}".to_vec(), "neither JWK nor JWK set: a JWK set needs the member `keys`"),
        (br#"{"keys":1}"#.to_vec(), "must be an array"),
        (pem.replace("-----END", "").into_bytes(), "malformed PEM: a block has a BEGIN line and no END line"),
        (
            pem.replacen("PRIVATE", "PUBLIC", 1).into_bytes(),
            "malformed PEM: the labels of BEGIN and END differ",
        ),
        (pem.replace('M', "!").into_bytes(), "malformed PEM: its content is not base64"),
        (pem.replace("PRIVATE", "PUBLIC").into_bytes(), "malformed SubjectPublicKeyInfo public key"),
        (pem.replace("PRIVATE KEY", "CERTIFICATE").into_bytes(), "malformed X.509 certificate"),
        (pem.replace("PRIVATE", "ENCRYPTED PRIVATE").into_bytes(), "the private key is encrypted"),
        (pem.replace("PRIVATE", "OPENSSH PRIVATE").into_bytes(), "the label \"OPENSSH PRIVATE KEY\""),
        (pem.replace("PRIVATE", "\u{1b}[31m").into_bytes(), "the label \"\\u{1b}[31m KEY\""),
        (
            pem.replace("PRIVATE KEY-----\nM", "PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nM").into_bytes(),
            "the private key is encrypted",
        ),
        (dh.as_bytes().to_vec(), "malformed PEM: it holds no key"),
        // AES-256-CBC by PBES2, of another length than it would have: SEQUENCE { SEQUENCE { OID }, OCTET STRING }.
        (der("MBEwCwYJKoZIhvcNAQUNBAIAAA"), "the private key is encrypted"),
        // SubjectPublicKeyInfo of X25519.
        (
            der("MCowBQYDK2VuAyEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            "this SubjectPublicKeyInfo public key is not supported: it is for another algorithm than RSA",
        ),
    ] {
        let error = KeyFile::read(&content).unwrap_err().to_string();
        assert!(error.contains(message), "{message}: {error}");
    }
}

#[test]
fn nothing_private_is_shown() {
    for key in keys() {
        let file = read(key.to_pkcs8().unwrap().to_pem().as_bytes());
        assert_eq!(format!("{file:?}"), "KeyFile { form: Pem(Pkcs8), keys: 1, others: 0 }");
    }
}

#[test]
fn anything_is_survived() {
    use proptest::prelude::*;
    let contents: Vec<Vec<u8>> = keys()
        .iter()
        .flat_map(|key| {
            let traditional = key.to_traditional().unwrap().map(|encoded| encoded.der.to_vec());
            let pem = key.to_pkcs8().unwrap().to_pem().as_bytes().to_vec();
            [Some(key.to_pkcs8().unwrap().der.to_vec()), Some(pem), traditional]
        })
        .flatten()
        .collect();
    proptest!(|(content in 0..contents.len(), at: prop::sample::Index, byte: u8, cut: prop::sample::Index)| {
        let mut changed = contents[content].clone();
        let position = at.index(changed.len());
        changed[position] = byte;
        for content in [&changed[..], &changed[..cut.index(changed.len())]] {
            if let Ok(file) = KeyFile::read(content) {
                let _ = JwkSet::load(&file.to_jwk_set());
                let _ = file.keys.iter().map(SigningKey::from_jwk).count();
            }
        }
    });
}
