//! Why a private key is refused or cannot sign.
use crate::Algorithm;

/// Why a private key is refused or cannot sign. The texts never hold key material.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The JWK is no private key that can sign.
    #[error("not a usable private key: {message}")]
    InvalidJwk {
        /// The member that is meant.
        member: Option<&'static str>,
        /// What is wrong and what would be right.
        message: String,
    },
    /// The key cannot be used with this algorithm.
    #[error("this key cannot be used with {0}")]
    AlgorithmMismatch(Algorithm),
    /// Keys of this size are not made.
    #[error("a key for {algorithm} has {possible}, not {bits}")]
    UnsupportedSize {
        /// What the key would be for.
        algorithm: Algorithm,
        /// The size in bits.
        bits: usize,
        /// The sizes that are possible, in words.
        possible: String,
    },
    /// HMAC secrets have no PKCS#8 form.
    #[error("an HMAC secret has no PKCS#8 form; write it as JWK")]
    NoPkcs8ForHmac,
    /// A header parameter that only the key itself may set, or that is not supported.
    #[error("the header parameter `{0}` cannot be chosen")]
    ReservedHeader(&'static str),
    /// The cryptographic library failed, for want of memory or randomness.
    #[error("the cryptographic operation failed")]
    Failed,
}
