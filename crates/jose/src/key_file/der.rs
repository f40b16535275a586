//! Keys in DER, read into JWKs.
use super::{KeyFileError, Structure};
use crate::base64url;
use crate::json::Object;
use crate::jwk::ecdsa_parameters;
use crate::{Curve, KeyType};
use aws_lc_rs::agreement::{self, ECDH_P256, ECDH_P384, ECDH_P521};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _, ParsedPublicKey};
use pkcs1::{RsaPrivateKeyRef, RsaPublicKeyRef};
use pkcs8::der::asn1::{AnyRef, OctetStringRef, UintRef};
use pkcs8::der::{Decode, Encode};
use pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfo, SubjectPublicKeyInfoRef};
use pkcs8::{ObjectIdentifier, PrivateKeyInfoRef};
use sec1::{EcParameters, EcPrivateKey};
use x509_cert::Certificate;

/// RFC 8017 appendix A.1 and A.2.3, RFC 5480 section 2.1.1, RFC 8410 section 3.
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// RFC 5480 section 2.1.1.1.
const CURVES: [(ObjectIdentifier, Curve); 3] = [
    (ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"), Curve::P256),
    (ObjectIdentifier::new_unwrap("1.3.132.0.34"), Curve::P384),
    (ObjectIdentifier::new_unwrap("1.3.132.0.35"), Curve::P521),
];

const OTHER_CURVE: &str = "its curve is none of P-256, P-384 and P-521";

/// Reads a key of any structure. What is well-formed as one is so as no other.
pub(super) fn recognize(der: &[u8]) -> Result<(Structure, Object), KeyFileError> {
    for structure in Structure::ALL {
        match read(structure, der) {
            Err(KeyFileError::Malformed(_)) => {}
            result => return result.map(|jwk| (structure, jwk)),
        }
    }
    // RFC 5958 section 3: an algorithm and an octet string.
    let is_encrypted = SubjectPublicKeyInfo::<AnyRef<'_>, &OctetStringRef>::from_der(der).is_ok();
    Err(if is_encrypted { KeyFileError::Encrypted } else { KeyFileError::NoKey })
}

/// Reads a key of one structure.
pub(super) fn read(structure: Structure, der: &[u8]) -> Result<Object, KeyFileError> {
    let jwk = match structure {
        Structure::Pkcs8 => pkcs8(der),
        Structure::Pkcs1 => rsa_private(der),
        Structure::Sec1 => sec1(der),
        Structure::Spki => spki(der),
        Structure::Pkcs1Public => rsa_public(der),
        Structure::Certificate => certificate(der),
    };
    jwk.map_err(|fault| match fault {
        Fault::Malformed => KeyFileError::Malformed(structure),
        Fault::NotSupported(why) => KeyFileError::NotSupported { structure, why },
    })
}

pub(crate) enum Fault {
    Malformed,
    NotSupported(&'static str),
}

impl From<pkcs8::der::Error> for Fault {
    fn from(_: pkcs8::der::Error) -> Self {
        Self::Malformed
    }
}

/// The kind of key that an algorithm identifier (RFC 5280 section 4.1.1.2) names.
enum Kind {
    Rsa,
    Ec(Curve),
    Ed25519,
}

impl Kind {
    /// Gives what is not supported otherwise.
    fn of(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<Self, &'static str> {
        match algorithm.oid {
            RSA => Ok(Self::Rsa),
            ED25519 => Ok(Self::Ed25519),
            EC => match algorithm.parameters_oid().ok().and_then(curve_of) {
                Some(curve) => Ok(Self::Ec(curve)),
                None => Err(OTHER_CURVE),
            },
            RSA_PSS => Err("it is restricted to RSASSA-PSS; a plain RSA key serves PS256 too"),
            _ => Err("it is for another algorithm than RSA, EC and Ed25519"),
        }
    }
}

/// The object identifier of a curve; `None` for Ed25519, which is not named like the others.
pub(crate) fn identifier_of(curve: Curve) -> Option<ObjectIdentifier> {
    CURVES.into_iter().find(|(_, known)| *known == curve).map(|(identifier, _)| identifier)
}

fn curve_of(identifier: ObjectIdentifier) -> Option<Curve> {
    CURVES.into_iter().find(|(known, _)| *known == identifier).map(|(_, curve)| curve)
}

fn pkcs8(der: &[u8]) -> Result<Object, Fault> {
    let info = PrivateKeyInfoRef::from_der(der)?;
    let key = info.private_key.as_bytes();
    match Kind::of(&info.algorithm).map_err(Fault::NotSupported)? {
        Kind::Rsa => rsa_private(key),
        Kind::Ec(curve) => ec_private(curve, &EcPrivateKey::from_der(key)?),
        Kind::Ed25519 => {
            let seed = <&OctetStringRef>::from_der(key)?.as_bytes();
            let public = match info.public_key.and_then(|public| public.as_bytes()) {
                Some(public) => public.to_vec(),
                None => {
                    let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| Fault::Malformed)?;
                    pair.public_key().as_ref().to_vec()
                }
            };
            let mut jwk = ed25519(&public);
            jwk.insert("d", base64url::encode(seed));
            Ok(jwk)
        }
    }
}

fn sec1(der: &[u8]) -> Result<Object, Fault> {
    let key = EcPrivateKey::from_der(der)?;
    let curve = key.parameters.and_then(EcParameters::named_curve).and_then(curve_of);
    ec_private(curve.ok_or(Fault::NotSupported(OTHER_CURVE))?, &key)
}

/// Reads the public key of a SubjectPublicKeyInfo.
pub(crate) fn spki(der: &[u8]) -> Result<Object, Fault> {
    let info = SubjectPublicKeyInfoRef::from_der(der)?;
    let key = info.subject_public_key.as_bytes().ok_or(Fault::Malformed)?;
    match Kind::of(&info.algorithm).map_err(Fault::NotSupported)? {
        Kind::Rsa => rsa_public(key),
        Kind::Ec(curve) => ec(curve, key),
        Kind::Ed25519 => Ok(ed25519(key)),
    }
}

fn certificate(der: &[u8]) -> Result<Object, Fault> {
    let certificate = Certificate::from_der(der)?;
    spki(&certificate.tbs_certificate().subject_public_key_info().to_der()?)
}

fn rsa_private(der: &[u8]) -> Result<Object, Fault> {
    let key = RsaPrivateKeyRef::from_der(der)?;
    if key.other_prime_infos.is_some() {
        return Err(Fault::NotSupported("it has more than two primes"));
    }
    Ok(rsa(&[
        ("n", key.modulus),
        ("e", key.public_exponent),
        ("d", key.private_exponent),
        ("p", key.prime1),
        ("q", key.prime2),
        ("dp", key.exponent1),
        ("dq", key.exponent2),
        ("qi", key.coefficient),
    ]))
}

fn rsa_public(der: &[u8]) -> Result<Object, Fault> {
    let key = RsaPublicKeyRef::from_der(der)?;
    Ok(rsa(&[("n", key.modulus), ("e", key.public_exponent)]))
}

fn rsa(integers: &[(&str, UintRef<'_>)]) -> Object {
    let mut jwk = of_type(KeyType::Rsa);
    for (name, integer) in integers {
        jwk.insert(*name, base64url::encode(integer.as_bytes()));
    }
    jwk
}

/// The public key is optional (RFC 5915 section 3), and leading zero bytes of the private one are
/// missing in what some programs write.
fn ec_private(curve: Curve, key: &EcPrivateKey<'_>) -> Result<Object, Fault> {
    let missing = curve.coordinate_bytes().saturating_sub(key.private_key.len());
    let d = [vec![0; missing].as_slice(), key.private_key].concat();
    let mut jwk = match key.public_key {
        Some(point) => ec(curve, point)?,
        None => ec(curve, &public_point(curve, &d)?)?,
    };
    jwk.insert("d", base64url::encode(&d));
    Ok(jwk)
}

fn public_point(curve: Curve, d: &[u8]) -> Result<Vec<u8>, Fault> {
    let private = agreement::PrivateKey::from_private_key(agreement_on(curve)?, d);
    let private = private.map_err(|_| Fault::Malformed)?;
    let public = private.compute_public_key().map_err(|_| Fault::Malformed)?;
    Ok(public.as_ref().to_vec())
}

/// A point is written as the byte 4, then both coordinates; or as 2 or 3, then x (SEC 1 section 2.3.3).
fn ec(curve: Curve, point: &[u8]) -> Result<Object, Fault> {
    let Some((4, coordinates)) = point.split_first() else {
        return ec(curve, &uncompressed(curve, point)?);
    };
    let (x, y) = coordinates.split_at_checked(coordinates.len() / 2).ok_or(Fault::Malformed)?;
    let mut jwk = of_type(curve.key_type());
    jwk.insert("crv", curve.name());
    jwk.insert("x", base64url::encode(x));
    jwk.insert("y", base64url::encode(y));
    Ok(jwk)
}

fn uncompressed(curve: Curve, point: &[u8]) -> Result<Vec<u8>, Fault> {
    let parameters = ecdsa_parameters(curve).ok_or(Fault::Malformed)?;
    let key = ParsedPublicKey::new(parameters, point).map_err(|_| Fault::Malformed)?;
    let info: PublicKeyX509Der<'_> = key.as_der().map_err(|_| Fault::Malformed)?;
    let info = SubjectPublicKeyInfoRef::from_der(info.as_ref())?;
    let point = info.subject_public_key.as_bytes().filter(|point| point.first() == Some(&4));
    point.map(<[u8]>::to_vec).ok_or(Fault::Malformed)
}

fn ed25519(x: &[u8]) -> Object {
    let mut jwk = of_type(KeyType::Okp);
    jwk.insert("crv", Curve::Ed25519.name());
    jwk.insert("x", base64url::encode(x));
    jwk
}

fn of_type(key_type: KeyType) -> Object {
    let mut jwk = Object::new();
    jwk.insert("kty", key_type.name());
    jwk
}

fn agreement_on(curve: Curve) -> Result<&'static agreement::Algorithm, Fault> {
    match curve {
        Curve::P256 => Ok(&ECDH_P256),
        Curve::P384 => Ok(&ECDH_P384),
        Curve::P521 => Ok(&ECDH_P521),
        Curve::Ed25519 => Err(Fault::Malformed),
    }
}
