//! `claimgate jwk convert`.

use std::path::PathBuf;

use claimgate_jose::json::{Object, Value};
use claimgate_jose::key_file::{Encoded, Form, KeyFile};
use claimgate_jose::{Algorithm, Curve, Effect, Jwk, KeyType, SigningKey};
use clap::{Args, ValueEnum};
use zeroize::Zeroizing;

use super::certificate;
use crate::complain;
use crate::failure::Failure;
use crate::files::{self, Access, name_of};
use crate::key_options::{self, KeyId};
use crate::keys::{explain, load_set, read_keys, set_of};

/// Options of `claimgate jwk convert`.
#[derive(Args)]
pub struct Options {
    /// The keys: PEM, DER, JWK or JWK set; standard input when left out or `-`
    #[arg(default_value = "-", hide_default_value = true)]
    file: PathBuf,
    /// The form to convert to. PEM and DER are PKCS#8 and SubjectPublicKeyInfo; a certificate is made of a
    /// private key, which signs it, and is written as PEM
    #[arg(long, value_enum, value_name = "FORM")]
    to: Target,
    /// Write the private key, which must be there; otherwise only the public one is written
    #[arg(long)]
    private: bool,
    /// PEM and DER as they were before: PKCS#1 for RSA, SEC 1 for private EC keys
    #[arg(long)]
    traditional: bool,
    /// The `alg` of the JWK: that of the source when left out, or the only one of the curve. An RSA key
    /// that has none serves all six
    #[arg(long, value_parser = key_options::algorithm())]
    alg: Option<Algorithm>,
    /// The `kid` of the JWK: an ID, `thumbprint` or `none`. Left out, that of the source, and the thumbprint
    /// for a key from PEM or DER
    #[arg(long, value_name = "ID")]
    kid: Option<KeyId>,
    /// The common name of a certificate
    #[arg(long, value_name = "NAME", default_value = "claimgate", value_parser = certificate::common_name)]
    certificate_name: String,
    /// How long a certificate is valid from now on
    #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u16).range(1..))]
    certificate_days: u16,
    /// Write to this file, which must not be there yet, instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Target {
    Jwk,
    Jwks,
    Pem,
    Der,
    Certificate,
}

/// Converts keys.
pub fn run(options: &Options) -> Result<(), Failure> {
    if options.traditional && !matches!(options.to, Target::Pem | Target::Der) {
        return Err(Failure::unusable("--traditional goes with --to pem and --to der"));
    }
    if options.private && options.to == Target::Certificate {
        return Err(Failure::unusable(
            "a certificate holds no private key, so --private does not go with it",
        ));
    }
    if let Some(out) = &options.out {
        files::refuse_existing([out.as_path()].into_iter())?;
    }
    let refused = |why: String| Failure::Refused(format!("{}: {why}", name_of(&options.file)));

    let source = read_keys(&options.file)?;
    let keys = with_names(&source, options)?;
    let content = match options.to {
        Target::Certificate => certificate(signing_keys(&keys, &source).map_err(refused)?, options)?,
        _ if options.private => join(private(&keys, &source, options).map_err(refused)?, options.to)?,
        _ => join(public(&keys, options).map_err(refused)?, options.to)?,
    };
    match &options.out {
        None => files::print(&content),
        Some(out) => {
            let access = if options.private { Access::Owner } else { Access::Everybody };
            files::write_new(out, access, &content)
                .map_err(|error| Failure::Unusable(format!("cannot write {}: {error}", out.display())))
        }
    }
}

/// The keys with the `alg` and `kid` that they are to have.
fn with_names(source: &KeyFile, options: &Options) -> Result<Vec<Value>, Failure> {
    if source.keys.len() != 1 && (options.alg.is_some() || options.kid.is_some()) {
        let count = source.keys.len();
        return Err(Failure::Unusable(format!("--alg and --kid are for one key, and there are {count}")));
    }
    let is_jwk = matches!(source.form, Form::Jwk | Form::JwkSet);
    let named = |key: &Value| {
        let Value::Object(mut key) = key.clone() else {
            return Ok(key.clone());
        };
        let curve = key.get("crv").and_then(Value::as_str).and_then(Curve::from_name);
        let only = curve.filter(|_| !is_jwk).map(Curve::algorithm);
        if let Some(algorithm) = options.alg.or(only) {
            key.insert("alg", algorithm.name());
        }
        match &options.kid {
            Some(key_id) => key_id.apply(&mut key)?,
            None if is_jwk => {}
            None => KeyId::Thumbprint.apply(&mut key)?,
        }
        Ok(Value::Object(key))
    };
    source.keys.iter().map(named).collect()
}

