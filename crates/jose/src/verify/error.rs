//! Why a token is refused.
use crate::Algorithm;
use crate::json::JsonError;
use std::fmt;

/// Why a token is refused. For logs and metrics, never for the client; the texts hold nothing of
/// the token except a shortened, escaped `alg`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// Not three segments separated by dots (RFC 7515 section 7.1).
    #[error("not a compact JWS, which is three segments separated by dots")]
    NotCompact,
    /// Five segments: a JWE (RFC 7516 section 7.1), which is never decrypted.
    #[error("an encrypted token (JWE); only signed tokens (JWS) are accepted")]
    Encrypted,
    /// A segment is not base64url.
    #[error("the {0} is not base64url without padding")]
    InvalidBase64(TokenPart),
    /// A segment does not hold JSON.
    #[error("the {part} is not acceptable JSON: {error}")]
    InvalidJson {
        /// Header or payload.
        part: TokenPart,
        /// Where and why.
        error: JsonError,
    },
    /// A segment holds JSON, but no object.
    #[error("the {0} is not a JSON object")]
    NotAnObject(TokenPart),
    /// The header has no `alg`, or one that is no string.
    #[error("the header has no `alg`")]
    MissingAlgorithm,
    /// `none`, an algorithm that is not supported, or other letter case.
    #[error("the algorithm \"{shown}\" is not supported")]
    UnsupportedAlgorithm {
        /// The `alg`, escaped and shortened.
        shown: String,
    },
    /// The header has `crit` (RFC 7515 section 4.1.11): no extension is understood.
    #[error("the header has `crit`, and no extension is supported")]
    CriticalHeader,
    /// The header has `b64` (RFC 7797).
    #[error("the header has `b64`, and unencoded payloads are not supported")]
    UnencodedPayload,
    /// `kid` is not a string.
    #[error("the `kid` of the header is not a string")]
    InvalidKeyId,
    /// No key has the token's `kid`.
    #[error("no key has the token's `kid`")]
    UnknownKeyId,
    /// The token has no `kid`, and the set neither a key without one nor only one key.
    #[error("the token has no `kid`, and no key is meant for such tokens")]
    MissingKeyId,
    /// The key's `alg`, type, curve or size does not fit the token's algorithm.
    #[error("the token's algorithm {token} does not fit the key")]
    AlgorithmMismatch {
        /// The token's algorithm.
        token: Algorithm,
    },
    /// The signature cannot be one of this key and algorithm.
    #[error("a signature of {found} bytes, where {expected} are right")]
    WrongSignatureLength {
        /// Its length in bytes.
        found: usize,
        /// The only right length in bytes.
        expected: usize,
    },
    /// The signature does not fit token and key.
    #[error("the signature does not fit")]
    BadSignature,
    /// `exp`, `nbf` or `iat` is no number from 0 to 2^53.
    #[error("the claim `{claim}` is not a number of seconds in range")]
    InvalidTime {
        /// The claim's name.
        claim: &'static str,
    },
    /// `exp` is now or past.
    #[error("expired")]
    Expired,
    /// `nbf` is to come.
    #[error("not yet valid")]
    NotYetValid,
    /// `iss` is not one of the accepted issuers, or absent.
    #[error("the claim `iss` is none of the accepted issuers")]
    WrongIssuer,
    /// `aud` holds none of the accepted audiences, is absent or of another type.
    #[error("the claim `aud` holds none of the accepted audiences")]
    WrongAudience,
}

/// A segment of a compact JWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum TokenPart {
    Header,
    Payload,
    Signature,
}

impl VerifyError {
    /// A stable word for logs and metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotCompact => "not_compact",
            Self::Encrypted => "encrypted",
            Self::InvalidBase64(_) => "invalid_base64",
            Self::InvalidJson { .. } => "invalid_json",
            Self::NotAnObject(_) => "not_an_object",
            Self::MissingAlgorithm => "missing_algorithm",
            Self::UnsupportedAlgorithm { .. } => "unsupported_algorithm",
            Self::CriticalHeader => "critical_header",
            Self::UnencodedPayload => "unencoded_payload",
            Self::InvalidKeyId => "invalid_key_id",
            Self::UnknownKeyId => "unknown_key_id",
            Self::MissingKeyId => "missing_key_id",
            Self::AlgorithmMismatch { .. } => "algorithm_mismatch",
            Self::WrongSignatureLength { .. } => "wrong_signature_length",
            Self::BadSignature => "bad_signature",
            Self::InvalidTime { .. } => "invalid_time",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::WrongIssuer => "wrong_issuer",
            Self::WrongAudience => "wrong_audience",
        }
    }

    pub(super) fn unsupported(algorithm: &str) -> Self {
        const SHOWN_CHARACTERS: usize = 32;
        let shown = algorithm.chars().take(SHOWN_CHARACTERS).flat_map(char::escape_default).collect();
        Self::UnsupportedAlgorithm { shown }
    }
}

impl fmt::Display for TokenPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        })
    }
}
