//! JSON Web Keys and key sets (RFC 7517).
mod canonical;
mod ec;
mod key;
mod members;
mod oct;
mod okp;
mod rsa;
#[cfg(test)]
mod tests;
mod thumbprint;
mod write;

pub(crate) use canonical::{canonical, is_absent};
pub(crate) use ec::parameters as ecdsa_parameters;
pub use key::{Jwk, private_members};
pub(crate) use key::{Loaded, load};
pub(crate) use members::{Fault, base64url_member};
pub use thumbprint::thumbprint;
pub(crate) use write::head;

use crate::KeyType;
use crate::json::Value;
use std::collections::HashSet;

/// Keys that verify signatures, each parsed once; by default none.
#[derive(Debug, Default)]
pub struct JwkSet {
    keys: Vec<Jwk>,
}

/// Who wrote a key set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Operator,
    Remote,
}

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
    /// What becomes of the key.
    pub effect: Effect,
}

/// What becomes of a key, or set, that has a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It is wrong, and in a set of an operator an error.
    Refused,
    /// It is not understood or not for signatures, and not used.
    LeftOut,
    /// It is used.
    Used,
}

impl JwkSet {
    /// Loads a set that an operator wrote; gives the set with its warnings, or all errors.
    ///
    /// A key that is malformed or weak is an error. One that is not understood or not for
    /// signatures is left out with a warning (RFC 7517 section 5). When that leaves no key, the
    /// errors hold those warnings too, as they are the reasons.
    pub fn load(jwks: &Value) -> Result<(Self, Vec<KeyProblem>), Vec<KeyProblem>> {
        let (set, problems) = Self::read(jwks, Origin::Operator)?;
        if problems.iter().any(|problem| problem.effect == Effect::Refused) {
            return Err(problems.into_iter().filter(|problem| problem.effect == Effect::Refused).collect());
        }
        set.unless_empty(problems)
    }

    /// Loads a set that somebody else publishes: as [`JwkSet::load`], but a malformed or weak key is
    /// left out with a warning, so that one bad key does not lock out the holders of the others. An HMAC
    /// secret is left out too: published, it is none.
    pub fn load_remote(jwks: &Value) -> Result<(Self, Vec<KeyProblem>), Vec<KeyProblem>> {
        let (set, problems) = Self::read(jwks, Origin::Remote)?;
        set.unless_empty(problems)
    }

    /// Everything that [`JwkSet::load`] would find wrong or worth knowing, in the order of the keys.
    pub fn problems_of(jwks: &Value) -> Vec<KeyProblem> {
        let set = Self::read(jwks, Origin::Operator);
        let (Ok((_, problems)) | Err(problems)) = set.and_then(|(set, problems)| set.unless_empty(problems));
        problems
    }

    /// The keys in the order of the set.
    pub fn keys(&self) -> &[Jwk] {
        &self.keys
    }

    /// The keys that can be used, and all problems; an error when this is no set.
    fn read(jwks: &Value, origin: Origin) -> Result<(Self, Vec<KeyProblem>), Vec<KeyProblem>> {
        let mut keys = Vec::new();
        let mut key_ids = HashSet::new();
        let mut problems = Vec::new();

        for (index, value) in keys_of(jwks).map_err(|message| vec![set_problem(message)])?.iter().enumerate()
        {
            let problem = |effect: Effect, fault: Fault| KeyProblem {
                index: Some(index),
                kid: key_id_of(value),
                member: fault.member,
                message: fault.message,
                effect,
            };
            match key::load(value) {
                Ok(Loaded::LeftOut(reason)) => problems.push(problem(Effect::LeftOut, reason)),
                Ok(Loaded::Usable { key, .. })
                    if origin == Origin::Remote && key.key_type() == KeyType::Oct =>
                {
                    problems.push(problem(Effect::LeftOut, published_secret()));
                }
                Ok(Loaded::Usable { key, .. }) if !key_ids.insert(key.key_id().map(str::to_owned)) => {
                    problems.push(problem(Effect::Refused, same_key_id(&key)));
                }
                Ok(Loaded::Usable { key, warnings }) => {
                    problems.extend(warnings.into_iter().map(|warning| problem(Effect::Used, warning)));
                    keys.push(key);
                }
                Err(faults) => {
                    problems.extend(faults.into_iter().map(|fault| problem(Effect::Refused, fault)));
                }
            }
        }
        Ok((Self { keys }, problems))
    }

    fn unless_empty(self, mut problems: Vec<KeyProblem>) -> Result<(Self, Vec<KeyProblem>), Vec<KeyProblem>> {
        if self.keys.is_empty() {
            problems.insert(0, set_problem("this set has no key that can verify a signature"));
            return Err(problems);
        }
        Ok((self, problems))
    }
}

/// The `keys` array (RFC 7517 section 5.1); other members of the set have no meaning here.
pub(crate) fn keys_of(jwks: &Value) -> Result<&[Value], &'static str> {
    let set = jwks.as_object().ok_or("a JWK set is an object with the member `keys`")?;
    match set.get("keys") {
        Some(keys) => keys.as_array().ok_or("`keys` must be an array of keys"),
        None if set.get("kty").is_some() => Err("this is a single key; a set is written {\"keys\": [KEY]}"),
        None => Err("a JWK set needs the member `keys`"),
    }
}

fn key_id_of(key: &Value) -> Option<String> {
    key.as_object()?.get("kid")?.as_str().map(str::to_owned)
}

fn same_key_id(key: &Jwk) -> Fault {
    Fault::of(
        "kid",
        match key.key_id() {
            Some(_) => "another key of this set has the same `kid`",
            None => "another key of this set has no `kid` either; at most one key may lack it",
        },
    )
}

fn published_secret() -> Fault {
    let message = "whoever can read this set can sign with an HMAC secret in it; this key is left out, and \
                   issuer and secret should be changed";
    Fault::of("kty", message)
}

fn set_problem(message: &str) -> KeyProblem {
    KeyProblem { index: None, kid: None, member: None, message: message.to_owned(), effect: Effect::Refused }
}
