//! Ed25519 public keys (RFC 8037 section 2).
use super::key::{Material, Verifier};
use super::members::{Fault, fixed_length_member};
use crate::json::Object;
use crate::{Algorithm, Curve, KeyType};
use aws_lc_rs::signature::{ED25519, ParsedPublicKey};
use curve25519_dalek::edwards::CompressedEdwardsY;

pub(super) fn load(key: &Object) -> Result<Material, Vec<Fault>> {
    let mut faults = Vec::new();
    let Some(x) = fixed_length_member(key, "x", Curve::Ed25519.coordinate_bytes(), &mut faults) else {
        return Err(faults);
    };
    if let Some(message) = point_fault(&x) {
        return Err(vec![Fault::of("x", message)]);
    }
    let parsed = ParsedPublicKey::new(&ED25519, &x)
        .map_err(|_| vec![Fault::of("x", "`x` is no Ed25519 public key")])?;
    Ok(Material {
        key_type: KeyType::Okp,
        curve: Some(Curve::Ed25519),
        bits: Curve::Ed25519.bits(),
        verifiers: vec![(Algorithm::EdDSA, Verifier::Signature(parsed))],
    })
}

/// What the signature library does not look at when it takes a key: whether the bytes are a point
/// (RFC 8032 section 5.1.3), in its only spelling, and one whose signatures mean something. For a
/// point of small order anybody can make signatures that fit many messages.
fn point_fault(x: &[u8]) -> Option<&'static str> {
    let compressed = CompressedEdwardsY::from_slice(x).ok()?;
    match compressed.decompress() {
        None => Some("`x` is no point on Ed25519"),
        Some(point) if point.compress() != compressed => {
            Some("`x` is not the canonical spelling of its point")
        }
        Some(point) if point.is_small_order() => {
            Some("`x` is a point of small order, which protects nothing")
        }
        Some(_) => None,
    }
}
