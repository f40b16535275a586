//! HMAC secrets (RFC 7518 section 6.4).
use super::key::{Material, Verifier};
use super::members::{Fault, base64url_member};
use crate::json::Object;
use crate::{Algorithm, KeyType};
use aws_lc_rs::hmac;
use zeroize::Zeroizing;

const PARAMETERS: [(Algorithm, hmac::Algorithm); 3] = [
    (Algorithm::HS256, hmac::HMAC_SHA256),
    (Algorithm::HS384, hmac::HMAC_SHA384),
    (Algorithm::HS512, hmac::HMAC_SHA512),
];

pub(super) fn load(key: &Object, only: Option<Algorithm>) -> Result<Material, Vec<Fault>> {
    let mut faults = Vec::new();
    let Some(secret) = base64url_member(key, "k", &mut faults).map(Zeroizing::new) else {
        return Err(faults);
    };
    let least = only.unwrap_or(Algorithm::HS256);
    if secret.len() < least.hash_bytes() {
        let (found, needed) = (secret.len(), least.hash_bytes());
        return Err(vec![Fault::of(
            "k",
            format!("this secret has {found} bytes; {least} needs at least {needed}"),
        )]);
    }
    Ok(Material {
        key_type: KeyType::Oct,
        curve: None,
        bits: 8 * secret.len(),
        verifiers: PARAMETERS
            .into_iter()
            .filter(|(algorithm, _)| only.is_none_or(|only| only == *algorithm))
            .filter(|(algorithm, _)| secret.len() >= algorithm.hash_bytes())
            .map(|(algorithm, hmac)| (algorithm, Verifier::Hmac(Box::new(hmac::Key::new(hmac, &secret)))))
            .collect(),
    })
}
