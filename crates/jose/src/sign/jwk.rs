//! Private keys as JWK (RFC 7518 section 6, RFC 8037 section 2).
use super::{Private, SignError, SigningKey, ec_parameters};
use crate::json::{Object, Value};
use crate::jwk::{Fault, Loaded, base64url_member, head, load, thumbprint};
use crate::{Curve, KeyType, base64url};
use aws_lc_rs::encoding::{AsBigEndian, AsDer, Curve25519SeedBin, EcPrivateKeyBin, Pkcs8V1Der};
use aws_lc_rs::rsa::KeyPairComponents;
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair, RsaPublicKeyComponents};
use pkcs1::{RsaPrivateKeyRef, RsaPublicKeyRef};
use pkcs8::PrivateKeyInfoRef;
use zeroize::Zeroizing;

impl SigningKey {
    /// Reads a private JWK. RSA keys need `p`, `q`, `dp`, `dq` and `qi` beside `d`.
    ///
    /// Without `alg`, RSA keys sign with RS256 and secrets with HS256.
    pub fn from_jwk(jwk: &Value) -> Result<Self, SignError> {
        let public = match load(jwk).map_err(first_fault)? {
            Loaded::Usable { key, .. } => key,
            Loaded::LeftOut(reason) => return Err(invalid(reason)),
        };
        let key = jwk.as_object().ok_or_else(not_a_private_key)?;
        if let Some(Value::Array(operations)) = key.get("key_ops")
            && !operations.is_empty()
            && !operations.iter().any(|operation| operation.as_str() == Some("sign"))
        {
            return Err(invalid(Fault::of("key_ops", "`key_ops` does not hold `sign`")));
        }

        let mut members = Members { key, faults: Vec::new() };
        let private = match (public.key_type(), public.curve()) {
            (KeyType::Rsa, _) => members.rsa(),
            (KeyType::Oct, _) => members.bytes("k").map(Private::Hmac),
            (_, Some(Curve::Ed25519)) => members.ed25519(),
            (_, Some(curve)) => members.ec(curve),
            (_, None) => None,
        };
        Ok(Self {
            algorithm: public.algorithms().next().ok_or_else(not_a_private_key)?,
            key_id: public.key_id().map(str::to_owned),
            private: private.ok_or_else(|| first_fault(members.faults))?,
        })
    }

    /// The private key as JWK, with `alg`, `use` and, when there is one, `kid`. The caller must keep
    /// it secret.
    pub fn private_jwk(&self) -> Result<Object, SignError> {
        let mut jwk = self.public_members()?;
        match &self.private {
            Private::Rsa(pair) => {
                let der: Pkcs8V1Der<'_> = pair.as_der()?;
                let info = PrivateKeyInfoRef::try_from(der.as_ref()).map_err(|_| SignError::Failed)?;
                let key =
                    RsaPrivateKeyRef::try_from(info.private_key.as_bytes()).map_err(|_| SignError::Failed)?;
                for (name, integer) in [
                    ("d", key.private_exponent),
                    ("p", key.prime1),
                    ("q", key.prime2),
                    ("dp", key.exponent1),
                    ("dq", key.exponent2),
                    ("qi", key.coefficient),
                ] {
                    jwk.insert(name, base64url::encode(integer.as_bytes()));
                }
            }
            Private::Ec(_, pair) => {
                let number: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes()?;
                jwk.insert("d", base64url::encode(number.as_ref()));
            }
            Private::Ed25519(pair) => {
                let seed: Curve25519SeedBin<'_> = pair.seed()?.as_be_bytes()?;
                jwk.insert("d", base64url::encode(seed.as_ref()));
            }
            Private::Hmac(secret) => {
                jwk.insert("k", base64url::encode(secret));
            }
        }
        Ok(jwk)
    }

    /// The public key as JWK, with `alg`, `use` and, when there is one, `kid`; `None` for HMAC, which
    /// has no public key.
    pub fn public_jwk(&self) -> Result<Option<Object>, SignError> {
        match self.private {
            Private::Hmac(_) => Ok(None),
            _ => self.public_members().map(Some),
        }
    }

