//! RSA public keys (RFC 7518 section 6.3.1).
use super::key::{Material, Verifier};
use super::members::{Fault, integer_member};
use crate::json::Object;
use crate::{Algorithm, KeyType};
use aws_lc_rs::signature::{self, RsaParameters, RsaPublicKeyComponents};

/// RFC 7518 sections 3.3 and 3.5 want no less.
const MIN_BITS: usize = 2048;
/// The library verifies with no more; it would be a way to make the gateway work hard.
const MAX_BITS: usize = 8192;
/// The library's limit for the public exponent.
const MAX_EXPONENT_BITS: usize = 33;

const PARAMETERS: [(Algorithm, &RsaParameters); 6] = [
    (Algorithm::RS256, &signature::RSA_PKCS1_2048_8192_SHA256),
    (Algorithm::RS384, &signature::RSA_PKCS1_2048_8192_SHA384),
    (Algorithm::RS512, &signature::RSA_PKCS1_2048_8192_SHA512),
    (Algorithm::PS256, &signature::RSA_PSS_2048_8192_SHA256),
    (Algorithm::PS384, &signature::RSA_PSS_2048_8192_SHA384),
    (Algorithm::PS512, &signature::RSA_PSS_2048_8192_SHA512),
];

pub(super) fn load(key: &Object, only: Option<Algorithm>) -> Result<Material, Vec<Fault>> {
    let mut faults = Vec::new();
    let modulus = integer_member(key, "n", &mut faults);
    let exponent = integer_member(key, "e", &mut faults);
    faults.extend(modulus.as_deref().and_then(modulus_fault));
    faults.extend(exponent.as_deref().and_then(exponent_fault));
    let (Some(n), Some(e), true) = (modulus, exponent, faults.is_empty()) else {
        return Err(faults);
    };

    let public = RsaPublicKeyComponents { n: &n, e: &e };
    let mut verifiers = Vec::new();
    for (algorithm, parameters) in PARAMETERS {
        if only.is_none_or(|only| only == algorithm) {
            let parsed = public
                .to_parsed_public_key(parameters)
                .map_err(|_| vec![Fault::of("n", "`n` and `e` are no RSA public key")])?;
            verifiers.push((algorithm, Verifier::Signature(parsed)));
        }
    }
    Ok(Material { key_type: KeyType::Rsa, curve: None, bits: bits(&n), verifiers })
}

fn modulus_fault(n: &[u8]) -> Option<Fault> {
    let bits = bits(n);
    if bits < MIN_BITS {
        return Some(Fault::of(
            "n",
            format!("an RSA key of {bits} bits is too weak; {MIN_BITS} is the least"),
        ));
    }
    if bits > MAX_BITS {
        return Some(Fault::of(
            "n",
            format!("an RSA key of {bits} bits is too large; {MAX_BITS} is the most"),
        ));
    }
    is_even(n).then(|| Fault::of("n", "`n` is even, so it is no product of two large primes"))
}

fn exponent_fault(e: &[u8]) -> Option<Fault> {
    let message = if bits(e) > MAX_EXPONENT_BITS {
        format!(
            "the public exponent `e` is too large; it may have {MAX_EXPONENT_BITS} bits (usual is AQAB, 65537)"
        )
    } else if is_even(e) {
        "the public exponent `e` is even (usual is AQAB, 65537)".to_owned()
    } else if e == [1] {
        "the public exponent `e` is 1, so anybody could sign (usual is AQAB, 65537)".to_owned()
    } else {
        return None;
    };
    Some(Fault::of("e", message))
}

/// The bits of an integer without leading zero bytes.
fn bits(integer: &[u8]) -> usize {
    let unused = integer.first().map_or(0, |byte| byte.leading_zeros());
    (8 * integer.len()).saturating_sub(usize::try_from(unused).unwrap_or(0))
}

fn is_even(integer: &[u8]) -> bool {
    integer.last().is_none_or(|byte| byte % 2 == 0)
}
