//! Signing, for tokens that claimgate issues itself, and the private keys for it.
mod error;
mod jwk;
#[cfg(test)]
mod tests;
mod write;

pub use error::SignError;

use crate::json::Object;
use crate::{Algorithm, Curve, KeyType, base64url};
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

/// What the library makes.
const RSA_SIZES: [KeySize; 4] = [KeySize::Rsa2048, KeySize::Rsa3072, KeySize::Rsa4096, KeySize::Rsa8192];

/// More than any block of a hash, so a longer secret protects nothing more.
const MAX_HMAC_BITS: usize = 8192;

enum Private {
    Rsa(RsaKeyPair),
    Ec(Curve, EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Hmac(Zeroizing<Vec<u8>>),
}

impl SigningKey {
    /// Makes a key: RSA of 2048 bits, the algorithm's curve, or an HMAC secret as long as the hash.
    pub fn generate(algorithm: Algorithm) -> Result<Self, SignError> {
        let bits = match algorithm.key_type() {
            KeyType::Rsa => 2048,
            KeyType::Oct => 8 * algorithm.hash_bytes(),
            KeyType::Ec | KeyType::Okp => algorithm.curve().map_or(0, Curve::bits),
        };
        Self::generate_sized(algorithm, bits)
    }

    /// Makes a key of a size in bits.
    ///
    /// RSA has 2048, 3072, 4096 or 8192; a curve its own, Ed25519 256; an HMAC secret any number of whole
    /// bytes from the length of the hash to 8192.
    pub fn generate_sized(algorithm: Algorithm, bits: usize) -> Result<Self, SignError> {
        let unsupported = |possible: String| SignError::UnsupportedSize { algorithm, bits, possible };
        let private = match (algorithm.key_type(), algorithm.curve()) {
            (KeyType::Rsa, _) => {
                let size = RSA_SIZES.into_iter().find(|size| 8 * size.len() == bits);
                let size = size.ok_or_else(|| unsupported("2048, 3072, 4096 or 8192 bits".to_owned()))?;
                Private::Rsa(RsaKeyPair::generate(size)?)
            }
            // The field has 255, and the key is written in 256.
            (_, Some(Curve::Ed25519)) if bits == 255 || bits == 256 => {
                Private::Ed25519(Ed25519KeyPair::generate()?)
            }
            (_, Some(Curve::Ed25519)) => return Err(unsupported("256 bits".to_owned())),
            (_, Some(curve)) if bits == curve.bits() => {
                Private::Ec(curve, EcdsaKeyPair::generate(ec_parameters(curve)?)?)
            }
            (_, Some(curve)) => return Err(unsupported(format!("{} bits", curve.bits()))),
            (_, None) => {
                let least = 8 * algorithm.hash_bytes();
                if !bits.is_multiple_of(8) || !(least..=MAX_HMAC_BITS).contains(&bits) {
                    return Err(unsupported(format!("{least} to {MAX_HMAC_BITS} bits in whole bytes")));
                }
                let mut secret = Zeroizing::new(vec![0; bits / 8]);
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
