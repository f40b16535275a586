//! Signing, for tokens that claimgate issues itself, and the private keys for it.
mod error;
mod jwk;
mod pkcs8;
#[cfg(test)]
mod tests;

pub use error::SignError;

use crate::json::Object;
use crate::{Algorithm, Curve, base64url};
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, RsaEncoding, RsaKeyPair,
};
use aws_lc_rs::{error::Unspecified, hmac};
use std::fmt;
use zeroize::Zeroizing;

/// A private key (or HMAC secret) that signs tokens. Its private part is wiped from memory when it is
/// dropped, and shown only by the methods that are named after it.
pub struct SigningKey {
    algorithm: Algorithm,
    key_id: Option<String>,
    private: Private,
}

enum Private {
    Rsa(RsaKeyPair),
    Ec(Curve, EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Hmac(Zeroizing<Vec<u8>>),
}

impl SigningKey {
    /// Makes a key: RSA of 2048 bits, the algorithm's curve, or an HMAC secret as long as the hash.
    pub fn generate(algorithm: Algorithm) -> Result<Self, SignError> {
        let private = match algorithm.curve() {
            Some(Curve::Ed25519) => Private::Ed25519(Ed25519KeyPair::generate()?),
            Some(curve) => Private::Ec(curve, EcdsaKeyPair::generate(ec_parameters(curve)?)?),
            None if rsa_padding(algorithm).is_ok() => Private::Rsa(RsaKeyPair::generate(KeySize::Rsa2048)?),
            None => {
                let mut secret = Zeroizing::new(vec![0; algorithm.hash_bytes()]);
                rand::fill(&mut secret)?;
                Private::Hmac(secret)
            }
        };
        Ok(Self { algorithm, key_id: None, private })
    }

    /// Sets the `kid`, for tokens and JWKs; an empty one stands for none.
    pub fn with_key_id(mut self, key_id: impl Into<String>) -> Self {
        self.key_id = Some(key_id.into()).filter(|key_id| !key_id.is_empty());
        self
    }

    /// Sets the algorithm where the key leaves a choice: hash and padding of RSA, the hash of HMAC.
    pub fn with_algorithm(mut self, algorithm: Algorithm) -> Result<Self, SignError> {
        let fits = match &self.private {
            Private::Rsa(_) => rsa_padding(algorithm).is_ok(),
            Private::Ec(curve, _) => curve.algorithm() == algorithm,
            Private::Ed25519(_) => algorithm == Algorithm::EdDSA,
            Private::Hmac(secret) => hmac_hash(algorithm).is_ok() && secret.len() >= algorithm.hash_bytes(),
        };
        if !fits {
            return Err(SignError::AlgorithmMismatch(algorithm));
        }
        self.algorithm = algorithm;
        Ok(self)
    }

    /// The algorithm of the signatures.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The `kid`.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Makes a compact JWS of the claims (RFC 7515 section 3.1).
    ///
    /// The header holds `alg`, `typ` (`JWT`) and the key's `kid`, then the extra parameters. Those may
    /// set `typ` and `kid`, but not `alg`, `crit` or `b64`, which change what the signature means.
    pub fn sign(&self, extra_header: &Object, claims: &Object) -> Result<String, SignError> {
        for reserved in ["alg", "crit", "b64"] {
            if extra_header.get(reserved).is_some() {
                return Err(SignError::ReservedHeader(reserved));
            }
        }
        let mut header = Object::new();
        header.insert("alg", self.algorithm.name());
        header.insert("typ", "JWT");
        if let Some(key_id) = &self.key_id {
            header.insert("kid", key_id.as_str());
        }
        for (name, value) in extra_header.iter() {
            header.insert(name, value.clone());
        }

        let header = base64url::encode(header.to_string().as_bytes());
        let payload = base64url::encode(claims.to_string().as_bytes());
        let signing_input = format!("{header}.{payload}");
        let signature = base64url::encode(&self.signature(signing_input.as_bytes())?);
        Ok(format!("{signing_input}.{signature}"))
    }

    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(match &self.private {
            Private::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(rsa_padding(self.algorithm)?, &SystemRandom::new(), message, &mut signature)?;
                signature
            }
            Private::Ec(_, pair) => pair.sign(&SystemRandom::new(), message)?.as_ref().to_vec(),
            Private::Ed25519(pair) => pair.try_sign(message)?.as_ref().to_vec(),
            Private::Hmac(secret) => {
                let key = hmac::Key::new(hmac_hash(self.algorithm)?, secret);
                hmac::sign(&key, message).as_ref().to_vec()
            }
        })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

fn rsa_padding(algorithm: Algorithm) -> Result<&'static dyn RsaEncoding, SignError> {
    Ok(match algorithm {
        Algorithm::RS256 => &signature::RSA_PKCS1_SHA256,
        Algorithm::RS384 => &signature::RSA_PKCS1_SHA384,
        Algorithm::RS512 => &signature::RSA_PKCS1_SHA512,
        Algorithm::PS256 => &signature::RSA_PSS_SHA256,
        Algorithm::PS384 => &signature::RSA_PSS_SHA384,
        Algorithm::PS512 => &signature::RSA_PSS_SHA512,
        _ => return Err(SignError::AlgorithmMismatch(algorithm)),
    })
}

fn ec_parameters(curve: Curve) -> Result<&'static EcdsaSigningAlgorithm, SignError> {
    Ok(match curve {
        Curve::P256 => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        Curve::P384 => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
        Curve::P521 => &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
        Curve::Ed25519 => return Err(SignError::AlgorithmMismatch(Algorithm::EdDSA)),
    })
}

fn hmac_hash(algorithm: Algorithm) -> Result<hmac::Algorithm, SignError> {
    Ok(match algorithm {
        Algorithm::HS256 => hmac::HMAC_SHA256,
        Algorithm::HS384 => hmac::HMAC_SHA384,
        Algorithm::HS512 => hmac::HMAC_SHA512,
        _ => return Err(SignError::AlgorithmMismatch(algorithm)),
    })
}

impl From<Unspecified> for SignError {
    fn from(_: Unspecified) -> Self {
        Self::Failed
    }
}
