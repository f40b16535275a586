//! JSON Web Keys and key sets (RFC 7517).
use crate::json::Value;

/// Keys that verify signatures, each parsed once.
#[derive(Debug)]
pub struct JwkSet {}

/// What is wrong with, or worth knowing of, one key of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyProblem {
    /// Position in `keys`; `None` when the set itself is meant.
    pub index: Option<usize>,
    /// The key's `kid`.
    pub kid: Option<String>,
    /// The member of the key that is meant.
    pub member: Option<&'static str>,
    /// What is wrong and what would be right; never holds key material.
    pub message: String,
}

impl JwkSet {
    /// Loads a set; gives the set with its warnings, or all errors.
    pub fn load(_jwks: &Value) -> Result<(Self, Vec<KeyProblem>), Vec<KeyProblem>> {
        Err(vec![])
    }
}
