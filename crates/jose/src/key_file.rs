//! Keys as they are kept in files: JWK and JWK set (RFC 7517), PEM (RFC 7468) and DER.
//!
//! Whatever the form, a key is read into the JWK that says the same. Whether that JWK is good enough
//! is for [`JwkSet::load`](crate::JwkSet::load) and [`SigningKey::from_jwk`](crate::SigningKey::from_jwk)
//! alone, so that no form is judged more mildly than another.
pub(crate) mod der;
mod pem;
#[cfg(test)]
mod tests;

use crate::json::{JsonError, Object, Value};
use crate::jwk::keys_of;
use std::fmt;
use zeroize::Zeroizing;

/// The keys of a file.
#[derive(Clone, PartialEq)]
pub struct KeyFile {
    /// The form that they have in the file.
    pub form: Form,
    /// Each as JWK, private members included; not judged yet.
    pub keys: Vec<Value>,
    /// How many other keys and certificates the file holds, which are not read: only PEM can have some.
    pub others: usize,
}

/// A form in which keys are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Form {
    Jwk,
    JwkSet,
    Pem(Structure),
    Der(Structure),
}

/// What a key is written as in ASN.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Structure {
    /// A private key of any kind (RFC 5958).
    Pkcs8,
    /// An RSA private key (RFC 8017 appendix A.1.2).
    Pkcs1,
    /// An EC private key (RFC 5915).
    Sec1,
    /// A public key of any kind: SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7).
    Spki,
    /// An RSA public key (RFC 8017 appendix A.1.1).
    Pkcs1Public,
    /// A certificate of a public key (RFC 5280 section 4.1).
    Certificate,
}

/// A key in DER. It is wiped from memory when it is dropped.
pub struct Encoded {
    /// What it is written as.
    pub structure: Structure,
    /// The bytes.
    pub der: Zeroizing<Vec<u8>>,
}

/// Why a file gives no keys. The texts hold nothing of the file except the label of a PEM block.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// Nothing that a key begins with.
    #[error(
        "this is no key: expected a JWK, a JWK set, PEM, or DER of PKCS#8, PKCS#1, SEC 1, \
         SubjectPublicKeyInfo or an X.509 certificate"
    )]
    NoKey,
    /// It begins like JSON.
    #[error("not acceptable JSON: {0}")]
    Json(#[from] JsonError),
    /// It is JSON, but neither JWK nor JWK set.
    #[error("neither JWK nor JWK set: {0}")]
    Set(&'static str),
    /// It is PEM that cannot be read.
    #[error("malformed PEM: {0}")]
    Pem(&'static str),
    /// A PEM block of another kind.
    #[error(
        "a PEM block with the label {label:?}, which is none of PRIVATE KEY, RSA PRIVATE KEY, \
         EC PRIVATE KEY, PUBLIC KEY, RSA PUBLIC KEY and CERTIFICATE"
    )]
    Label {
        /// Its label, shortened.
        label: String,
    },
    /// A private key under a password.
    #[error("the private key is encrypted; decrypt it first, as with `openssl pkey -in FILE`")]
    Encrypted,
    /// It is not what it says to be.
    #[error("malformed {0}")]
    Malformed(Structure),
    /// A key that cannot sign or verify tokens here.
    #[error("this {structure} is not supported: {why}")]
    NotSupported {
        /// What it is written as.
        structure: Structure,
        /// What is not supported.
        why: &'static str,
    },
}

impl KeyFile {
    /// Reads keys from the content of a file, in any form.
    ///
    /// Of PEM text with several keys or certificates, as a certificate chain, one is read: the first
    /// private key, else the first.
    pub fn read(content: &[u8]) -> Result<Self, KeyFileError> {
        // Some editors put a byte order mark before JSON.
        let content = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content);
        if let [b'{' | b'[', ..] = content.trim_ascii_start() {
            return Self::of_json(Value::parse(content)?);
        }
        if pem::is_pem(content) {
            return pem::read(content);
        }
        let (structure, jwk) = der::recognize(content)?;
        Ok(Self { form: Form::Der(structure), keys: vec![jwk.into()], others: 0 })
    }

    fn of_json(json: Value) -> Result<Self, KeyFileError> {
        if json.as_object().is_some_and(|key| key.get("kty").is_some()) {
            return Ok(Self { form: Form::Jwk, keys: vec![json], others: 0 });
        }
        let keys = keys_of(&json).map_err(KeyFileError::Set)?;
        Ok(Self { form: Form::JwkSet, keys: keys.to_vec(), others: 0 })
    }

    /// The keys as JWK set.
    pub fn to_jwk_set(&self) -> Value {
        let mut set = Object::new();
        set.insert("keys", self.keys.clone());
        set.into()
    }
}

/// Shows nothing of the keys, which may be private.
impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyFile")
            .field("form", &self.form)
            .field("keys", &self.keys.len())
            .field("others", &self.others)
            .finish()
    }
}

impl Encoded {
    /// Takes DER that is known to be of the structure.
    pub fn new(structure: Structure, der: &[u8]) -> Self {
        Self { structure, der: Zeroizing::new(der.to_vec()) }
    }

    /// The key in PEM (RFC 7468). The text is wiped from memory when it is dropped.
    pub fn to_pem(&self) -> Zeroizing<String> {
        let config = ::pem::EncodeConfig::new().set_line_ending(::pem::LineEnding::LF);
        let block = ::pem::Pem::new(self.structure.label(), self.der.as_slice());
        Zeroizing::new(::pem::encode_config(&block, config))
    }
}

impl Structure {
    const ALL: [Self; 6] =
        [Self::Pkcs8, Self::Spki, Self::Certificate, Self::Pkcs1, Self::Pkcs1Public, Self::Sec1];

    /// Whether it holds a private key.
    pub fn is_private(self) -> bool {
        matches!(self, Self::Pkcs8 | Self::Pkcs1 | Self::Sec1)
    }

    /// The label of its PEM blocks (RFC 7468 section 4).
    fn label(self) -> &'static str {
        match self {
            Self::Pkcs8 => "PRIVATE KEY",
            Self::Pkcs1 => "RSA PRIVATE KEY",
            Self::Sec1 => "EC PRIVATE KEY",
            Self::Spki => "PUBLIC KEY",
            Self::Pkcs1Public => "RSA PUBLIC KEY",
            Self::Certificate => "CERTIFICATE",
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Jwk => f.write_str("JWK"),
            Self::JwkSet => f.write_str("JWK set"),
            Self::Pem(structure) => write!(f, "{structure} in PEM"),
            Self::Der(structure) => write!(f, "{structure} in DER"),
        }
    }
}

impl fmt::Display for Structure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pkcs8 => "PKCS#8 private key",
            Self::Pkcs1 => "PKCS#1 RSA private key",
            Self::Sec1 => "SEC 1 EC private key",
            Self::Spki => "SubjectPublicKeyInfo public key",
            Self::Pkcs1Public => "PKCS#1 RSA public key",
            Self::Certificate => "X.509 certificate",
        })
    }
}
