//! Sessions of the console's users, as records of the store.
//!
//! A session is known by a random token in a cookie; the store holds the token's hash alone. It ends twelve
//! hours after its last request, a week after it began, at sign-out, and when its user is deleted or gets
//! another password.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::{constant_time, digest, rand};
use axum::http::{HeaderMap, HeaderName};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::cookies::{Protection, SESSION};
use crate::store::{CommitError, Condition, Store, StoreError, Write};
use crate::users::{User, Users};

const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");

/// How long a session lasts without requests.
const IDLE: Duration = Duration::from_secs(12 * 60 * 60);
/// How long a session lasts at most.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How exactly it is known when its last request was; each note is a write.
const NOTED_EVERY: Duration = Duration::from_secs(5 * 60);

/// A session that goes on.
#[derive(Debug, Clone)]
pub struct Session {
    /// Whose it is.
    pub user: User,
    /// What every request that changes something has to carry: another site's pages do not know it.
    pub csrf: String,
}

/// A secret of 256 random bits, as in cookies and links.
pub struct Token(String);

/// The sessions of a store.
#[derive(Debug, Clone)]
pub struct Sessions {
    store: Store,
}

#[derive(Serialize, Deserialize)]
struct Value {
    user: String,
    credential: String,
    /// Milliseconds since the Unix epoch.
    began: u64,
    seen: u64,
}

impl Sessions {
    /// The sessions of this store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Begins a session; its token goes to the user's browser and nowhere else.
    ///
    /// # Errors
    ///
    /// When it cannot be stored.
    pub async fn begin(&self, user: &User) -> Result<Token, StoreError> {
        let token = Token::random()?;
        let now = milliseconds(SystemTime::now());
        let value =
            Value { user: user.name.clone(), credential: user.credential.clone(), began: now, seen: now };
        let key = key(&token.0);
        let absent = [Condition::Absent { key: key.clone() }];
        self.commit(&absent, put(key, &value)).await?;
        Ok(token)
    }

    /// The session of a request, by its cookie.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn find(
        &self,
        headers: &HeaderMap,
        protection: Protection,
    ) -> Result<Option<Session>, StoreError> {
        let Some(token) = SESSION.of(headers, protection) else { return Ok(None) };
        let key = key(token);
        let Some(record) = self.store.get(&key).await? else { return Ok(None) };
        let Ok(value) = serde_json::from_slice::<Value>(&record.value) else { return Ok(None) };
        let now = milliseconds(SystemTime::now());
        let is_over = passed(value.seen, now) > IDLE || passed(value.began, now) > LONGEST;
        let user = Users::new(self.store.clone()).find(&value.user).await?;
        let Some(user) = user.filter(|user| !is_over && user.credential == value.credential) else {
            return Ok(None);
        };
        if passed(value.seen, now) > NOTED_EVERY {
            // On that condition, so that a session that ends meanwhile does not come back.
            let at = [Condition::At { key: key.clone(), version: record.version }];
            self.commit(&at, put(key, &Value { seen: now, ..value })).await?;
        }
        Ok(Some(Session { user, csrf: csrf(token) }))
    }

    /// Ends the session of a request.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn end(&self, headers: &HeaderMap, protection: Protection) -> Result<(), StoreError> {
        match SESSION.of(headers, protection) {
            Some(token) => self.commit(&[], Write::Delete { key: key(token) }).await,
            None => Ok(()),
        }
    }

    async fn commit(&self, conditions: &[Condition], write: Write) -> Result<(), StoreError> {
        match self.store.commit(conditions, &[write]).await {
            Ok(_) | Err(CommitError::Conflict { .. }) => Ok(()),
            Err(CommitError::Unknown(why)) => Err(StoreError::Unreachable(why)),
            Err(CommitError::Store(error)) => Err(error),
        }
    }
}

impl Session {
    /// Whether a request carries the session's token in its header `x-csrf-token`.
    pub fn is_own_request(&self, headers: &HeaderMap) -> bool {
        let token = headers.get(CSRF_HEADER).and_then(|token| token.to_str().ok());
        token.is_some_and(|token| self.is_own(token))
    }

    /// Whether a request that carries this token comes from a page of this session.
    pub fn is_own(&self, csrf: &str) -> bool {
        constant_time::verify_slices_are_equal(self.csrf.as_bytes(), csrf.as_bytes()).is_ok()
    }
}

impl Token {
    /// A new one.
    ///
    /// # Errors
    ///
    /// When the system gives no random numbers.
    pub fn random() -> Result<Self, StoreError> {
        let mut bytes = [0; 32];
        rand::fill(&mut bytes)
            .map_err(|_| StoreError::Failed("the system gives no random numbers".to_owned()))?;
        Ok(Self(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The text, which is a secret.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// What secrets are known by in the store.
pub fn hash(secret: &str) -> String {
    hex(digest::digest(&digest::SHA256, secret.as_bytes()).as_ref())
}

fn csrf(token: &str) -> String {
    hash(&format!("csrf {token}"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn key(token: &str) -> String {
    format!("sessions/{}", hash(token))
}

fn put(key: String, value: &Value) -> Write {
    // A structure of strings and numbers can always be written.
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    Write::Put { key, value: bytes, expires_in: Some(IDLE) }
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn passed(since: u64, now: u64) -> Duration {
    Duration::from_millis(now.saturating_sub(since))
}
