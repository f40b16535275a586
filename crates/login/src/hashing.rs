//! Runs of Argon2, of which each takes memory and a processor: a bounded number at once, and a bounded
//! number that wait.

use std::sync::Arc;

use prometheus_client::metrics::counter::Counter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::password::{Parameters, Password, PasswordHash, PasswordHashError};

/// Runs of Argon2.
pub struct Hashing {
    admitted: Arc<Semaphore>,
    running: Arc<Semaphore>,
    runs: Counter,
}

/// Why a password is not verified or hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashingError {
    /// Too many wait already.
    #[error("too many passwords are being checked; try again")]
    Busy,
    /// There is no memory, or no randomness.
    #[error("the password cannot be checked now")]
    Failed,
}

/// The right to one run.
pub struct Admission(#[expect(dead_code, reason = "is held")] OwnedSemaphorePermit);

impl Hashing {
    /// So many runs at once, and so many that wait; every run is counted in `runs`.
    pub fn new(concurrent: usize, waiting: usize, runs: Counter) -> Self {
        Self {
            admitted: Arc::new(Semaphore::new(concurrent + waiting)),
            running: Arc::new(Semaphore::new(concurrent)),
            runs,
        }
    }

    /// A place among those that run or wait, if one is free.
    ///
    /// # Errors
    ///
    /// [`HashingError::Busy`].
    pub fn admit(&self) -> Result<Admission, HashingError> {
        Arc::clone(&self.admitted).try_acquire_owned().map(Admission).map_err(|_| HashingError::Busy)
    }

    /// Verifies a password, in its turn.
    ///
    /// # Errors
    ///
    /// When Argon2 cannot run.
    pub async fn verify(
        &self,
        admission: Admission,
        hash: Arc<PasswordHash>,
        password: Password,
    ) -> Result<bool, HashingError> {
        self.run(admission, move || hash.verify(&password)).await
    }

    /// Hashes a password with a random salt, in its turn.
    ///
    /// # Errors
    ///
    /// When Argon2 cannot run.
    pub async fn hash(
        &self,
        admission: Admission,
        password: Password,
        parameters: Parameters,
    ) -> Result<PasswordHash, HashingError> {
        self.run(admission, move || PasswordHash::of(&password, parameters)).await
    }

    async fn run<T: Send + 'static>(
        &self,
        admission: Admission,
        work: impl FnOnce() -> Result<T, PasswordHashError> + Send + 'static,
    ) -> Result<T, HashingError> {
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(|_| HashingError::Busy)?;
        let runs = self.runs.clone();
        let run = move || {
            // Held to the end, even when the client has gone and nobody waits for the result.
            let _held = (admission, running);
            runs.inc();
            work()
        };
        match tokio::task::spawn_blocking(run).await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(error)) => {
                tracing::error!("a password cannot be hashed: {error}");
                Err(HashingError::Failed)
            }
            Err(_) => Err(HashingError::Failed),
        }
    }
}
