//! Passwords and their hashes: Argon2id (RFC 9106) as PHC strings, `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.

use std::fmt;

use argon2::password_hash::phc::{Output, ParamsString, Salt};
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::rand;
use zeroize::Zeroizing;

const SALT_BYTES: usize = 16;
const OUTPUT_BYTES: usize = 32;
/// Beyond these one run takes minutes, and whoever may log in could keep the processors busy.
const MAX_ITERATIONS: u32 = 64;
const MAX_PARALLELISM: u32 = 64;

/// What somebody typed as a password. Its bytes are taken as they are, so that `é` as one character and
/// as two are different passwords; they are wiped when this is dropped, and never shown.
pub struct Password(Zeroizing<Vec<u8>>);

/// How much work one run of Argon2id is (RFC 9106 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Parameters {
    /// Memory in KiB, at least eight for each degree of parallelism.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

/// The hash of a password.
pub struct PasswordHash {
    parameters: Params,
    salt: Salt,
    output: Output,
}

/// Why a text is no hash that can be used. The texts quote nothing of it: it may be a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordHashError {
    /// It is another kind of hash, or none.
    #[error(
        "expected an Argon2id hash ($argon2id$v=19$…), found {0}; make one with `claimgate authorizer hash`"
    )]
    NotArgon2id(&'static str),
    /// It begins like one.
    #[error("this Argon2id hash is malformed; make one with `claimgate authorizer hash`")]
    Malformed,
    /// It takes too much work.
    #[error("the hash asks for {found} {what}, the most is {most}")]
    TooCostly {
        /// Of what there is too much.
        what: &'static str,
        /// How much there is.
        found: u32,
        /// How much there may be.
        most: u32,
    },
    /// The parameters contradict each other.
    #[error(
        "memory must be at least 8 KiB for each degree of parallelism, iterations and parallelism from 1 to 64"
    )]
    Parameters,
    /// There is no memory, or no randomness.
    #[error("cannot compute the hash: no memory or no randomness")]
    Failed,
}

impl Password {
    /// Takes the bytes of a password.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Its bytes, which must not be shown.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl PasswordHash {
    /// Reads a PHC string. Only version 19 of Argon2id is taken, without key identifier and data.
    pub fn parse(text: &str) -> Result<Self, PasswordHashError> {
        if !text.starts_with("$argon2id$") {
            return Err(PasswordHashError::NotArgon2id(kind_of(text)));
        }
        let malformed = || PasswordHashError::Malformed;
        let parsed = argon2::PasswordHash::new(text).map_err(|_| malformed())?;
        let parameters = Params::try_from(&parsed).map_err(|_| malformed())?;
        let (Some(salt), Some(output), Some(19)) = (parsed.salt, parsed.hash, parsed.version) else {
            return Err(malformed());
        };
        if !parameters.keyid().is_empty() || !parameters.data().is_empty() {
            return Err(malformed());
        }
        for (what, found, most) in [
            ("iterations", parameters.t_cost(), MAX_ITERATIONS),
            ("degrees of parallelism", parameters.p_cost(), MAX_PARALLELISM),
        ] {
            if found > most {
                return Err(PasswordHashError::TooCostly { what, found, most });
            }
        }
        Ok(Self { parameters, salt, output })
    }

    /// Reads a PHC string that asks for so much memory at most.
    pub fn parse_within(text: &str, max_memory_kib: u32) -> Result<Self, PasswordHashError> {
        let hash = Self::parse(text)?;
        let (what, found, most) = ("KiB of memory", hash.parameters.m_cost(), max_memory_kib);
        if found > most { Err(PasswordHashError::TooCostly { what, found, most }) } else { Ok(hash) }
    }

    /// Hashes a password with a random salt.
    pub fn of(password: &Password, parameters: Parameters) -> Result<Self, PasswordHashError> {
        let mut hash = Self::of_nobody(parameters)?;
        hash.output = hash.compute(password)?;
        Ok(hash)
    }

    /// A hash that no password is known for: verifying one takes as long as with a real one.
    pub fn of_nobody(parameters: Parameters) -> Result<Self, PasswordHashError> {
        let mut salt = [0; SALT_BYTES];
        let mut output = [0; OUTPUT_BYTES];
        rand::fill(&mut salt).map_err(|_| PasswordHashError::Failed)?;
        rand::fill(&mut output).map_err(|_| PasswordHashError::Failed)?;
        let Parameters { memory_kib, iterations, parallelism } = parameters;
        if parallelism > MAX_PARALLELISM || iterations > MAX_ITERATIONS {
            return Err(PasswordHashError::Parameters);
        }
        Ok(Self {
            parameters: Params::new(memory_kib, iterations, parallelism, Some(OUTPUT_BYTES))
                .map_err(|_| PasswordHashError::Parameters)?,
            salt: Salt::new(&salt).map_err(|_| PasswordHashError::Failed)?,
            output: Output::new(&output).map_err(|_| PasswordHashError::Failed)?,
        })
    }

    /// Whether this is the hash of a password, found out by one run of Argon2id and compared in constant
    /// time.
    pub fn verify(&self, password: &Password) -> Result<bool, PasswordHashError> {
        Ok(self.compute(password)? == self.output)
    }

    /// How much work a run is.
    pub fn parameters(&self) -> Parameters {
        Parameters {
            memory_kib: self.parameters.m_cost(),
            iterations: self.parameters.t_cost(),
            parallelism: self.parameters.p_cost(),
        }
    }

