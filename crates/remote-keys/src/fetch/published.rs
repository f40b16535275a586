//! A key set as it was published, and what of it can be used.

use claimgate_jose::json::{Object, Value};
use claimgate_jose::jwk::private_members;
use claimgate_jose::{Effect, JwkSet, KeyProblem};

/// Members of a key that everybody may see (RFC 7517, 4; RFC 7518, 6; RFC 8037, 2).
const PUBLIC_MEMBERS: [&str; 10] = ["kty", "kid", "use", "key_ops", "alg", "crv", "x", "y", "n", "e"];

/// A key set that has a key that can be used.
#[derive(Debug)]
pub struct PublishedKeys {
    /// The keys that can be used.
    pub keys: JwkSet,
    /// What is worth knowing of the others.
    pub problems: Vec<KeyProblem>,
    /// The set without what is not for publishing: it is this that is kept on disk.
    pub public: Value,
}

impl PublishedKeys {
    /// Reads a set; otherwise tells what is wrong with it.
    pub fn read(jwks: &Value) -> Result<Self, String> {
        match JwkSet::load_remote(jwks) {
            Ok((keys, problems)) => Ok(Self { keys, problems, public: public(jwks) }),
            Err(problems) => Err(told(&problems)),
        }
    }

    /// Whether another set says the same.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.public == other.public && self.problems == other.problems
    }
}

fn public(jwks: &Value) -> Value {
    let keys = jwks.as_object().and_then(|set| set.get("keys")).and_then(Value::as_array);
    let keys: Vec<Value> =
        keys.unwrap_or_default().iter().filter_map(Value::as_object).filter_map(public_key).collect();
    let mut set = Object::new();
    set.insert("keys", keys);
    set.into()
}

/// `None` when the key is nothing but a secret.
fn public_key(key: &Object) -> Option<Value> {
    if key.get("kty").and_then(Value::as_str) == Some("oct") {
        return None;
    }
    let mut public = Object::new();
    for (name, value) in key.iter().filter(|(name, _)| PUBLIC_MEMBERS.contains(name)) {
        public.insert(name, value.clone());
    }
    if private_members(key).next().is_some() {
        // It speaks of the pair, of which only this half is left.
        public.remove("key_ops");
    }
    Some(public.into())
}

/// The problems of a set in one line; the first ones tell enough.
fn told(problems: &[KeyProblem]) -> String {
    const MOST: usize = 5;
    let texts: Vec<String> = problems.iter().take(MOST).map(describe).collect();
    texts.join("; ")
}

/// A problem and the key that has it.
pub fn describe(problem: &KeyProblem) -> String {
    let Some(index) = problem.index else {
        return problem.message.clone();
    };
    let kid = match &problem.kid {
        Some(kid) => format!(" (kid {:?})", kid.chars().take(100).collect::<String>()),
        None => String::new(),
    };
    let left_out = if problem.effect == Effect::Refused { "; this key is left out" } else { "" };
    format!("key {index}{kid}: {}{left_out}", problem.message)
}
