//! Private keys as PKCS#8 (RFC 5958), in DER and PEM (RFC 7468 section 10).
use super::{Private, SignError, SigningKey, ec_parameters};
use crate::{Algorithm, Curve};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair};
use pkcs8::{LineEnding, ObjectIdentifier, PrivateKeyInfoRef, SecretDocument};
use zeroize::Zeroizing;

const LABEL: &str = "PRIVATE KEY";

/// RFC 8017 appendix A.1, RFC 5480 section 2.1.1, RFC 8410 section 3.
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// RFC 5480 section 2.1.1.1.
const CURVES: [(ObjectIdentifier, Curve); 3] = [
    (ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"), Curve::P256),
    (ObjectIdentifier::new_unwrap("1.3.132.0.34"), Curve::P384),
    (ObjectIdentifier::new_unwrap("1.3.132.0.35"), Curve::P521),
];

impl SigningKey {
    /// Reads an unencrypted private key in PEM, labelled `PRIVATE KEY`.
    ///
    /// RSA keys sign with RS256 until [`SigningKey::with_algorithm`] says otherwise.
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self, SignError> {
        match SecretDocument::from_pem(pem) {
            Ok((LABEL, document)) => Self::from_pkcs8_der(document.as_bytes()),
            Ok(("ENCRYPTED PRIVATE KEY", _)) => {
                Err(SignError::InvalidPkcs8("it is encrypted; decrypt it first"))
            }
            Ok(_) => Err(SignError::InvalidPkcs8("the PEM label must be PRIVATE KEY")),
            Err(_) => Err(SignError::InvalidPkcs8("it is no PEM text with the label PRIVATE KEY")),
        }
    }

    /// Reads an unencrypted private key in DER, as [`SigningKey::from_pkcs8_pem`].
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, SignError> {
        let info =
            PrivateKeyInfoRef::try_from(der).map_err(|_| SignError::InvalidPkcs8("it is malformed"))?;
        let refused =
            |_| SignError::InvalidPkcs8("the key is malformed, inconsistent or of a size out of range");
        let (algorithm, private) = match info.algorithm.oid {
            RSA => (Algorithm::RS256, Private::Rsa(RsaKeyPair::from_pkcs8(der).map_err(refused)?)),
            ED25519 => {
                (Algorithm::EdDSA, Private::Ed25519(Ed25519KeyPair::from_pkcs8(der).map_err(refused)?))
            }
            EC => {
                let named = info.algorithm.parameters_oid().ok();
                let (_, curve) = CURVES
                    .into_iter()
                    .find(|(identifier, _)| named == Some(*identifier))
                    .ok_or(SignError::InvalidPkcs8("its curve is none of P-256, P-384 and P-521"))?;
                let pair = EcdsaKeyPair::from_pkcs8(ec_parameters(curve)?, der).map_err(refused)?;
                (curve.algorithm(), Private::Ec(curve, pair))
            }
            _ => return Err(SignError::InvalidPkcs8("it is for another algorithm than RSA, EC and Ed25519")),
        };
        Ok(Self { algorithm, key_id: None, private })
    }

    /// The private key in PEM, labelled `PRIVATE KEY`. The text is wiped when it is dropped.
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, SignError> {
        let der = match &self.private {
            Private::Rsa(pair) => {
                let der: Pkcs8V1Der<'_> = pair.as_der()?;
                SecretDocument::try_from(der.as_ref())
            }
            Private::Ec(_, pair) => SecretDocument::try_from(pair.to_pkcs8v1()?.as_ref()),
            Private::Ed25519(pair) => SecretDocument::try_from(pair.to_pkcs8v1()?.as_ref()),
            Private::Hmac(_) => return Err(SignError::NoPkcs8ForHmac),
        };
        der.and_then(|der| der.to_pem(LABEL, LineEnding::LF)).map_err(|_| SignError::Failed)
    }
}
