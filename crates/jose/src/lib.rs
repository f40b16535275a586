//! JOSE for claimgate: JWS compact serialization (RFC 7515), JWK and JWK sets (RFC 7517, RFC 7518,
//! RFC 8037) and JWT claims (RFC 7519), under the rules of RFC 8725.
//!
//! No I/O, no clock, no async. Every key is parsed once, when its set is loaded.

pub mod alg;
pub mod base64url;
pub mod inspection;
pub mod json;
pub mod jwk;
pub mod key_file;
pub mod sign;
pub mod verify;

pub use alg::{Algorithm, Curve, KeyType};
pub use inspection::{InspectedKey, Inspection};
pub use jwk::{Effect, Jwk, JwkSet, KeyProblem};
pub use key_file::{KeyFile, KeyFileError};
pub use sign::{SignError, SigningKey};
pub use verify::{
    Check, CheckedSignature, Policy, SignatureCheck, Times, UnverifiedToken, VerifiedClaims, VerifyError,
    verify, verify_observed,
};