    /// The thumbprint of the public key; `None` for HMAC secrets, whose thumbprint would help to guess
    /// them.
    pub fn thumbprint(&self) -> Result<Option<String>, SignError> {
        self.public_members().map(|jwk| thumbprint(&jwk))
    }

    fn public_members(&self) -> Result<Object, SignError> {
        let mut jwk = head(self.algorithm.key_type(), self.key_id(), Some(self.algorithm));
        match &self.private {
            Private::Rsa(pair) => {
                let key =
                    RsaPublicKeyRef::try_from(pair.public_key().as_ref()).map_err(|_| SignError::Failed)?;
                jwk.insert("n", base64url::encode(key.modulus.as_bytes()));
                jwk.insert("e", base64url::encode(key.public_exponent.as_bytes()));
            }
            Private::Ec(curve, pair) => {
                // The point is written as the byte 4, then both coordinates.
                let point = pair.public_key().as_ref().get(1..).ok_or(SignError::Failed)?;
                let (x, y) = point.split_at_checked(curve.coordinate_bytes()).ok_or(SignError::Failed)?;
                jwk.insert("crv", curve.name());
                jwk.insert("x", base64url::encode(x));
                jwk.insert("y", base64url::encode(y));
            }
            Private::Ed25519(pair) => {
                jwk.insert("crv", Curve::Ed25519.name());
                jwk.insert("x", base64url::encode(pair.public_key().as_ref()));
            }
            Private::Hmac(_) => {}
        }
        Ok(jwk)
    }
}

/// The members of a private JWK whose public ones have been checked.
struct Members<'a> {
    key: &'a Object,
    faults: Vec<Fault>,
}

impl Members<'_> {
    fn rsa(&mut self) -> Option<Private> {
        let [n, e, d, p, q, dp, dq, qi] =
            ["n", "e", "d", "p", "q", "dp", "dq", "qi"].map(|member| self.bytes(member));
        let components = KeyPairComponents {
            public_key: RsaPublicKeyComponents { n: n?, e: e? },
            d: d?,
            p: p?,
            q: q?,
            dP: dp?,
            dQ: dq?,
            qInv: qi?,
        };
        self.matching(RsaKeyPair::from_components(&components).map(Private::Rsa))
    }

    fn ec(&mut self, curve: Curve) -> Option<Private> {
        let [x, y, d] = ["x", "y", "d"].map(|member| self.bytes(member));
        let (x, y, d) = (x?, y?, self.of_length(curve, d?)?);
        let point = [&[4], x.as_slice(), y.as_slice()].concat();
        let pair = EcdsaKeyPair::from_private_key_and_public_key(ec_parameters(curve).ok()?, &d, &point);
        self.matching(pair.map(|pair| Private::Ec(curve, pair)))
    }

    fn ed25519(&mut self) -> Option<Private> {
        let [x, d] = ["x", "d"].map(|member| self.bytes(member));
        let (x, d) = (x?, self.of_length(Curve::Ed25519, d?)?);
        self.matching(Ed25519KeyPair::from_seed_and_public_key(&d, &x).map(Private::Ed25519))
    }

    fn bytes(&mut self, member: &'static str) -> Option<Zeroizing<Vec<u8>>> {
        base64url_member(self.key, member, &mut self.faults).map(Zeroizing::new)
    }

    fn of_length(&mut self, curve: Curve, d: Zeroizing<Vec<u8>>) -> Option<Zeroizing<Vec<u8>>> {
        let needed = curve.coordinate_bytes();
        if d.len() == needed {
            return Some(d);
        }
        self.faults.push(Fault::of("d", format!("`d` has {} bytes; {curve} needs {needed}", d.len())));
        None
    }

    fn matching<E>(&mut self, pair: Result<Private, E>) -> Option<Private> {
        if pair.is_err() {
            self.faults.push(Fault::of("d", "the private members do not belong to the public ones"));
        }
        pair.ok()
    }
}

fn first_fault(faults: Vec<Fault>) -> SignError {
    faults.into_iter().next().map_or_else(not_a_private_key, invalid)
}

fn invalid(fault: Fault) -> SignError {
    SignError::InvalidJwk { member: fault.member, message: fault.message }
}

fn not_a_private_key() -> SignError {
    SignError::InvalidJwk { member: None, message: "the private members are missing".to_owned() }
}
