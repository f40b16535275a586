//! The configuration file of an authorizer.

mod issuer;
mod limits;
mod network;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use claimgate_config::place::quoted;
use claimgate_config::reader::{Field, Object};
use claimgate_config::report::Report;
use claimgate_config::snapshot::CertificateFiles;
use claimgate_config::{Problems, did_you_mean, read_file};
use claimgate_jose::json::Value;
use claimgate_jose::{Algorithm, KeyType};

use crate::claims::Claims;
use crate::keys::KeySettings;
use crate::keys::folder::KeyFolder;
use crate::users::file::UsersFile;
use crate::users::postgresql::PostgreSqlSettings;
use claimgate_login::AttemptPolicy;
pub use issuer::Issuer;
pub use limits::{HashingLimits, Limits, Timeouts};
pub use network::Network;

const FIELDS: &str = "an object with the fields issuer, keys, users and claims";

/// Everything that is configured, checked.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// Where `/token` and the published keys are served.
    pub listen: SocketAddr,
    /// Where health and metrics are served; nowhere by default.
    pub admin: Option<SocketAddr>,
    /// The certificate; without one it is served without TLS.
    pub tls: Option<CertificateFiles>,
    /// The claim `iss`, and where clients find the endpoints.
    pub issuer: Issuer,
    /// The claim `aud`: a string or a list of strings.
    pub audience: Option<Value>,
    /// How long tokens are good.
    pub token_lifetime: Duration,
    /// The keys that sign.
    pub keys: KeySettings,
    /// Where users are.
    pub users: UsersSettings,
    /// What tokens say of their user.
    pub claims: Claims,
    /// How often one user may fail.
    pub attempts_per_user: AttemptPolicy,
    /// How often one address may fail.
    pub attempts_per_address: AttemptPolicy,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Sizes and numbers.
    pub limits: Limits,
    /// How much Argon2 may take.
    pub hashing: HashingLimits,
    /// How long clients may take.
    pub timeouts: Timeouts,
}

/// Where users are.
#[derive(Debug, Clone)]
pub enum UsersSettings {
    /// In a file.
    File(PathBuf),
    /// In a database.
    PostgreSql(Box<PostgreSqlSettings>),
}

impl Configuration {
    /// Reads a configuration file; gives it with its warnings.
    ///
    /// # Errors
    ///
    /// All problems of the file.
    pub fn load(file: &Path) -> Result<(Self, Problems), Problems> {
        // An empty folder's name stands for the current folder.
        let folder = file.parent().unwrap_or(Path::new(""));
        read_file(file, FIELDS, |root, report| Self::read(root, folder, report))
    }

    /// Reads the file of the users, if they are in one; gives its warnings.
    ///
    /// # Errors
    ///
    /// All problems of that file.
    pub fn check_users(&self) -> Result<Problems, Problems> {
        match &self.users {
            UsersSettings::File(file) => {
                UsersFile::load(file, self.hashing.max_memory_kib, &self.claims).map(|(_, warnings)| warnings)
            }
            UsersSettings::PostgreSql(_) => Ok(Problems::default()),
        }
    }

    fn read(root: &Field<'_>, folder: &Path, report: &mut Report) -> Option<Self> {
        let mut object = root.object(FIELDS, report)?;
        let right = "an address with port, as \"127.0.0.1:8090\"";
        let listen = object.field("listen").and_then(|field| field.address(right, report));
        let admin = read_admin(&mut object, report);
        let tls = object.field("tls").map(|field| read_tls(&field, folder, report));
        let issuer =
            object.required("issuer", issuer::RIGHT, report).and_then(|field| Issuer::read(&field, report));
        let audience = object.field("audience").and_then(|field| read_audience(&field, report));
        let lifetime = object
            .field("tokenLifetimeSeconds")
            .and_then(|field| field.integer(1..=MAX_LIFETIME_SECONDS, " seconds", report));
        let token_lifetime = Duration::from_secs(lifetime.unwrap_or(3600));
        let keys = object
            .required("keys", "an object with the field folder", report)
            .and_then(|field| read_keys(&field, folder, token_lifetime, report));
        let users = object
            .required("users", "an object with the field file or postgresql", report)
            .and_then(|field| read_users(&field, folder, report));
        let claims = Claims::read(object.field("claims"), report);
        let (attempts_per_user, attempts_per_address) =
            limits::read_attempts(object.field("attempts"), report);
        let trusted_proxies = object
            .field("trustedProxies")
            .map(|field| network::read_list(&field, report))
            .unwrap_or_default();
        let limits = Limits::read(object.field("limits"), report);
        let hashing = HashingLimits::read(object.field("hashing"), report);
        let timeouts = Timeouts::read(object.field("timeouts"), report);
        object.finish(report);
        Some(Self {
            listen: listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 8090))),
            admin,
            tls: tls.flatten(),
            issuer: issuer?,
            audience,
            token_lifetime,
            keys: keys?,
            users: users?,
            claims,
            attempts_per_user,
            attempts_per_address,
            trusted_proxies,
            limits,
            hashing,
            timeouts,
        })
    }
}

