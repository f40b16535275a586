//! The signature algorithms of RFC 7518 section 3.1 and RFC 8037 section 3.1.

/// A JWS signature algorithm, the meaning of the `alg` header parameter.
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
