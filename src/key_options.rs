//! Options of several commands that say what a key is.

use std::str::FromStr;

use claimgate_jose::json::Object;
use claimgate_jose::{Algorithm, jwk};
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::failure::Failure;

/// Reads `--alg`.
pub fn algorithm() -> impl TypedValueParser<Value = Algorithm> {
    let names = Algorithm::ALL.into_iter().map(Algorithm::name).chain(["Ed25519"]);
    PossibleValuesParser::new(names.collect::<Vec<_>>())
        .try_map(|name| Algorithm::from_name(&name).ok_or("not a supported algorithm"))
}

/// `--kid`: what `kid` a key has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyId {
    /// The thumbprint of the key (RFC 7638).
    Thumbprint,
    /// None at all.
    None,
    /// This one.
    Id(String),
}

impl FromStr for KeyId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "" => Err("expected an ID, `thumbprint` or `none`"),
            "thumbprint" => Ok(Self::Thumbprint),
            "none" => Ok(Self::None),
            id => Ok(Self::Id(id.to_owned())),
        }
    }
}

impl KeyId {
    /// Sets the `kid` of a JWK.
    pub fn apply(&self, key: &mut Object) -> Result<(), Failure> {
        let key_id = match self {
            Self::None => {
                key.remove("kid");
                return Ok(());
            }
            Self::Id(id) => id.clone(),
            Self::Thumbprint => jwk::thumbprint(key).ok_or_else(|| {
                Failure::unusable(
                    "only public keys have a thumbprint, as that of an HMAC secret would help to guess it; \
                     give --kid ID or --kid none",
                )
            })?,
        };
        key.insert("kid", key_id);
        Ok(())
    }
}
