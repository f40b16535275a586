//! Writing public keys.
use super::Jwk;
use crate::json::Object;
use crate::key_file::{Encoded, Structure, der};
use crate::{Algorithm, KeyType, SignError};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use pkcs8::spki::SubjectPublicKeyInfoRef;

impl Jwk {
    /// The public key as JWK, with `use` and, where there are, `kid` and `alg`; `None` for HMAC, which
    /// has no public key.
    pub fn public_jwk(&self) -> Result<Option<Object>, SignError> {
        let Some(spki) = self.to_spki()? else {
            return Ok(None);
        };
        let mut jwk = head(self.key_type(), self.key_id(), self.algorithm());
        for (name, value) in der::spki(&spki.der).map_err(|_| SignError::Failed)?.iter() {
            jwk.insert(name, value.clone());
        }
        Ok(Some(jwk))
    }

    /// The public key as SubjectPublicKeyInfo; `None` for HMAC.
    pub fn to_spki(&self) -> Result<Option<Encoded>, SignError> {
        let Some(key) = self.public_key() else {
            return Ok(None);
        };
        let der: PublicKeyX509Der<'_> = key.as_der()?;
        Ok(Some(Encoded::new(Structure::Spki, der.as_ref())))
    }

    /// The public key in the form that was usual before SubjectPublicKeyInfo: PKCS#1, which only RSA
    /// has; `None` for others.
    pub fn to_traditional(&self) -> Result<Option<Encoded>, SignError> {
        let Some(spki) = self.to_spki()?.filter(|_| self.key_type() == KeyType::Rsa) else {
            return Ok(None);
        };
        let info = SubjectPublicKeyInfoRef::try_from(spki.der.as_slice()).map_err(|_| SignError::Failed)?;
        let key = info.subject_public_key.as_bytes().ok_or(SignError::Failed)?;
        Ok(Some(Encoded::new(Structure::Pkcs1Public, key)))
    }
}

/// The members that every JWK of ours begins with.
pub(crate) fn head(key_type: KeyType, key_id: Option<&str>, algorithm: Option<Algorithm>) -> Object {
    let mut jwk = Object::new();
    jwk.insert("kty", key_type.name());
    if let Some(key_id) = key_id {
        jwk.insert("kid", key_id);
    }
    jwk.insert("use", "sig");
    if let Some(algorithm) = algorithm {
        jwk.insert("alg", algorithm.name());
    }
    jwk
}
