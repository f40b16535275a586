//! The check of a signature, apart from the token that it belongs to.
use crate::{Algorithm, Jwk};
use std::fmt;

/// The check of a signature, with all that it needs, to be made elsewhere.
pub struct SignatureCheck {
    pub(super) key: Jwk,
    pub(super) algorithm: Algorithm,
    pub(super) signing_input: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

/// A signature that was checked. Only [`SignatureCheck::run`] makes one.
pub struct CheckedSignature {
    check: SignatureCheck,
    fits: bool,
}

impl SignatureCheck {
    /// Makes the check.
    pub fn run(self) -> CheckedSignature {
        let fits = self.key.verifies(self.algorithm, &self.signing_input, &self.signature);
        CheckedSignature { check: self, fits }
    }
}

impl CheckedSignature {
    /// Whether just this signature of just these bytes was found to be the key's.
    pub(super) fn proves(
        &self,
        key: &Jwk,
        algorithm: Algorithm,
        signing_input: &[u8],
        signature: &[u8],
    ) -> bool {
        self.fits
            && self.check.key.is_same(key)
            && self.check.algorithm == algorithm
            && self.check.signing_input == signing_input
            && self.check.signature == signature
    }
}

impl fmt::Debug for SignatureCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureCheck").field("key", &self.key).finish_non_exhaustive()
    }
}

impl fmt::Debug for CheckedSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedSignature").field("fits", &self.fits).finish_non_exhaustive()
    }
}
