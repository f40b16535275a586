//! One JSON Web Key (RFC 7517 section 4).
use super::members::{Fault, optional_string, optional_strings, required_string};
use super::{canonical, ec, is_absent, oct, okp, rsa, thumbprint};
use crate::json::{Object, Value};
use crate::{Algorithm, Curve, KeyType};
use aws_lc_rs::{hmac, signature::ParsedPublicKey};
use std::fmt;
use std::sync::Arc;

/// A key that verifies signatures. Of a private key only the public part is kept. Clones share it.
#[derive(Clone)]
pub struct Jwk {
    key_id: Option<String>,
    algorithm: Option<Algorithm>,
    thumbprint: Option<String>,
    material: Arc<Material>,
}

/// The cryptographic content of a key.
pub(super) struct Material {
    pub(super) key_type: KeyType,
    pub(super) curve: Option<Curve>,
    pub(super) bits: usize,
    /// One for each algorithm that this key may be used with: no other can be verified.
    pub(super) verifiers: Vec<(Algorithm, Verifier)>,
}

pub(super) enum Verifier {
    Signature(ParsedPublicKey),
    Hmac(Box<hmac::Key>),
}

/// The result of reading a key that is not wrong.
pub(crate) enum Loaded {
    /// It can verify.
    Usable { key: Jwk, warnings: Vec<Fault> },
    /// It is not understood or not for signatures.
    LeftOut(Fault),
}

impl Jwk {
    /// The `kid`; `None` when it is absent or empty.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The `alg`, to which the key is bound; `None` when it is absent.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// The algorithms that this key can verify: the `alg`, or all that fit the key.
    pub fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        self.material.verifiers.iter().map(|(algorithm, _)| *algorithm)
    }

    /// The `kty`.
    pub fn key_type(&self) -> KeyType {
        self.material.key_type
    }

    /// The `crv`; `None` for RSA and HMAC.
    pub fn curve(&self) -> Option<Curve> {
        self.material.curve
    }

    /// The size in bits: of the RSA modulus, the curve's field or the HMAC secret.
    pub fn bits(&self) -> usize {
        self.material.bits
    }

    /// Whether the check of a signature takes longer than about 0.1 ms: on the curves P-384 and P-521, and
    /// by RSA keys of more than 3072 bits.
    pub fn is_slow(&self) -> bool {
        match self.key_type() {
            KeyType::Rsa => self.bits() > 3072,
            KeyType::Ec => self.curve() != Some(Curve::P256),
            KeyType::Okp | KeyType::Oct => false,
        }
    }

    /// Whether this is the other key, or a clone of it.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.material, &other.material)
    }

    /// The [`thumbprint`]; `None` for HMAC secrets.
    pub fn thumbprint(&self) -> Option<&str> {
        self.thumbprint.as_deref()
    }

    /// The length of this key's signatures in bytes; `None` when the key does not fit the algorithm.
    pub(crate) fn signature_bytes(&self, algorithm: Algorithm) -> Option<usize> {
        self.verifier(algorithm).map(|_| algorithm.signature_bytes(self.material.bits))
    }

    /// Whether `signature` is this key's signature of `message`.
    pub(crate) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match self.verifier(algorithm) {
            Some(Verifier::Signature(key)) => key.verify_sig(message, signature).is_ok(),
            Some(Verifier::Hmac(key)) => hmac::verify(key, message, signature).is_ok(),
            None => false,
        }
    }

    /// The public key; `None` for HMAC.
    pub(super) fn public_key(&self) -> Option<&ParsedPublicKey> {
        match self.material.verifiers.first() {
            Some((_, Verifier::Signature(key))) => Some(key),
            _ => None,
        }
    }

    fn verifier(&self, algorithm: Algorithm) -> Option<&Verifier> {
        self.material
            .verifiers
            .iter()
            .find(|(fitting, _)| *fitting == algorithm)
            .map(|(_, verifier)| verifier)
    }
}

impl fmt::Debug for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwk")
            .field("key_id", &self.key_id)
            .field("algorithm", &self.algorithm)
            .field("key_type", &self.material.key_type)
            .field("curve", &self.material.curve)
            .field("bits", &self.material.bits)
            .field("thumbprint", &self.thumbprint)
            .finish_non_exhaustive()
    }
}

