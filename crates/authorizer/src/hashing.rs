//! Runs of Argon2, of which each takes memory and a processor: a bounded number at once, and a bounded
//! number that wait.

use std::sync::Arc;

use prometheus_client::metrics::counter::Counter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::configuration::HashingLimits;
use crate::password::{Password, PasswordHash};
use crate::refusal::Refusal;

pub(crate) struct Hashing {
    admitted: Arc<Semaphore>,
    running: Arc<Semaphore>,
    runs: Counter,
}

/// The right to one run.
pub(crate) struct Admission(#[expect(dead_code, reason = "is held")] OwnedSemaphorePermit);

impl Hashing {
    /// Counts every run in `runs`.
    pub(crate) fn new(limits: &HashingLimits, runs: Counter) -> Self {
        Self {
            admitted: Arc::new(Semaphore::new(limits.concurrent + limits.waiting)),
            running: Arc::new(Semaphore::new(limits.concurrent)),
            runs,
        }
    }

    /// A place among those that run or wait, if one is free.
    pub(crate) fn admit(&self) -> Result<Admission, Refusal> {
        Arc::clone(&self.admitted).try_acquire_owned().map(Admission).map_err(|_| Refusal::Busy)
    }

    /// Verifies a password, in its turn.
    pub(crate) async fn verify(
        &self,
        admission: Admission,
        hash: Arc<PasswordHash>,
        password: Password,
    ) -> Result<bool, Refusal> {
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(|_| Refusal::Busy)?;
        let runs = self.runs.clone();
        let run = move || {
            // Held to the end, even when the client has gone and nobody waits for the result.
            let _held = (admission, running);
            runs.inc();
            hash.verify(&password)
        };
        match tokio::task::spawn_blocking(run).await {
            Ok(Ok(is_right)) => Ok(is_right),
            Ok(Err(error)) => {
                tracing::error!("a password cannot be verified: {error}");
                Err(Refusal::Internal)
            }
            Err(_) => Err(Refusal::Internal),
        }
    }
}
