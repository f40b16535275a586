//! Checks slow signatures on a thread of their own, so that none holds up the other requests of the thread
//! that serves them.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use claimgate_jose::{CheckedSignature, SignatureCheck};
use tokio::sync::oneshot;

use crate::metrics::SlowSignatureMetrics;
use crate::rejection::Rejection;

/// How many checks wait at most: for about a third of a second, with P-521.
const QUEUE: usize = 512;

/// Added to the nice value of the thread: it gets about a thirtieth of a core that it shares with a busy
/// thread. The higher it is, the sooner it gives way to one that wakes.
const NICE: i32 = 15;

/// Where the slow signatures of one thread's requests are checked.
#[derive(Debug)]
pub struct SlowSignatures {
    /// `None` when they are checked in place.
    queue: Option<SyncSender<Waiting>>,
    metrics: SlowSignatureMetrics,
}

#[derive(Debug)]
struct Waiting {
    check: SignatureCheck,
    answer: oneshot::Sender<CheckedSignature>,
}

impl SlowSignatures {
    /// Starts a thread that checks them; it ends when this is dropped.
    pub(crate) fn start(metrics: SlowSignatureMetrics) -> io::Result<Self> {
        let (slow, waiting) = Self::queued(QUEUE, metrics.clone());
        std::thread::Builder::new().name("claimgate-slow".to_owned()).spawn(move || {
            // On Linux this is the nice value of the thread alone. Without it the checks are made all
            // the same.
            if let Err(error) = rustix::process::nice(NICE) {
                tracing::debug!(error = &error as &dyn std::error::Error, "cannot lower a thread's priority");
            }
            check_all(&waiting, &metrics);
        })?;
        Ok(slow)
    }

    /// Checks them in place.
    pub fn in_place() -> Self {
        Self { queue: None, metrics: SlowSignatureMetrics::default() }
    }

    fn queued(length: usize, metrics: SlowSignatureMetrics) -> (Self, Receiver<Waiting>) {
        let (queue, waiting) = sync_channel(length);
        (Self { queue: Some(queue), metrics }, waiting)
    }

    /// Makes a check; refused when too many wait. One whose caller has gone is not made.
    pub async fn check(&self, check: SignatureCheck) -> Result<CheckedSignature, Rejection> {
        let Some(queue) = &self.queue else {
            return Ok(check.run());
        };
        let (answer, checked) = oneshot::channel();
        // Before it is sent, so that it is never taken out before it was counted.
        self.metrics.note_waiting();
        match queue.try_send(Waiting { check, answer }) {
            Ok(()) => checked.await.map_err(|_| Rejection::VerifierBusy),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.metrics.note_taken();
                self.metrics.count_refused();
                Err(Rejection::VerifierBusy)
            }
        }
    }
}

fn check_all(waiting: &Receiver<Waiting>, metrics: &SlowSignatureMetrics) {
    for Waiting { check, answer } in waiting {
        metrics.note_taken();
        if !answer.is_closed() {
            // The caller may go meanwhile.
            let _ = answer.send(check.run());
        }
    }
}

#[cfg(test)]
mod tests;
