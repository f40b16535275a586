//! `claimgate token verify`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use claimgate_config::snapshot::Authentication;
use claimgate_gateway::times::in_words;
use claimgate_gateway::{Rejection, SlowSignatures};
use claimgate_jose::{Policy, VerifiedClaims, VerifyError, verify};
use claimgate_remote_keys::RemoteKeySources;
use clap::Args;

use super::parts::Parts;
use super::read_token;
use crate::failure::{Failure, load_configuration};
use crate::files::{self, name_of};
use crate::keys::{load_set, read_keys};
use crate::{clock, runtime};

/// Options of `claimgate token verify`.
#[derive(Args)]
pub struct Options {
    /// The token; read from standard input when left out or `-`
    #[arg(default_value = "-", hide_default_value = true)]
    token: String,
    /// The keys: JWK set, JWK, PEM or DER
    #[arg(long, value_name = "FILE", required_unless_present = "config", conflicts_with = "config")]
    jwks: Option<PathBuf>,
    /// An `iss` that is accepted; repeat it for more. All are when left out
    #[arg(long, value_name = "ISSUER", conflicts_with = "config")]
    issuer: Vec<String>,
    /// An audience that `aud` may name; repeat it for more. All are when left out
    #[arg(long, value_name = "AUDIENCE", conflicts_with = "config")]
    audience: Vec<String>,
    /// Tolerance at `exp` and `nbf`
    #[arg(long, value_name = "SECONDS", default_value_t = 0, conflicts_with = "config",
          value_parser = clap::value_parser!(u64).range(0..=300))]
    leeway_seconds: u64,
    /// The configuration whose keys and rules hold, YAML or JSON
    #[arg(long, value_name = "FILE", requires = "domain")]
    config: Option<PathBuf>,
    /// The custom domain of the configuration, or a host that it stands for
    #[arg(long, value_name = "NAME", requires = "config", conflicts_with = "jwks")]
    domain: Option<String>,
}

/// Verifies a token; prints its claims on one line.
pub fn run(options: &Options) -> Result<(), Failure> {
    let token = read_token(&options.token)?;
    let verified = match (&options.jwks, &options.config, &options.domain) {
        (Some(jwks), _, _) => with_keys(&token, jwks, options)?,
        (None, Some(config), Some(domain)) => with_configuration(&token, config, domain)?,
        _ => return Err(Failure::unusable("give --jwks, or --config and --domain")),
    };
    match verified {
        Ok(claims) => files::print(format!("{}\n", claims.claims()).as_bytes()),
        Err(rejection) => Err(Failure::Refused(explain(&rejection, &token))),
    }
}

fn with_keys(token: &[u8], jwks: &Path, options: &Options) -> Result<Verified, Failure> {
    let unusable = |why: String| Failure::Unusable(format!("{}: {why}", name_of(jwks)));
    // What is wrong with the keys says nothing of the token.
    let file = read_keys(jwks).map_err(Failure::unusable)?;
    let (keys, _) = load_set(&file.keys).map_err(unusable)?;
    let policy = Policy {
        issuers: options.issuer.clone(),
        audiences: options.audience.clone(),
        leeway: Duration::from_secs(options.leeway_seconds),
    };
    Ok(verify(token, &keys, &policy, clock::now()?).map_err(Rejection::from))
}

fn with_configuration(token: &[u8], config: &Path, name: &str) -> Result<Verified, Failure> {
    let snapshot = load_configuration(config)?.snapshot;
    let host = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let domain = snapshot.domains.find(&host).ok_or_else(|| {
        Failure::Unusable(format!("{}: no custom domain has the host {name:?}", config.display()))
    })?;
    let Authentication::Jwt(jwt) = &domain.authentication else {
        return Err(Failure::Unusable(format!(
            "{}: the domain {} is anonymous, so its requests need no token",
            config.display(),
            domain.name
        )));
    };
    let limit = snapshot.gateway.limits.token_bytes;
    if token.len() > limit {
        return Ok(Err(Rejection::TokenTooLong { limit }));
    }
    let verified = runtime::block_on(async {
        let settings = &snapshot.gateway.remote_jwks;
        let sources = RemoteKeySources::on_demand(&snapshot.remote_key_sources, settings);
        let sources = sources.map_err(Failure::unusable)?;
        let remote = domain.remote_keys.and_then(|number| sources.get(number));
        Ok(claimgate_gateway::verify(token, jwt, remote, &SlowSignatures::in_place(), clock::now()?, &mut ())
            .await)
    });
    verified.map_err(|error| Failure::Unusable(format!("cannot start: {error}")))?
}

type Verified = Result<VerifiedClaims, Rejection>;

/// The reason that the gateway would log, and what it means; for times by how much.
fn explain(rejection: &Rejection, token: &[u8]) -> String {
    let claim = match rejection {
        Rejection::InvalidToken(VerifyError::Expired) => "exp",
        Rejection::InvalidToken(VerifyError::NotYetValid) => "nbf",
        _ => return format!("{}: {rejection}", rejection.reason()),
    };
    let parts = Parts::of(token);
    let seconds = parts.payload.object().and_then(|claims| claims.get(claim)?.as_number()?.as_f64());
    let words = seconds.and_then(|seconds| in_words(claim, seconds, clock::now().ok()?));
    format!("{}: `{claim}` is {}", rejection.reason(), words.unwrap_or_default())
}