const MAX_LIFETIME_SECONDS: u64 = 30 * 24 * 3600;
const MAX_PUBLISH_AHEAD_SECONDS: u64 = 7 * 24 * 3600;

fn read_admin(object: &mut Object<'_>, report: &mut Report) -> Option<SocketAddr> {
    let right = "an address with port, as \"127.0.0.1:8091\"";
    let mut admin = object.field("admin")?.object("an object with the field listen", report)?;
    let listen = admin.required("listen", right, report).and_then(|field| field.address(right, report));
    admin.finish(report);
    listen
}

fn read_tls(field: &Field<'_>, folder: &Path, report: &mut Report) -> Option<CertificateFiles> {
    let mut object = field.object("an object with the fields certificateFile and privateKeyFile", report)?;
    let certificate = read_path(&mut object, "certificateFile", folder, report);
    let private_key = read_path(&mut object, "privateKeyFile", folder, report);
    object.finish(report);
    Some(CertificateFiles { certificate: certificate?, private_key: private_key? })
}

fn read_path(
    object: &mut Object<'_>,
    name: &'static str,
    folder: &Path,
    report: &mut Report,
) -> Option<PathBuf> {
    let right = "a path";
    let path = object.required(name, right, report)?.file_path(right, report)?;
    Some(folder.join(path.value))
}

fn read_audience(field: &Field<'_>, report: &mut Report) -> Option<Value> {
    use claimgate_config::yaml::Value as Yaml;
    let right = "a string or a list of strings";
    let texts = match field.node.value {
        Yaml::List(_) => field.texts(right, "a string", report)?,
        _ => vec![field.text(right, report)?],
    };
    if texts.is_empty() || texts.iter().any(|text| text.value.is_empty()) {
        report.error(&field.place, format!("expected {right} that are not empty"));
        return None;
    }
    field.json(report)
}

fn read_keys(
    field: &Field<'_>,
    folder: &Path,
    lifetime: Duration,
    report: &mut Report,
) -> Option<KeySettings> {
    let mut object = field.object("an object with the field folder", report)?;
    let keys = read_path(&mut object, "folder", folder, report);
    let algorithm = object.field("algorithm").and_then(|field| read_algorithm(&field, report));
    let publish_ahead = object
        .field("publishAheadSeconds")
        .and_then(|field| field.integer(0..=MAX_PUBLISH_AHEAD_SECONDS, " seconds", report));
    object.finish(report);
    Some(KeySettings {
        folder: KeyFolder::new(keys?),
        algorithm: algorithm.unwrap_or(Algorithm::RS256),
        publish_ahead: Duration::from_secs(publish_ahead.unwrap_or(300)),
        lifetime,
    })
}

fn read_algorithm(field: &Field<'_>, report: &mut Report) -> Option<Algorithm> {
    let names = || Algorithm::ALL.into_iter().filter(|algorithm| algorithm.key_type() != KeyType::Oct);
    let right = "an algorithm, as RS256";
    let text = field.text(right, report)?;
    match Algorithm::from_name(text.value) {
        Some(algorithm) if algorithm.key_type() == KeyType::Oct => {
            let message = format!(
                "{algorithm} signs with a secret, of which nothing can be published; use \
                                   RS256, PS256, ES256 or EdDSA"
            );
            report.error(&text.place, message);
            None
        }
        Some(algorithm) => Some(algorithm),
        None => {
            let suggestion = did_you_mean(text.value, names().map(Algorithm::name));
            report.error(&text.place, format!("expected {right}, found {}{suggestion}", quoted(text.value)));
            None
        }
    }
}

fn read_users(field: &Field<'_>, folder: &Path, report: &mut Report) -> Option<UsersSettings> {
    let right = "an object with the field file or postgresql";
    let mut object = field.object(right, report)?;
    let has_file = object.field("file").is_some();
    let database = object.field("postgresql");
    let place = object.place.clone();
    let users = match (has_file, &database) {
        (true, None) => read_path(&mut object, "file", folder, report).map(UsersSettings::File),
        (false, Some(field)) => {
            PostgreSqlSettings::read(field, folder, report).map(Box::new).map(UsersSettings::PostgreSql)
        }
        (true, Some(field)) => {
            report.error(&field.place, "users are in one place, file or postgresql; leave out one of them");
            None
        }
        (false, None) => {
            report.error(&place, format!("expected {right}, found neither"));
            None
        }
    };
    object.finish(report);
    users
}

#[cfg(test)]
mod tests;
