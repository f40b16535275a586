//! `claimgate jwk generate`.

use std::fs;
use std::path::{Path, PathBuf};

use claimgate_jose::json::Object;
use claimgate_jose::{Algorithm, JwkSet, KeyType, SigningKey};
use clap::Args;

use super::certificate;
use crate::complain;
use crate::failure::Failure;
use crate::files::{self, Access, NewFile};
use crate::key_options::{self, KeyId};
use crate::keys::set_of;

const PRIVATE_PEM: &str = "private.pem";
const PRIVATE_JWK: &str = "private.jwk.json";
const PUBLIC_PEM: &str = "public.pem";
const JWKS: &str = "jwks.json";
const CERTIFICATE: &str = "cert.pem";

/// Said in the files of an HMAC secret, in a member that readers of JWKs ignore (RFC 7517 section 4).
const SECRET: &str = "This is an HMAC secret: whoever reads this file can sign tokens.";

/// Options of `claimgate jwk generate`.
#[derive(Args)]
pub struct Options {
    /// The algorithm that the key is for
    #[arg(long, value_parser = key_options::algorithm())]
    alg: Algorithm,
    /// Size of the key in bits: RSA 2048 (default), 3072, 4096 or 8192; HMAC from the length of the hash
    /// (default) to 8192; a curve its own
    #[arg(long, value_name = "BITS")]
    size: Option<usize>,
    /// The `kid`: an ID, `thumbprint` (RFC 7638; default, but for HMAC) or `none`
    #[arg(long, value_name = "ID")]
    kid: Option<KeyId>,
    /// Write private.pem, private.jwk.json, public.pem and jwks.json to this folder (HMAC: the JSON files
    /// only) instead of printing the private JWK
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write cert.pem too, a self-signed certificate of the public key with this common name
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "claimgate",
          requires = "out", value_parser = certificate::common_name)]
    certificate: Option<String>,
    /// How long the certificate is valid from now on
    #[arg(long, value_name = "DAYS", default_value_t = 365, requires = "certificate",
          value_parser = clap::value_parser!(u16).range(1..=36500))]
    certificate_days: u16,
}

/// Makes a key.
pub fn run(options: &Options) -> Result<(), Failure> {
    let is_secret = options.alg.key_type() == KeyType::Oct;
    if is_secret && options.certificate.is_some() {
        return Err(Failure::unusable("an HMAC secret has no public key, so there is no certificate of it"));
    }
    // Before the key is made, which takes its time.
    if let Some(folder) = &options.out {
        let files = [PRIVATE_PEM, PRIVATE_JWK, PUBLIC_PEM, JWKS, CERTIFICATE].map(|name| folder.join(name));
        files::refuse_existing(files.iter().map(PathBuf::as_path))?;
    }

    let key = match options.size {
        Some(bits) => SigningKey::generate_sized(options.alg, bits),
        None => SigningKey::generate(options.alg),
    };
    let key = key.map_err(Failure::unusable)?;
    let mut jwk = key.private_jwk().map_err(Failure::unusable)?;
    let default = if is_secret { KeyId::None } else { KeyId::Thumbprint };
    options.kid.as_ref().unwrap_or(&default).apply(&mut jwk)?;

    let Some(folder) = &options.out else {
        return files::print(format!("{jwk}\n").as_bytes());
    };
    let files = if is_secret { secret(folder, &jwk) } else { pair(folder, &key, jwk, options)? };
    fs::create_dir_all(folder).map_err(|error| {
        Failure::unusable(format!("cannot make the folder {}: {error}", folder.display()))
    })?;
    files::write_all_new(&files)?;
    for file in &files {
        let secret = if file.access == Access::Owner { " (secret)" } else { "" };
        complain(&format!("wrote {}{secret}\n", file.path.display()));
    }
    Ok(())
}

/// The files of an HMAC secret, which say what they are.
fn secret(folder: &Path, jwk: &Object) -> Vec<NewFile> {
    let mut set = Object::new();
    set.insert("comment", SECRET);
    set.insert("keys", vec![jwk.clone().into()]);
    let mut key = jwk.clone();
    key.insert("comment", SECRET);
    let file = |name, content: &Object| NewFile {
        path: folder.join(name),
        access: Access::Owner,
        content: format!("{content}\n").into_bytes(),
    };
    vec![file(PRIVATE_JWK, &key), file(JWKS, &set)]
}

/// The files of a key pair.
fn pair(folder: &Path, key: &SigningKey, jwk: Object, options: &Options) -> Result<Vec<NewFile>, Failure> {
    let failed = || Failure::unusable("cannot write the key that was made");
    let private = format!("{jwk}\n");
    let (set, _) = JwkSet::load(&set_of(vec![jwk.into()])).map_err(|_| failed())?;
    let public = set.keys().first().ok_or_else(failed)?;
    let public_jwk = public.public_jwk().ok().flatten().ok_or_else(failed)?;
    let public_pem = public.to_spki().ok().flatten().ok_or_else(failed)?;

    let file =
        |name, access, content: &[u8]| NewFile { path: folder.join(name), access, content: content.to_vec() };
    let mut files = vec![
        file(PRIVATE_PEM, Access::Owner, key.to_pkcs8().map_err(Failure::unusable)?.to_pem().as_bytes()),
        file(PRIVATE_JWK, Access::Owner, private.as_bytes()),
        file(PUBLIC_PEM, Access::Everybody, public_pem.to_pem().as_bytes()),
        file(JWKS, Access::Everybody, format!("{}\n", set_of(vec![public_jwk.into()])).as_bytes()),
    ];
    if let Some(name) = &options.certificate {
        let certificate = certificate::self_signed(key, name, options.certificate_days)?;
        files.push(file(CERTIFICATE, Access::Everybody, certificate.as_bytes()));
    }
    Ok(files)
}
