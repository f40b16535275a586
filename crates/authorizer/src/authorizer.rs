//! Everything that a request for a token needs, and what is decided about it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use aws_lc_rs::rand;
use claimgate_config::Problems;
use claimgate_jose::base64url;
use claimgate_jose::json::{Object, Value};

use crate::claims::UserClaims;
use crate::configuration::{Configuration, UsersSettings};
use crate::credentials::Credentials;
use crate::keys::folder::Contents;
use crate::keys::{KeyRing, RotateError, first_key};
use crate::metrics::Metrics;
use crate::refusal::Refusal;
use crate::users::file::UsersFile;
use crate::users::postgresql::PostgreSql;
use crate::users::{Candidate, Users};
use claimgate_login::Attempts;
use claimgate_login::Hashing;

/// An authorizer, whatever it is reached by.
pub(crate) struct Authorizer {
    pub(crate) configuration: Configuration,
    pub(crate) metrics: Metrics,
    pub(crate) users: Users,
    keys: ArcSwap<KeyRing>,
    attempts: Attempts,
    hashing: Hashing,
    started: Instant,
}

/// A login that ended well.
pub(crate) struct Issued {
    pub(crate) token: String,
    pub(crate) key_id: String,
    pub(crate) username: String,
}

/// A login that did not; the user is named when there is one, as anything else that was sent may be a
/// password in the wrong field.
pub(crate) struct NotIssued {
    pub(crate) refusal: Refusal,
    pub(crate) username: Option<String>,
}

