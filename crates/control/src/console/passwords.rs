//! Passwords that the console is given: few at a time, and not too often.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use claimgate_login::password::{Parameters, Password, PasswordHash};
use claimgate_login::{AttemptPolicy, Attempts, Hashing, HashingError, TooMany};
use prometheus_client::metrics::counter::Counter;

use super::device;
use crate::store::StoreError;
use crate::users::{User, UserError, Users, check_password};

/// Each run takes a processor for some tens of milliseconds, which requests need.
const AT_ONCE: usize = 1;
const WAITING: usize = 16;

/// Of one name from one address, or from one device that its user has signed in on.
const PER_ORIGIN: AttemptPolicy = AttemptPolicy {
    free_attempts: 5,
    first_delay: Duration::from_secs(1),
    lock_out_after: 20,
    lock_out: Duration::from_secs(15 * 60),
    forget_after: Duration::from_secs(60 * 60),
};

/// More, as many people may come from one address.
const PER_ADDRESS: AttemptPolicy = AttemptPolicy { free_attempts: 20, lock_out_after: 100, ..PER_ORIGIN };

/// Of one name from all addresses together: who guesses from many is slowed down to one guess in some seconds, and
/// so is the user, on a device that is not known; but no one can lock a user out.
const PER_USER: AttemptPolicy =
    AttemptPolicy { free_attempts: 20, lock_out_after: 100, lock_out: Duration::from_secs(5), ..PER_ORIGIN };

pub struct Passwords {
    hashing: Hashing,
    /// Made with the first attempt, as its tables take 18 MiB.
    attempts: OnceLock<Attempts>,
    started: Instant,
}

/// Where an attempt comes from.
#[derive(Debug, Clone, Copy)]
pub enum Origin<'a> {
    /// A client that may have the cookie of a device ([`device`](super::device)).
    Client {
        /// Its address.
        address: IpAddr,
        /// The cookie, which is not judged yet.
        device: Option<&'a str>,
    },
    /// A user who is signed in, by a text that belongs to the session.
    Session(&'a str),
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
        origin: Origin<'_>,
    ) -> Result<User, NotLetIn> {
        let attempts =
            self.attempts.get_or_init(|| Attempts::with_origins(PER_USER, PER_ADDRESS, PER_ORIGIN));
        let now = self.started.elapsed();
        let attempt = match origin {
            Origin::Session(session) => attempts.begin_on_device(name, session, now),
            Origin::Client { address, device } => match known_device(users, name, device).await? {
                Some(device) => attempts.begin_on_device(name, device, now),
                None => attempts.begin(name, address, now),
            },
        };
        let attempt = attempt.map_err(NotLetIn::TooMany)?;
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

/// The cookie, if it is one that the user of this name was given.
async fn known_device<'a>(
    users: &Users,
    name: &str,
    cookie: Option<&'a str>,
) -> Result<Option<&'a str>, StoreError> {
    let Some(cookie) = cookie else { return Ok(None) };
    let user = users.find(name).await?;
    Ok(user.filter(|user| device::is_of(user, cookie)).map(|_| cookie))
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn guessers_at_many_addresses_slow_a_user_down_and_lock_nobody_out() {
        let attempts = Attempts::with_origins(PER_USER, PER_ADDRESS, PER_ORIGIN);
        let user = IpAddr::from([192, 0, 2, 1]);
        // One guess a second for three hours, each from another address.
        for second in 0..3 * 60 * 60 {
            let now = Duration::from_secs(second.into());
            let guesser = IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + second));
            if let Ok(attempt) = attempts.begin("ann", guesser, now) {
                attempt.failed(now);
            }
            match attempts.begin("ann", user, now) {
                Ok(attempt) => attempt.not_judged(),
                Err(too_many) => assert!(too_many.wait <= Duration::from_secs(5), "{too_many:?}"),
            }
            attempts.begin_on_device("ann", "known", now).unwrap().not_judged();
        }
    }
}
