//! Public keys on the NIST curves (RFC 7518 section 6.2.1).
use super::key::{Material, Verifier};
use super::members::{Fault, fixed_length_member};
use crate::json::Object;
use crate::{Curve, KeyType};
use aws_lc_rs::signature::{self, EcdsaVerificationAlgorithm, ParsedPublicKey};

pub(super) fn load(key: &Object, curve: Curve) -> Result<Material, Vec<Fault>> {
    let mut faults = Vec::new();
    let x = fixed_length_member(key, "x", curve.coordinate_bytes(), &mut faults);
    let y = fixed_length_member(key, "y", curve.coordinate_bytes(), &mut faults);
    let (Some(x), Some(y), Some(parameters)) = (x, y, parameters(curve)) else {
        return Err(faults);
    };

    // An uncompressed point (SEC 1 section 2.3.3). The library checks that it lies on the curve.
    let point = [&[4], x.as_slice(), y.as_slice()].concat();
    let parsed = ParsedPublicKey::new(parameters, point)
        .map_err(|_| vec![Fault::of("x", format!("`x` and `y` are no point on {curve}"))])?;
    Ok(Material {
        key_type: KeyType::Ec,
        curve: Some(curve),
        bits: curve.bits(),
        verifiers: vec![(curve.algorithm(), Verifier::Signature(parsed))],
    })
}

/// `None` for Ed25519, which is not used with ECDSA.
pub(crate) fn parameters(curve: Curve) -> Option<&'static EcdsaVerificationAlgorithm> {
    match curve {
        Curve::P256 => Some(&signature::ECDSA_P256_SHA256_FIXED),
        Curve::P384 => Some(&signature::ECDSA_P384_SHA384_FIXED),
        Curve::P521 => Some(&signature::ECDSA_P521_SHA512_FIXED),
        Curve::Ed25519 => None,
    }
}
