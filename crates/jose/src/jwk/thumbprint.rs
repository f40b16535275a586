//! Names for keys that follow from the keys (RFC 7638).
use super::canonical;
use crate::json::Object;
use aws_lc_rs::digest;

/// The SHA-256 thumbprint of a JWK in base64url (RFC 7638 section 3), whether it is usable or not.
///
/// `None` when a member is missing that the thumbprint is made of, and for HMAC secrets: it would let
/// everybody who sees it test guesses of the secret (RFC 7638 section 7).
pub fn thumbprint(jwk: &Object) -> Option<String> {
    let (jwk, _) = canonical(jwk);
    // The members sorted by name (RFC 7638 section 3.2, RFC 8037 section 2).
    let members: &[&str] = match jwk.get("kty")?.as_str()? {
        "RSA" => &["e", "kty", "n"],
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        _ => return None,
    };
    let mut required = Object::new();
    for name in members {
        required.insert(*name, jwk.get(name)?.as_str()?);
    }
    let hash = digest::digest(&digest::SHA256, required.to_string().as_bytes());
    Some(crate::base64url::encode(hash.as_ref()))
}