/// A key in its new form.
enum Written {
    Jwk(Object),
    Encoded(Encoded),
}

/// The private keys of a source.
fn signing_keys(keys: &[Value], source: &KeyFile) -> Result<Vec<SigningKey>, String> {
    if let Form::Pem(structure) | Form::Der(structure) = source.form
        && !structure.is_private()
    {
        return Err(format!("there is no private key in it: {}", source.form));
    }
    if keys.is_empty() {
        return Err("there is no key in this set".to_owned());
    }
    let read = |(index, key): (usize, &Value)| {
        SigningKey::from_jwk(key).map_err(|error| match keys.len() {
            1 => error.to_string(),
            _ => format!("key {index}: {error}"),
        })
    };
    keys.iter().enumerate().map(read).collect()
}

fn private(keys: &[Value], source: &KeyFile, options: &Options) -> Result<Vec<Written>, String> {
    let written = |(signing, key): (SigningKey, &Value)| {
        if options.is_jwk() {
            let mut jwk = signing.private_jwk().map_err(|error| error.to_string())?;
            if key.as_object().is_some_and(|key| key.get("alg").is_none()) {
                jwk.remove("alg"); // What it signs with by default is not all that it may be used for.
            }
            return Ok(Written::Jwk(jwk));
        }
        if options.traditional {
            let key = signing.to_traditional().map_err(|error| error.to_string())?;
            return Ok(Written::Encoded(key.ok_or("only RSA and EC keys have a traditional form")?));
        }
        signing.to_pkcs8().map(Written::Encoded).map_err(|error| error.to_string())
    };
    signing_keys(keys, source)?.into_iter().zip(keys).map(written).collect()
}

fn certificate(keys: Vec<SigningKey>, options: &Options) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let [key] = keys.as_slice() else {
        let count = keys.len();
        return Err(Failure::Unusable(format!("there are {count} keys, and a certificate holds one")));
    };
    if key.algorithm().key_type() == KeyType::Oct {
        return Err(Failure::Refused(
            "an HMAC secret has no public key, so there is no certificate of it".to_owned(),
        ));
    }
    let pem = certificate::self_signed(key, &options.certificate_name, options.certificate_days)?;
    Ok(Zeroizing::new(pem.as_bytes().to_vec()))
}

fn public(keys: &[Value], options: &Options) -> Result<Vec<Written>, String> {
    const SECRET: &str = "an HMAC secret has no public key; --private writes the secret";
    let (set, problems) = load_set(keys)?;
    for problem in problems.iter().filter(|problem| problem.effect == Effect::LeftOut) {
        complain(&format!("note: {}\n", explain(problem, keys.len())));
    }
    let written = |key: &Jwk| {
        if options.is_jwk() {
            let jwk = key.public_jwk().map_err(|error| error.to_string())?;
            return Ok(Written::Jwk(jwk.ok_or(SECRET)?));
        }
        let spki = key.to_spki().map_err(|error| error.to_string())?.ok_or(SECRET)?;
        if options.traditional {
            let key = key.to_traditional().map_err(|error| error.to_string())?;
            return Ok(Written::Encoded(key.ok_or("only RSA public keys have a traditional form")?));
        }
        Ok(Written::Encoded(spki))
    };
    set.keys().iter().map(written).collect()
}

/// All keys in one file.
fn join(keys: Vec<Written>, to: Target) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if keys.len() != 1 && matches!(to, Target::Jwk | Target::Der) {
        let count = keys.len();
        return Err(Failure::Unusable(format!(
            "there are {count} keys, and this form holds one; use --to jwks or --to pem"
        )));
    }
    let mut content = Zeroizing::new(Vec::new());
    let mut jwks = Vec::new();
    for key in keys {
        match (key, to) {
            (Written::Jwk(jwk), Target::Jwk) => content.extend_from_slice(format!("{jwk}\n").as_bytes()),
            (Written::Jwk(jwk), _) => jwks.push(jwk.into()),
            (Written::Encoded(key), Target::Der) => content.extend_from_slice(&key.der),
            (Written::Encoded(key), _) => content.extend_from_slice(key.to_pem().as_bytes()),
        }
    }
    if to == Target::Jwks {
        content.extend_from_slice(format!("{}\n", set_of(jwks)).as_bytes());
    }
    Ok(content)
}

impl Options {
    fn is_jwk(&self) -> bool {
        matches!(self.to, Target::Jwk | Target::Jwks)
    }
}
