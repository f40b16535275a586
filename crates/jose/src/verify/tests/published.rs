#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! The examples of RFC 7515, RFC 7520 and RFC 8037.
use super::*;
use crate::SigningKey;

const TOKENS: &str = include_str!("../../../tests/data/published_tokens.json");

/// `exp` of RFC 7515 appendix A.1 to A.3.
const EXPIRES: Duration = Duration::from_secs(1_300_819_380);

#[test]
fn published_signatures_fit() {
    let examples = Value::parse(TOKENS.as_bytes()).unwrap();
    let mut fitting = 0;
    for example in examples.as_array().unwrap() {
        let example = example.as_object().unwrap();
        let source = example.get("source").unwrap().as_str().unwrap();
        let token = example.get("token").unwrap().as_str().unwrap();
        let algorithm = example.get("alg").unwrap().as_str().unwrap();
        let Some(algorithm) = Algorithm::from_name(algorithm) else {
            assert_eq!((source, algorithm), ("RFC 7515 appendix A.5", "none"));
            let result = verify(token.as_bytes(), &secret_set(), &Policy::default(), Duration::ZERO);
            assert_eq!(reason(result), "unsupported_algorithm");
            continue;
        };
        let jwk = example.get("key").unwrap();
        let set = key_set(&jwk.to_string());
        let key = &set.keys()[0];

        // Not every payload is JSON, so this looks at the signature alone.
        let segments = Segments::of(token.as_bytes()).unwrap();
        let bytes = fit_key(key, algorithm).unwrap();
        let signature = decode_signature(segments.signature, bytes).unwrap();
        assert!(key.verifies(algorithm, segments.signing_input, &signature), "{source}");
        assert!(!key.verifies(algorithm, segments.header, &signature), "{source}");
        fitting += 1;

        // The private key of the example makes signatures that its public key accepts.
        let signer = SigningKey::from_jwk(jwk).unwrap();
        let mine = signer.with_algorithm(algorithm).unwrap().sign(&Object::new(), &Object::new()).unwrap();
        assert_eq!(
            reason(verify(mine.as_bytes(), &set, &Policy::default(), Duration::ZERO)),
            "accepted",
            "{source}"
        );

        if let "RFC 7515 appendix A.1" | "RFC 7515 appendix A.2" | "RFC 7515 appendix A.3" = source {
            let at = |now| verify(token.as_bytes(), &set, &Policy::default(), now);
            let verified = at(EXPIRES - Duration::from_nanos(1)).unwrap();
            assert_eq!(verified.get("iss").and_then(Value::as_str), Some("joe"));
            assert_eq!(verified.get("http://example.com/is_root").and_then(Value::as_bool), Some(true));
            assert_eq!(verified.times().expires_at, Some(EXPIRES));
            assert_eq!(at(EXPIRES).unwrap_err(), VerifyError::Expired, "{source}");
        }
    }
    assert_eq!(fitting, 9);
}