/// Why an authorizer cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The file of the users is bad.
    #[error("{0}")]
    Users(Problems),
    /// The database cannot be used at all.
    #[error(transparent)]
    PostgreSql(#[from] crate::users::postgresql::StartError),
    /// There are no keys, and none can be made.
    #[error(transparent)]
    Keys(#[from] RotateError),
    /// TLS cannot be served.
    #[error("{0}")]
    Tls(String),
    /// An address cannot be listened on.
    #[error("cannot listen on {field} {address}: {error}")]
    Listen {
        /// The field of the configuration.
        field: &'static str,
        /// The address.
        address: std::net::SocketAddr,
        /// The reason.
        error: std::io::Error,
    },
    /// Signals cannot be listened for.
    #[error("cannot listen for signals: {0}")]
    Signals(std::io::Error),
}

impl Authorizer {
    /// Loads users and keys; makes the first key of an empty folder.
    pub(crate) fn start(configuration: Configuration) -> Result<Self, StartError> {
        let max_memory_kib = configuration.hashing.max_memory_kib;
        let users = match &configuration.users {
            UsersSettings::File(file) => {
                let (users, warnings) = UsersFile::load(file, max_memory_kib, &configuration.claims)
                    .map_err(StartError::Users)?;
                crate::log::problems(&warnings);
                Users::File(users)
            }
            UsersSettings::PostgreSql(settings) => {
                Users::PostgreSql(Box::new(PostgreSql::new(*settings.clone(), max_memory_kib)?))
            }
        };
        first_key(&configuration.keys, now())?;
        let metrics = Metrics::default();
        let authorizer = Self {
            users,
            keys: ArcSwap::default(),
            attempts: Attempts::new(
                configuration.attempts_per_user.clone(),
                configuration.attempts_per_address.clone(),
            ),
            hashing: Hashing::new(
                configuration.hashing.concurrent,
                configuration.hashing.waiting,
                metrics.argon2_runs.clone(),
            ),
            started: Instant::now(),
            configuration,
            metrics,
        };
        authorizer.load_keys()?;
        Ok(authorizer)
    }

    /// Takes over what is in the folder of the keys; when nothing of it can be used, everything stays as
    /// it is.
    pub(crate) fn load_keys(&self) -> Result<(), RotateError> {
        let settings = &self.configuration.keys;
        let folder = &settings.folder;
        let Contents { keys, broken, warnings } =
            folder.read().map_err(|error| RotateError::Folder { path: folder.path().to_owned(), error })?;
        warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        broken.iter().for_each(|broken| tracing::error!("{broken}"));
        let ring = KeyRing::new(keys, settings.lifetime);
        let Some(active) = ring.active(now()) else {
            return Err(RotateError::Broken(if broken.is_empty() {
                format!("there is none in {}", folder.path().display())
            } else {
                broken.join("; ")
            }));
        };
        if active.signing.algorithm() != settings.algorithm {
            tracing::warn!(
                "the key that signs is for {}, keys.algorithm is {}: `claimgate authorizer rotate` makes one",
                active.signing.algorithm(),
                settings.algorithm
            );
        }
        let published = ring.published(now()).count();
        tracing::info!(key = active.id, published, "keys loaded");
        self.keys.store(Arc::new(ring));
        Ok(())
    }

    /// The keys as they are now.
    pub(crate) fn keys(&self) -> Arc<KeyRing> {
        self.keys.load_full()
    }

    /// Verifies a username and a password, and issues a token.
    pub(crate) async fn log_in(&self, credentials: Credentials, client: IpAddr) -> Result<Issued, NotIssued> {
        let Credentials { username, password } = credentials;
        let attempt = self
            .attempts
            .begin(&username, client, self.started.elapsed())
            .map_err(|too_many| NotIssued::of(Refusal::TooManyAttempts(too_many)))?;
        let verified = async {
            let admission = self.hashing.admit()?;
            let Candidate { hash, fields } = self.users.find(&username).await.map_err(|error| {
                tracing::error!(reason = crate::log::causes(&error), "users are not available");
                Refusal::UsersUnavailable
            })?;
            let is_right = self.hashing.verify(admission, hash, password).await?;
            Ok::<_, Refusal>((fields, is_right))
        };
        let (fields, is_right) = match verified.await {
            Ok(verified) => verified,
            Err(refusal) => {
                attempt.not_judged();
                return Err(NotIssued::of(refusal));
            }
        };
        let now = self.started.elapsed();
        match fields {
            Some(fields) if is_right => {
                attempt.succeeded(now);
                self.issue(&fields)
            }
            known => {
                attempt.failed(now);
                let refusal = if known.is_some() { Refusal::WrongPassword } else { Refusal::UnknownUser };
                Err(NotIssued { refusal, username: known.map(|fields| name_of(&fields)) })
            }
        }
    }

    fn issue(&self, fields: &Object) -> Result<Issued, NotIssued> {
        let username = name_of(fields);
        let failed = |reason: String| {
            tracing::error!(user = username, "no token can be issued: {reason}");
            NotIssued { refusal: Refusal::Internal, username: Some(username.clone()) }
        };
        let Some(claims) = self.configuration.claims.of(fields) else {
            return Err(failed("the user has nothing that makes the claim sub".to_owned()));
        };
        let now = now();
        let keys = self.keys();
        let key = keys.active(now).ok_or_else(|| failed("there is no key".to_owned()))?;
        let claims = self.claims(claims, now).ok_or_else(|| failed("there is no randomness".to_owned()))?;
        let token = key.signing.sign(&Object::new(), &claims).map_err(|error| failed(error.to_string()))?;
        Ok(Issued { token, key_id: key.id.clone(), username })
    }

    fn claims(&self, user: UserClaims, now: Duration) -> Option<Object> {
        let Configuration { issuer, audience, token_lifetime, .. } = &self.configuration;
        let mut id = [0; 16];
        rand::fill(&mut id).ok()?;
        let mut claims = Object::new();
        claims.insert("iss", issuer.url());
        claims.insert("sub", user.subject);
        if let Some(audience) = audience {
            claims.insert("aud", audience.clone());
        }
        claims.insert("iat", now.as_secs());
        claims.insert("exp", now.as_secs() + token_lifetime.as_secs());
        claims.insert("jti", base64url::encode(&id));
        for (name, value) in user.others.iter() {
            claims.insert(name, value.clone());
        }
        Some(claims)
    }
}

impl NotIssued {
    pub(crate) fn of(refusal: Refusal) -> Self {
        Self { refusal, username: None }
    }
}

fn name_of(fields: &Object) -> String {
    fields.get("username").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The time since 1970.
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
