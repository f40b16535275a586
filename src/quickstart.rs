//! `claimgate quickstart`: everything that a first look needs, in a folder of its own.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, bail};
use claimgate_jose::json::{Object, Value};
use claimgate_jose::{Algorithm, KeyFile, SigningKey};

use crate::files::{self, Access};
use crate::logging;
use crate::serve::{self, ConfigurationFile, TakenPort};

const PRIVATE_KEY: &str = "private.pem";
const CONFIGURATION: &str = "claimgate.yaml";
const TOKEN_LIFETIME_SECONDS: u64 = 24 * 60 * 60;

/// Serves the quickstart of a folder; makes key pair and configuration where they are not there yet, so
/// that a second run goes on with what the first one made and its user changed.
pub fn run(dir: &Path, log_format: logging::Format) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
    let key = key_pair(&dir.join(PRIVATE_KEY))?;
    let config = dir.join(CONFIGURATION);
    write_missing(&config, Access::Everybody, configuration(&key)?.as_bytes())?;
    let token = token(&key)?;
    let (file, loaded) = match ConfigurationFile::load(&config) {
        Ok(loaded) => loaded,
        Err(problems) => {
            crate::complain_of(&problems);
            bail!("mend {}, or remove {} to start afresh", config.display(), dir.display());
        }
    };
    serve::start(file, loaded, log_format, TakenPort::UseFree, |address| {
        let mut out = io::stdout().lock();
        out.write_all(guide(dir, address, &token).as_bytes())?;
        out.flush().context("cannot print the requests to try")
    })
}

fn key_pair(file: &Path) -> anyhow::Result<SigningKey> {
    if !file.exists() {
        let key = SigningKey::generate(Algorithm::RS256).context("cannot make a key pair")?;
        let private = key.to_pkcs8().context("cannot write the private key")?;
        write_missing(file, Access::Owner, private.to_pem().as_bytes())?;
    }
    let content = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let cannot_use = || format!("cannot use {}", file.display());
    let keys = KeyFile::read(&content).with_context(cannot_use)?.keys;
    let key = SigningKey::from_jwk(keys.first().with_context(cannot_use)?).with_context(cannot_use)?;
    Ok(key.with_key_id("quickstart"))
}

/// Writes a file unless it is there.
fn write_missing(file: &Path, access: Access, content: &[u8]) -> anyhow::Result<()> {
    match files::write_new(file, access, content) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(error).with_context(|| format!("cannot write {}", file.display()))
        }
        _ => Ok(()),
    }
}

fn configuration(key: &SigningKey) -> anyhow::Result<String> {
    let jwk =
        key.public_jwk().context("cannot write the public key")?.context("the key has no public part")?;
    let jwk = Value::Object(jwk);
    Ok(format!(
        r#"# Made by `claimgate quickstart`. Change it while it is served: every change takes effect at once.
gateway:
  http: 127.0.0.1:8080
admin:
  listen: 127.0.0.1:8081
functions:
  - functionName: hello
    builtin: echo
customDomains:
  - domainName: localhost
    protocol: HTTP
    routeConfig:
      routes:
        - {{path: /*, functionName: hello}}
    authConfig:
      authType: jwt
      authInfo:
        jwks:
          keys:
            - {jwk}
        tokenLookup: "header:Authorization:Bearer,cookie:token,query:access_token,form:access_token"
        claimPassBy: "header:name:x-name,query:sub:uid,form:email:email,cookie:roles:roles"
        otherBodies: forward   # hello reads no parameters from JSON; left out, such bodies are refused
        whitelist: [/public/*]
"#
    ))
}

fn token(key: &SigningKey) -> anyhow::Result<String> {
    let now =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).context("the clock stands before 1970")?;
    let mut claims = Object::new();
    claims.insert("sub", "1234567890");
    claims.insert("name", "John Snow");
    claims.insert("email", "john.snow@example.com");
    claims.insert("roles", Value::Array(vec!["ranger".into(), "steward".into()]));
    claims.insert("iat", now.as_secs());
    claims.insert("exp", now.as_secs() + TOKEN_LIFETIME_SECONDS);
    key.sign(&Object::new(), &claims).context("cannot sign a token")
}

fn guide(dir: &Path, address: SocketAddr, token: &str) -> String {
    let url = format!("http://localhost:{}", address.port());
    // `localhost` is `::1` for some, where another program may listen on the same port.
    let curl = "curl -si -4";
    let header = format!("-H 'Authorization: Bearer {token}'");
    let (start, signature) = token.rsplit_once('.').unwrap_or((token, ""));
    let tampered: String = signature.chars().rev().collect();
    let dir = dir.display();
    format!(
        r#"
claimgate serves the domain `localhost` at {url}; its function `hello` answers with what reached it.

  {dir}/{CONFIGURATION}   the configuration: change it, and see the requests below change
  {dir}/{PRIVATE_KEY}      the private key that the token was signed with; the configuration holds its public key

A token for John Snow, good for a day:

{token}

Requests to try, from another terminal:

# 1. No token: 401 `missing or malformed jwt`, and the function is not called
{curl} {url}/orders

# 2. A token whose signature was changed: 401 `invalid or expired jwt`
{curl} {url}/orders -H 'Authorization: Bearer {start}.{tampered}'

# 3. The prefix `Bearer` is missing: 401 `invalid or expired jwt`
{curl} {url}/orders -H 'Authorization: {token}'

# 4. The token in a header: 200; see the claims in `headers` (x-name), `query` (uid) and `cookies` (roles)
{curl} {url}/orders {header}

# 5. The token in a cookie: 200
{curl} {url}/orders -b 'token={token}'

# 6. The token in the query: 200
{curl} '{url}/orders?access_token={token}'

# 7. The token in a form: 200; the form receives a claim too: see `form` (email)
{curl} {url}/orders -d 'item=sword' -d 'access_token={token}'

# 8. A client that claims to be somebody else, in every position: 200, and nothing of it arrives
{curl} '{url}/orders?uid=1' {header} -H 'X_Name: Night King' -b 'roles=king' -d 'email=night@king.example'

# 9. A path on the whitelist needs no token: 200, without claims
{curl} {url}/public/news

Stop with Ctrl-C.
"#
    )
}
