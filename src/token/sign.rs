//! `claimgate token sign`.

use std::path::PathBuf;
use std::time::Duration;

use claimgate_jose::json::{Object, Value};
use claimgate_jose::{Algorithm, Policy, SigningKey, VerifyError, verify};
use clap::Args;

use crate::clock;
use crate::complain;
use crate::failure::Failure;
use crate::files::{self, is_standard_input, name_of};
use crate::key_options::{self, KeyId};
use crate::keys::{load_set, read_keys};

/// Options of `claimgate token sign`.
#[derive(Args)]
pub struct Options {
    /// The private key or HMAC secret: PEM, DER or JWK; `-` for standard input
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The algorithm: that of the JWK or curve when left out; else RS256 for RSA, HS256 for HMAC
    #[arg(long, value_parser = key_options::algorithm())]
    alg: Option<Algorithm>,
    /// The token's `kid`: an ID, `thumbprint` or `none`. Left out, that of the JWK; PEM and DER have none
    #[arg(long, value_name = "ID")]
    kid: Option<KeyId>,
    /// A claim. A value that is JSON is taken as it is, numbers to the last digit; any other is a string.
    /// A string that looks like something else is written '"true"'
    #[arg(long, value_name = "NAME=VALUE", value_parser = member)]
    claim: Vec<(String, Value)>,
    /// A JSON object of claims; --claim, --expires-in and `iat` go before it
    #[arg(long, value_name = "FILE")]
    claims_file: Option<PathBuf>,
    /// Sets `exp` to so long from now, as 1h, 90s or '1day 12h'
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    expires_in: Option<Duration>,
    /// Leave `iat` out, which is now unless --claim or the file gives it
    #[arg(long)]
    no_iat: bool,
    /// A header parameter beside `alg`, `typ` and `kid`; the value is read as that of --claim
    #[arg(long, value_name = "NAME=VALUE", value_parser = member)]
    header: Vec<(String, Value)>,
}

/// Signs a token; prints it alone.
pub fn run(options: &Options) -> Result<(), Failure> {
    let now = clock::now()?;
    let header = object_of("--header", &options.header)?;
    if header.get("kid").is_some() {
        return Err(Failure::unusable("--kid sets the header parameter `kid`"));
    }
    let claims = claims(options, now)?;
    let jwk = key(options)?;
    let refused = |why: String| Failure::Refused(format!("{}: {why}", name_of(&options.key)));

    let signing = SigningKey::from_jwk(&jwk).map_err(|error| refused(error.to_string()))?;
    let token = signing.sign(&header, &claims).map_err(Failure::unusable)?;
    let (set, _) = load_set(&[jwk]).map_err(refused)?;
    match verify(token.as_bytes(), &set, &Policy::default(), now) {
        Ok(_) => {}
        Err(error @ (VerifyError::Expired | VerifyError::NotYetValid)) => {
            complain(&format!("note: this token is {error}\n"));
        }
        Err(error) => {
            let reason = error.reason();
            return Err(Failure::Refused(format!("nobody would take this token: {reason}: {error}")));
        }
    }
    files::print(format!("{token}\n").as_bytes())
}

/// The private JWK, with the `alg` and `kid` that the token is to have.
fn key(options: &Options) -> Result<Value, Failure> {
    let file = read_keys(&options.key)?;
    let refused = |why: String| Failure::Refused(format!("{}: {why}", name_of(&options.key)));
    let [Value::Object(key)] = file.keys.as_slice() else {
        return Err(refused(match file.keys.len() {
            1 => "a key must be an object".to_owned(),
            count => format!("there are {count} keys, and a token is signed by one"),
        }));
    };
    let mut key = key.clone();
    if let Some(wanted) = options.alg {
        match key.get("alg").and_then(Value::as_str) {
            Some(own) if Algorithm::from_name(own) != Some(wanted) => {
                return Err(refused(format!("the key's own `alg` is {own:?}, not {wanted}")));
            }
            _ => key.insert("alg", wanted.name()),
        };
    }
    if let Some(key_id) = &options.kid {
        key_id.apply(&mut key)?;
    }
    Ok(key.into())
}

/// All claims: those of the options go before those of the file, and no two options may set the same.
fn claims(options: &Options, now: Duration) -> Result<Object, Failure> {
    let mut given = object_of("--claim", &options.claim)?;
    if let Some(lifetime) = options.expires_in
        && given.insert("exp", now.as_secs().saturating_add(lifetime.as_secs())).is_some()
    {
        return Err(Failure::unusable("--expires-in and --claim both set `exp`"));
    }
    let mut claims = match &options.claims_file {
        None => Object::new(),
        Some(file) if is_standard_input(file) && is_standard_input(&options.key) => {
            return Err(Failure::unusable("--key and --claims-file cannot both be standard input"));
        }
        Some(file) => match Value::parse(&files::read(file)?) {
            Ok(Value::Object(claims)) => claims,
            Ok(_) => return Err(Failure::Refused(format!("{}: no JSON object", name_of(file)))),
            Err(error) => return Err(Failure::Refused(format!("{}: {error}", name_of(file)))),
        },
    };
    if !options.no_iat && claims.get("iat").is_none() && given.get("iat").is_none() {
        claims.insert("iat", now.as_secs());
    }
    for (name, value) in given.iter() {
        claims.insert(name, value.clone());
    }
    Ok(claims)
}

fn object_of(option: &str, members: &[(String, Value)]) -> Result<Object, Failure> {
    let mut object = Object::new();
    for (name, value) in members {
        if object.insert(name.as_str(), value.clone()).is_some() {
            return Err(Failure::Unusable(format!("{option} gives {name:?} twice")));
        }
    }
    Ok(object)
}

/// Reads `NAME=VALUE`.
fn member(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    if name.is_empty() {
        return Err("expected a name before the `=`".to_owned());
    }
    let value = match Value::parse(value.as_bytes()) {
        Ok(value) => value,
        // Meant to be JSON, so it should not silently become a string.
        Err(error) if value.starts_with(['{', '[', '"']) => {
            return Err(format!("the value is not acceptable JSON: {error}"));
        }
        Err(_) => Value::from(value),
    };
    Ok((name.to_owned(), value))
}

/// Reads `--expires-in`.
fn lifetime(text: &str) -> Result<Duration, String> {
    let lifetime = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if lifetime < Duration::from_secs(1) {
        return Err("a token has to live a second at least".to_owned());
    }
    Ok(lifetime)
}