/// Reads a key; gives all that is wrong with it otherwise.
pub(crate) fn load(key: &Value) -> Result<Loaded, Vec<Fault>> {
    let Some(key) = key.as_object() else {
        return Err(vec![Fault { member: None, message: "a key must be an object".to_owned() }]);
    };
    let (key, mut warnings) = canonical(key);
    let key = &key;

    let mut faults = Vec::new();
    let key_type = required_string(key, "kty", &mut faults);
    let key_id = optional_string(key, "kid", &mut faults);
    let usage = optional_string(key, "use", &mut faults);
    let operations = optional_strings(key, "key_ops", &mut faults);
    let algorithm = optional_string(key, "alg", &mut faults);
    let (Some(key_type_name), true) = (key_type, faults.is_empty()) else {
        return Err(faults);
    };

    let Some(key_type) = KeyType::from_name(key_type_name) else {
        return Ok(left_out("kty", "`kty` is none of RSA, EC, OKP and oct"));
    };
    if usage.is_some_and(|usage| usage != "sig") {
        return Ok(left_out("use", "`use` is not `sig`"));
    }
    if operations.is_some_and(|operations| !may_verify(&operations, key)) {
        return Ok(left_out("key_ops", "`key_ops` does not hold `verify`"));
    }
    let algorithm = match algorithm.map(Algorithm::from_name) {
        Some(None) => return Ok(left_out("alg", "`alg` is no supported signature algorithm")),
        Some(known) => known,
        None => None,
    };
    let curve = match key_type {
        KeyType::Rsa | KeyType::Oct => None,
        KeyType::Ec | KeyType::Okp => match required_string(key, "crv", &mut faults).map(Curve::from_name) {
            Some(Some(curve)) => Some(curve),
            Some(None) => return Ok(left_out("crv", "`crv` is none of P-256, P-384, P-521 and Ed25519")),
            None => return Err(faults),
        },
    };
    if let Some(curve) = curve.filter(|curve| curve.key_type() != key_type) {
        return Err(vec![Fault::of(
            "crv",
            format!("{curve} needs `kty` {}, not {key_type}", curve.key_type()),
        )]);
    }
    if let Some(algorithm) = algorithm
        && (algorithm.key_type() != key_type || algorithm.curve() != curve)
    {
        return Err(vec![does_not_fit(algorithm)]);
    }

    let material = match (key_type, curve) {
        (KeyType::Rsa, _) => rsa::load(key, algorithm)?,
        (KeyType::Oct, _) => oct::load(key, algorithm)?,
        (_, Some(Curve::Ed25519)) => okp::load(key)?,
        (_, Some(curve)) => ec::load(key, curve)?,
        (_, None) => return Err(faults),
    };
    warnings.extend(warning(key_type, key));
    Ok(Loaded::Usable {
        key: Jwk {
            key_id: key_id.filter(|key_id| !key_id.is_empty()).map(str::to_owned),
            algorithm,
            thumbprint: thumbprint(key),
            material: Arc::new(material),
        },
        warnings,
    })
}

/// `sign` beside private members stands for the pair, whose public half verifies.
fn may_verify(operations: &[&str], key: &Object) -> bool {
    operations.contains(&"verify") || (operations.contains(&"sign") && private_members(key).next().is_some())
}

fn does_not_fit(algorithm: Algorithm) -> Fault {
    let needed = match algorithm.curve() {
        Some(curve) => format!("`kty` {} and `crv` {curve}", algorithm.key_type()),
        None => format!("`kty` {}", algorithm.key_type()),
    };
    Fault::of("alg", format!("{algorithm} needs {needed}"))
}

fn warning(key_type: KeyType, key: &Object) -> Option<Fault> {
    if key_type == KeyType::Oct {
        return Some(Fault::of(
            "k",
            "an HMAC secret is less safe than a public key: whoever verifies with it can also sign",
        ));
    }
    let found: Vec<&str> = private_members(key).filter(|member| *member != "k").collect();
    let first = *found.first()?;
    Some(Fault::of(
        first,
        format!(
            "THIS KEY IS PRIVATE ({}): whoever has seen it can sign tokens; put only the public key here, and \
             replace the pair if others may have read it. Only the public part is kept",
            found.join(", ")
        ),
    ))
}

/// The members of a JWK that must stay secret (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1, RFC 8037
/// section 2).
pub fn private_members(key: &Object) -> impl Iterator<Item = &'static str> {
    const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
    PRIVATE.into_iter().filter(|member| key.get(member).is_some_and(|value| !is_absent(value)))
}

fn left_out(member: &'static str, reason: &str) -> Loaded {
    Loaded::LeftOut(Fault::of(member, format!("{reason}; this key is left out")))
}
