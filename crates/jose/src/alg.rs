//! The signature algorithms of RFC 7518 section 3.1 and RFC 8037 section 3.1.
use std::fmt;

/// A JWS signature algorithm, the meaning of the `alg` header parameter.
///
/// `none` is not among them, so a value of this type is always a real signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Algorithm {
    HS256,
    HS384,
    HS512,
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    ES512,
    EdDSA,
}

use Algorithm::*;

impl Algorithm {
    /// Every supported algorithm.
    pub const ALL: [Self; 13] =
        [HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA];

    /// The algorithm of an `alg` value, compared byte for byte (RFC 7515 section 4.1.1).
    ///
    /// `Ed25519`, the name that RFC 9864 gives to EdDSA on that curve, means [`Algorithm::EdDSA`].
    pub fn from_name(name: &str) -> Option<Self> {
        if name == "Ed25519" {
            return Some(EdDSA);
        }
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The registered name, as `alg` carries it.
    pub fn name(self) -> &'static str {
        match self {
            HS256 => "HS256",
            HS384 => "HS384",
            HS512 => "HS512",
            RS256 => "RS256",
            RS384 => "RS384",
            RS512 => "RS512",
            PS256 => "PS256",
            PS384 => "PS384",
            PS512 => "PS512",
            ES256 => "ES256",
            ES384 => "ES384",
            ES512 => "ES512",
            EdDSA => "EdDSA",
        }
    }

    /// The `kty` of the keys that this algorithm works with.
    pub fn key_type(self) -> KeyType {
        match self {
            HS256 | HS384 | HS512 => KeyType::Oct,
            RS256 | RS384 | RS512 | PS256 | PS384 | PS512 => KeyType::Rsa,
            ES256 | ES384 | ES512 => KeyType::Ec,
            EdDSA => KeyType::Okp,
        }
    }

    /// The only curve of the keys that this algorithm works with; `None` for RSA and HMAC.
    pub fn curve(self) -> Option<Curve> {
        match self {
            ES256 => Some(Curve::P256),
            ES384 => Some(Curve::P384),
            ES512 => Some(Curve::P521),
            EdDSA => Some(Curve::Ed25519),
            _ => None,
        }
    }

    /// The output of the hash function in bytes, which is also the least length of an HMAC secret
    /// (RFC 7518 section 3.2).
    pub fn hash_bytes(self) -> usize {
        match self {
            HS256 | RS256 | PS256 | ES256 => 32,
            HS384 | RS384 | PS384 | ES384 => 48,
            HS512 | RS512 | PS512 | ES512 | EdDSA => 64,
        }
    }

    /// The length of a signature in bytes, by a key of `key_bits` bits.
    pub(crate) fn signature_bytes(self, key_bits: usize) -> usize {
        match self.key_type() {
            KeyType::Oct => self.hash_bytes(),
            KeyType::Rsa => key_bits.div_ceil(8),
            KeyType::Ec | KeyType::Okp => self.curve().map_or(0, |curve| 2 * curve.coordinate_bytes()),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The kind of a key, the meaning of `kty` (RFC 7518 section 6.1, RFC 8037 section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyType {
    /// RSA.
    Rsa,
    /// An elliptic curve in Weierstrass form.
    Ec,
    /// An octet key pair: Ed25519.
    Okp,
    /// A secret of bytes, for HMAC.
    Oct,
}

impl KeyType {
    /// The `kty` value.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rsa => "RSA",
            Self::Ec => "EC",
            Self::Okp => "OKP",
            Self::Oct => "oct",
        }
    }

    /// The key type of a `kty` value, compared byte for byte.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Rsa, Self::Ec, Self::Okp, Self::Oct].into_iter().find(|key_type| key_type.name() == name)
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A supported curve, the meaning of `crv` (RFC 7518 section 6.2.1.1, RFC 8037 section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Curve {
    P256,
    P384,
    P521,
    Ed25519,
}

impl Curve {
    /// The `crv` value.
    pub fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// The curve of a `crv` value, compared byte for byte.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::P256, Self::P384, Self::P521, Self::Ed25519].into_iter().find(|curve| curve.name() == name)
    }

    /// The `kty` of keys on this curve.
    pub fn key_type(self) -> KeyType {
        if self == Self::Ed25519 { KeyType::Okp } else { KeyType::Ec }
    }

    /// The only algorithm of keys on this curve.
    pub fn algorithm(self) -> Algorithm {
        match self {
            Self::P256 => ES256,
            Self::P384 => ES384,
            Self::P521 => ES512,
            Self::Ed25519 => EdDSA,
        }
    }

    /// The size of the curve's field in bits.
    pub fn bits(self) -> usize {
        match self {
            Self::P256 => 256,
            Self::P384 => 384,
            Self::P521 => 521,
            Self::Ed25519 => 255,
        }
    }

    /// The length in bytes of a coordinate, and of a private key.
    pub(crate) fn coordinate_bytes(self) -> usize {
        self.bits().div_ceil(8)
    }
}

impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_algorithm() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
            assert_eq!(algorithm.to_string(), algorithm.name());
            assert_eq!(algorithm.curve().map(Curve::algorithm), algorithm.curve().map(|_| algorithm));
        }
        assert_eq!(Algorithm::from_name("Ed25519"), Some(EdDSA));
    }

    #[test]
    fn other_names_are_not_understood() {
        for name in
            ["", "none", "None", "NONE", "rs256", " RS256", "RS256 ", "RS256\0", "ES256K", "Ed448", "HS1"]
        {
            assert_eq!(Algorithm::from_name(name), None, "{name:?}");
        }
    }
}