    /// The PHC string.
    pub fn to_phc(&self) -> Result<String, PasswordHashError> {
        let params = ParamsString::try_from(&self.parameters).map_err(|_| PasswordHashError::Failed)?;
        Ok(format!("$argon2id$v=19${params}${}${}", self.salt, self.output))
    }

    fn compute(&self, password: &Password) -> Result<Output, PasswordHashError> {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, self.parameters.clone());
        let mut output = vec![0; self.output.len()];
        argon2
            .hash_password_into(password.as_bytes(), &self.salt, &mut output)
            .map_err(|_| PasswordHashError::Failed)?;
        Output::new(&output).map_err(|_| PasswordHashError::Failed)
    }
}

impl Parameters {
    /// Memory times passes, which the time of a run grows with.
    pub fn work(self) -> u64 {
        u64::from(self.memory_kib) * u64::from(self.iterations)
    }
}

/// What OWASP's cheat sheet on password storage names first.
impl Default for Parameters {
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, iterations: 2, parallelism: 1 }
    }
}

/// As the PHC string has them.
impl fmt::Display for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m={},t={},p={}", self.memory_kib, self.iterations, self.parallelism)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordHash").field("parameters", &self.parameters()).finish_non_exhaustive()
    }
}

fn kind_of(text: &str) -> &'static str {
    const KINDS: [(&str, &str); 10] = [
        ("$argon2i$", "an Argon2i hash"),
        ("$argon2d$", "an Argon2d hash"),
        ("$2", "a bcrypt hash"),
        ("$pbkdf2", "a PBKDF2 hash"),
        ("$scrypt$", "a scrypt hash"),
        ("$7$", "a scrypt hash"),
        ("$y$", "a yescrypt hash"),
        ("$5$", "a SHA-crypt hash"),
        ("$6$", "a SHA-crypt hash"),
        ("{", "an LDAP hash"),
    ];
    let known = KINDS.iter().find(|(prefix, _)| text.starts_with(prefix));
    known.map_or("something else, perhaps a plain password", |(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    const CHEAP: Parameters = Parameters { memory_kib: 16, iterations: 1, parallelism: 2 };

    fn password(text: &str) -> Password {
        Password::new(text.as_bytes().to_vec())
    }

    /// A test vector of the reference implementation: password `password`, salt `somesalt`.
    const REFERENCE: &str =
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

    #[test]
    fn agrees_with_the_reference_implementation() {
        let hash = PasswordHash::parse(REFERENCE).unwrap();
        assert_eq!(hash.verify(&password("password")), Ok(true));
        assert_eq!(hash.verify(&password("Password")), Ok(false));
        assert_eq!(hash.to_phc().unwrap(), REFERENCE);
    }

    #[test]
    fn only_the_same_bytes_verify() {
        let hash = PasswordHash::of(&password("caf\u{e9}\0"), CHEAP).unwrap();
        let hash = PasswordHash::parse(&hash.to_phc().unwrap()).unwrap();
        assert_eq!(hash.parameters(), CHEAP);
        assert_eq!(hash.verify(&password("caf\u{e9}\0")), Ok(true));
        for other in ["cafe\u{301}\0", "caf\u{e9}", "", "caf\u{e9}\0 ", "CAF\u{c9}\0"] {
            assert_eq!(hash.verify(&password(other)), Ok(false), "{other:?}");
        }
    }

    #[test]
    fn salts_differ() {
        let hash = || PasswordHash::of(&password("x"), CHEAP).unwrap().to_phc().unwrap();
        assert_ne!(hash(), hash());
    }

    #[test]
    fn nothing_verifies_against_the_hash_of_nobody() {
        let hash = PasswordHash::of_nobody(CHEAP).unwrap();
        assert_eq!(hash.verify(&password("")), Ok(false));
        assert_eq!(hash.parameters(), CHEAP);
    }

    #[test]
    fn what_cannot_be_used_is_refused_without_quoting_it() {
        for (text, why) in [
            ("hunter2", "perhaps a plain password"),
            ("", "perhaps a plain password"),
            ("$2b$12$hunter2", "a bcrypt hash"),
            ("$argon2i$v=19$m=16,t=2,p=1$c29tZXNhbHQ$hunter2", "an Argon2i hash"),
            ("$6$hunter2$x", "a SHA-crypt hash"),
            ("{SSHA}hunter2", "an LDAP hash"),
            ("$argon2id$hunter2", "malformed"),
            ("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ", "malformed"),
            (
                "$argon2id$v=16$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
                "malformed",
            ),
            (
                "$argon2id$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
                "malformed",
            ),
            (
                "$argon2id$v=19$m=7,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
                "malformed",
            ),
            ("$argon2id$v=19$m=65536,t=2,p=1$c2Fs$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "malformed"),
            (
                "$argon2id$v=19$m=65536,t=65,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
                "65 iterations",
            ),
            (
                "$argon2id$v=19$m=65536,t=1,p=65$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
                "65 degrees",
            ),
        ] {
            let error = PasswordHash::parse(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn debug_output_shows_neither_password_nor_hash() {
        let hash = PasswordHash::parse(REFERENCE).unwrap();
        let shown = format!("{hash:?} {:?}", password("hunter2"));
        assert!(!shown.contains("c29tZXNhbHQ") && !shown.contains("CTFh") && !shown.contains("hunter2"));
    }
}
