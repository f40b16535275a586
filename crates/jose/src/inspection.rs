//! What keys say that they are, and what is wrong with them: for people who look at a set before they use it.

use crate::alg::{Curve, KeyType};
use crate::base64url;
use crate::json::{Object, Value};
use crate::jwk::{self, JwkSet, KeyProblem};
use crate::key_file::KeyFile;

/// What is known of the keys of a file. Nothing secret is in it.
#[derive(Debug)]
pub struct Inspection {
    /// Each key, in the order of the file.
    pub keys: Vec<InspectedKey>,
    /// All that is to be said of them.
    pub problems: Vec<KeyProblem>,
    /// Whether the set would be taken, with warnings perhaps.
    pub is_accepted: bool,
}

/// What a key says that it is, whether it is usable or not.
#[derive(Debug)]
pub struct InspectedKey {
    /// `kty`.
    pub key_type: Option<String>,
    /// `kid`.
    pub key_id: Option<String>,
    /// `crv`.
    pub curve: Option<String>,
    /// Its size.
    pub bits: Option<usize>,
    /// `alg`.
    pub algorithm: Option<String>,
    /// The algorithms that it verifies; empty when it is not used.
    pub algorithms: Vec<&'static str>,
    /// `use`.
    pub usage: Option<String>,
    /// RFC 7638, with SHA-256.
    pub thumbprint: Option<String>,
    /// The names of its private members.
    pub private: Vec<&'static str>,
}

impl Inspection {
    /// Looks at the keys of a file.
    pub fn of(file: &KeyFile) -> Self {
        let set = file.to_jwk_set();
        Self {
            keys: file.keys.iter().map(InspectedKey::of).collect(),
            problems: JwkSet::problems_of(&set),
            is_accepted: JwkSet::load(&set).is_ok(),
        }
    }

    /// The problems of a key; of the set where no key is named.
    pub fn problems_of(&self, index: Option<usize>) -> impl Iterator<Item = &KeyProblem> {
        self.problems.iter().filter(move |problem| problem.index == index)
    }
}

impl InspectedKey {
    fn of(value: &Value) -> Self {
        let empty = Object::new();
        let (key, _) = jwk::canonical(value.as_object().unwrap_or(&empty));
        let text = |name: &str| key.get(name).and_then(Value::as_str).map(str::to_owned);
        let bytes = |name: &str| base64url::decode(key.get(name)?.as_str()?.as_bytes()).ok();
        let curve = text("crv");
        let key_type = text("kty");
        let bits = match key_type.as_deref().and_then(KeyType::from_name) {
            Some(KeyType::Rsa) => bytes("n").map(|n| bits(&n)),
            Some(KeyType::Oct) => bytes("k").map(|secret| 8 * secret.len()),
            Some(KeyType::Ec | KeyType::Okp) => curve.as_deref().and_then(Curve::from_name).map(Curve::bits),
            None => None,
        };
        let mut alone = Object::new();
        alone.insert("keys", vec![value.clone()]);
        let loaded = JwkSet::load(&alone.into()).ok();
        let usable = loaded.as_ref().and_then(|(set, _)| set.keys().first());
        Self {
            key_id: text("kid"),
            bits,
            algorithm: text("alg"),
            algorithms: usable
                .map(|key| key.algorithms().map(|one| one.name()).collect())
                .unwrap_or_default(),
            usage: text("use"),
            thumbprint: jwk::thumbprint(&key),
            private: jwk::private_members(&key).collect(),
            curve,
            key_type,
        }
    }

    /// Key type, curve and size in words.
    pub fn kind(&self) -> Option<String> {
        let size = self.bits.map(|bits| format!("{bits} bits"));
        let kind: Vec<String> =
            [self.key_type.clone(), self.curve.clone(), size].into_iter().flatten().collect();
        Some(kind.join(", ")).filter(|kind| !kind.is_empty())
    }

    /// What it verifies in words.
    pub fn algorithm_in_words(&self) -> Option<String> {
        match (&self.algorithm, self.algorithms.as_slice()) {
            (Some(algorithm), _) => Some(algorithm.clone()),
            (None, []) => None,
            (None, [only]) => Some(format!("not given; it verifies {only}")),
            (None, several) => Some(format!("not given; it verifies each of {}", several.join(", "))),
        }
    }
}

/// The bits of an integer without leading zero bytes.
fn bits(integer: &[u8]) -> usize {
    let integer = integer.iter().skip_while(|byte| **byte == 0).collect::<Vec<_>>();
    let unused = integer.first().map_or(0, |byte| byte.leading_zeros() as usize);
    (8 * integer.len()).saturating_sub(unused)
}
