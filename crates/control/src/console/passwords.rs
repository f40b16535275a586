//! Passwords that the console is given: few at a time, and not too often.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use claimgate_login::password::{Parameters, Password, PasswordHash};
use claimgate_login::{AttemptPolicy, Attempts, Hashing, HashingError, TooMany};
use prometheus_client::metrics::counter::Counter;

use crate::store::StoreError;
use crate::users::{User, UserError, Users, check_password};

/// Each run takes a processor for some tens of milliseconds, which requests need.
const AT_ONCE: usize = 1;
const WAITING: usize = 16;

const PER_USER: AttemptPolicy = AttemptPolicy {
    free_attempts: 5,
    first_delay: Duration::from_secs(1),
    lock_out_after: 20,
    lock_out: Duration::from_secs(15 * 60),
    forget_after: Duration::from_secs(60 * 60),
};

/// More, as many people may come from one address.
const PER_ADDRESS: AttemptPolicy = AttemptPolicy { free_attempts: 20, lock_out_after: 100, ..PER_USER };

pub struct Passwords {
    hashing: Hashing,
    /// Made with the first attempt, as its tables take 12 MiB.
    attempts: OnceLock<Attempts>,
    started: Instant,
}

/// Why somebody is not let in.
#[derive(Debug, thiserror::Error)]
pub enum NotLetIn {
    #[error("The user name or the password is wrong.")]
    Wrong,
    #[error("There were too many attempts. Try again in {}.", in_words(&.0.wait))]
    TooMany(TooMany),
    #[error("Too many people sign in at this moment. Try again.")]
    Busy,
    #[error("The store does not answer: {0}.")]
    Store(#[from] StoreError),
}

impl Passwords {
    pub fn new() -> Self {
        let hashing = Hashing::new(AT_ONCE, WAITING, Counter::default());
        Self { hashing, attempts: OnceLock::new(), started: Instant::now() }
    }

    /// The user of a name and a password. A name that nobody has takes as long as one that somebody has.
    pub async fn check(
        &self,
        users: &Users,
        name: &str,
        password: Password,
        client: IpAddr,
    ) -> Result<User, NotLetIn> {
        let attempts = self.attempts.get_or_init(|| Attempts::new(PER_USER, PER_ADDRESS));
        let attempt = attempts.begin(name, client, self.started.elapsed()).map_err(NotLetIn::TooMany)?;
        let checked = async {
            let admission = self.hashing.admit()?;
            let user = users.find(name).await?;
            let hash = match &user {
                Some(user) => PasswordHash::parse(&user.password),
                None => PasswordHash::of_nobody(Parameters::default()),
            };
            let hash = hash.map_err(|error| StoreError::Failed(error.to_string()))?;
            let is_right = self.hashing.verify(admission, Arc::new(hash), password).await?;
            Ok::<_, NotLetIn>(user.filter(|_| is_right))
        };
        match checked.await {
            Ok(Some(user)) => {
                attempt.succeeded(self.started.elapsed());
                Ok(user)
            }
            Ok(None) => {
                attempt.failed(self.started.elapsed());
                Err(NotLetIn::Wrong)
            }
            Err(error) => {
                attempt.not_judged();
                Err(error)
            }
        }
    }

    /// The hash of a password that is chosen.
    pub async fn hash(&self, password: &str) -> Result<PasswordHash, UserError> {
        let password = Password::new(password.as_bytes().to_vec());
        check_password(&password)?;
        let failed = |error: HashingError| StoreError::Failed(error.to_string());
        let admission = self.hashing.admit().map_err(failed)?;
        Ok(self.hashing.hash(admission, password, Parameters::default()).await.map_err(failed)?)
    }
}

impl From<HashingError> for NotLetIn {
    fn from(error: HashingError) -> Self {
        match error {
            HashingError::Busy => Self::Busy,
            HashingError::Failed => Self::Store(StoreError::Failed(error.to_string())),
        }
    }
}

fn in_words(wait: &Duration) -> String {
    match wait.as_secs() + 1 {
        1 => "a second".to_owned(),
        seconds @ 2..=99 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds.div_ceil(60)),
    }
}
