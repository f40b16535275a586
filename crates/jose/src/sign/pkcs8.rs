//! Private keys in DER and PEM (RFC 7468): PKCS#8 (RFC 5958), and the forms before it.
use super::{Private, SignError, SigningKey, ec_parameters};
use crate::Algorithm;
use crate::key_file::der::{Kind, identifier_of};
use crate::key_file::{Encoded, Structure};
use aws_lc_rs::encoding::{AsBigEndian, AsDer, EcPrivateKeyBin, Pkcs8V1Der};
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use pkcs8::der::Encode;
use pkcs8::{PrivateKeyInfoRef, SecretDocument};
use sec1::{EcParameters, EcPrivateKey};
use zeroize::Zeroizing;

const LABEL: &str = "PRIVATE KEY";

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
        let (algorithm, private) = match Kind::of(&info.algorithm).map_err(SignError::InvalidPkcs8)? {
            Kind::Rsa => (Algorithm::RS256, Private::Rsa(RsaKeyPair::from_pkcs8(der).map_err(refused)?)),
            Kind::Ed25519 => {
                (Algorithm::EdDSA, Private::Ed25519(Ed25519KeyPair::from_pkcs8(der).map_err(refused)?))
            }
            Kind::Ec(curve) => {
                let pair = EcdsaKeyPair::from_pkcs8(ec_parameters(curve)?, der).map_err(refused)?;
                (curve.algorithm(), Private::Ec(curve, pair))
            }
        };
        Ok(Self { algorithm, key_id: None, private })
    }

    /// The private key as PKCS#8.
    pub fn to_pkcs8(&self) -> Result<Encoded, SignError> {
        let encoded = |der: &[u8]| Encoded::new(Structure::Pkcs8, der);
        Ok(match &self.private {
            Private::Rsa(pair) => {
                let der: Pkcs8V1Der<'_> = pair.as_der()?;
                encoded(der.as_ref())
            }
            Private::Ec(_, pair) => encoded(pair.to_pkcs8v1()?.as_ref()),
            Private::Ed25519(pair) => encoded(pair.to_pkcs8v1()?.as_ref()),
            Private::Hmac(_) => return Err(SignError::NoPkcs8ForHmac),
        })
    }

    /// The private key in PEM, labelled `PRIVATE KEY`. The text is wiped when it is dropped.
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, SignError> {
        Ok(self.to_pkcs8()?.to_pem())
    }

    /// The private key in the form that was usual before PKCS#8: PKCS#1 for RSA (RFC 8017 appendix
    /// A.1.2), SEC 1 for EC (RFC 5915); `None` for Ed25519 and HMAC.
    pub fn to_traditional(&self) -> Result<Option<Encoded>, SignError> {
        match &self.private {
            Private::Rsa(_) => {
                let pkcs8 = self.to_pkcs8()?;
                let info =
                    PrivateKeyInfoRef::try_from(pkcs8.der.as_slice()).map_err(|_| SignError::Failed)?;
                Ok(Some(Encoded::new(Structure::Pkcs1, info.private_key.as_bytes())))
            }
            Private::Ec(curve, pair) => {
                let number: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes()?;
                let key = EcPrivateKey {
                    private_key: number.as_ref(),
                    parameters: identifier_of(*curve).map(EcParameters::NamedCurve),
                    public_key: Some(pair.public_key().as_ref()),
                };
                let der = key.to_der().map(Zeroizing::new).map_err(|_| SignError::Failed)?;
                Ok(Some(Encoded { structure: Structure::Sec1, der }))
            }
            Private::Ed25519(_) | Private::Hmac(_) => Ok(None),
        }
    }
}
