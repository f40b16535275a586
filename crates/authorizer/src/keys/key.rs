//! One key and its file: a private JWK with `iat`, when it was made, and `nbf`, when it begins to sign.
//! OpenID Federation 1.0 (section 8.7) has the same members in the JWKs of its historical keys.

use std::fmt;
use std::time::Duration;

use claimgate_jose::json::{Object, Value};
use claimgate_jose::{Algorithm, SignError, SigningKey};
use zeroize::Zeroizing;

/// A key that signs tokens. Debug output shows nothing of the key itself.
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) signing: SigningKey,
    /// The public JWK.
    pub(crate) public: Object,
    /// Counts from 1970.
    pub(crate) signs_from: Duration,
}

impl Key {
    /// Makes a key whose `kid` is its thumbprint (RFC 7638).
    pub(crate) fn generate(algorithm: Algorithm, signs_from: Duration) -> Result<Self, SignError> {
        let signing = SigningKey::generate(algorithm)?;
        let id = signing.thumbprint()?.ok_or(SignError::Failed)?;
        Self::new(signing.with_key_id(id), signs_from).ok_or(SignError::Failed)
    }

    /// Reads the content of a file; the error quotes nothing of it.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, String> {
        let jwk = Value::parse(text).map_err(|error| format!("it is not JSON: {error}"))?;
        let signing = SigningKey::from_jwk(&jwk).map_err(|error| error.to_string())?;
        let signs_from = jwk
            .as_object()
            .and_then(|jwk| jwk.get("nbf"))
            .and_then(Value::as_number)
            .and_then(|number| number.as_str().parse().ok())
            .map(Duration::from_secs)
            .ok_or("the member `nbf` must say when the key begins to sign, in seconds since 1970")?;
        Self::new(signing, signs_from)
            .ok_or_else(|| "it needs a `kid`, and must be for RSA, EC or EdDSA signatures".to_owned())
    }

    /// The content of its file.
    pub(crate) fn to_file(&self, made_at: Duration) -> Result<Zeroizing<String>, SignError> {
        let mut jwk = self.signing.private_jwk()?;
        jwk.insert("iat", made_at.as_secs());
        jwk.insert("nbf", self.signs_from.as_secs());
        Ok(Zeroizing::new(format!("{}\n", Value::Object(jwk))))
    }

    fn new(signing: SigningKey, signs_from: Duration) -> Option<Self> {
        let id = signing.key_id()?.to_owned();
        let public = signing.public_jwk().ok()??;
        Some(Self { id, signing, public, signs_from })
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .field("signs_from", &self.signs_from)
            .finish_non_exhaustive()
    }
}
