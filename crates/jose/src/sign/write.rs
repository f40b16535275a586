//! Writing private keys: PKCS#8 (RFC 5958), and the forms before it.
use super::{Private, SignError, SigningKey};
use crate::key_file::der::identifier_of;
use crate::key_file::{Encoded, Structure};
use aws_lc_rs::encoding::{AsBigEndian, AsDer, EcPrivateKeyBin, Pkcs8V1Der};
use aws_lc_rs::signature::KeyPair as _;
use pkcs8::PrivateKeyInfoRef;
use pkcs8::der::Encode;
use sec1::{EcParameters, EcPrivateKey};
use zeroize::Zeroizing;

impl SigningKey {
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
