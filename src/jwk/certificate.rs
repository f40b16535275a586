//! Self-signed certificates, for tools that take a public key in no other form.

use std::time::{Duration, SystemTime};

use claimgate_jose::SigningKey;
use claimgate_jose::key_file::{Encoded, Structure};
use rcgen::{CertificateParams, DnType, KeyPair, KeyUsagePurpose};

use zeroize::Zeroizing;

use crate::failure::Failure;

/// RFC 5280 appendix A.1, ub-common-name.
const MAX_NAME_CHARACTERS: usize = 64;

/// Reads `--certificate`.
pub fn common_name(name: &str) -> Result<String, String> {
    let is_good = !name.is_empty()
        && name.chars().count() <= MAX_NAME_CHARACTERS
        && !name.chars().any(char::is_control);
    if is_good {
        Ok(name.to_owned())
    } else {
        Err(format!("expected a common name of 1 to {MAX_NAME_CHARACTERS} characters"))
    }
}

/// A certificate in PEM that is valid from now on and may verify signatures, no more.
///
/// RSA keys sign it with PKCS#1 v1.5 and SHA-256, whatever their tokens are signed with.
pub fn self_signed(key: &SigningKey, common_name: &str, days: u16) -> Result<Zeroizing<String>, Failure> {
    let failed = |error: rcgen::Error| Failure::unusable(format!("cannot make the certificate: {error}"));
    let private = key.to_pkcs8().map_err(Failure::unusable)?;
    let pair = KeyPair::try_from(private.der.as_slice()).map_err(failed)?;

    let now = SystemTime::now();
    let mut certificate = CertificateParams::default();
    certificate.not_before = now.into();
    certificate.not_after = (now + Duration::from_secs(u64::from(days) * 24 * 60 * 60)).into();
    certificate.distinguished_name.push(DnType::CommonName, common_name);
    certificate.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let certificate = certificate.self_signed(&pair).map_err(failed)?;
    Ok(Encoded::new(Structure::Certificate, certificate.der()).to_pem())
}
