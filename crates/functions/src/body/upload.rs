//! A request's body while it is being sent.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use super::idle::IdleTimer;
use super::request::RequestBody;
use crate::error::RequestBodyError;

/// A request's body while it is being sent: limits the client's silence and tells its [`Progress`].
#[derive(Debug)]
pub(crate) struct Upload {
    body: RequestBody,
    idle: IdleTimer,
    progress: Arc<Progress>,
}

/// How far a request has been sent, seen from outside of the connection that sends it.
#[derive(Debug)]
pub(crate) struct Progress {
    start: Instant,
    /// Microseconds after `start`, or [`CLIENTS_TURN`].
    waiting_for_function_since: AtomicU64,
    failure: OnceLock<RequestBodyError>,
}

const CLIENTS_TURN: u64 = u64::MAX;

impl Upload {
    pub(crate) fn new(body: RequestBody, idle: Duration) -> (Self, Arc<Progress>) {
        let progress = Arc::new(Progress {
            start: Instant::now(),
            waiting_for_function_since: AtomicU64::new(0),
            failure: OnceLock::new(),
        });
        (Self { body, idle: IdleTimer::new(idle), progress: progress.clone() }, progress)
    }
}

impl Progress {
    /// Since when the function has had all that the client has sent; `None` while the client owes the
    /// next piece of the body.
    pub(crate) fn waiting_for_function_since(&self) -> Option<Instant> {
        match self.waiting_for_function_since.load(Ordering::Relaxed) {
            CLIENTS_TURN => None,
            micros => Some(self.start + Duration::from_micros(micros)),
        }
    }

    /// Why the body broke off, when it did.
    pub(crate) fn failure(&self) -> Option<RequestBodyError> {
        self.failure.get().cloned()
    }

    fn functions_turn(&self) {
        let micros = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(CLIENTS_TURN);
        self.waiting_for_function_since.store(micros, Ordering::Relaxed);
    }

    fn clients_turn(&self) {
        self.waiting_for_function_since.store(CLIENTS_TURN, Ordering::Relaxed);
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = RequestBodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        let this = &mut *self;
        let failure = match Pin::new(&mut this.body).poll_frame(context) {
            Poll::Ready(None) => {
                this.progress.functions_turn();
                return Poll::Ready(None);
            }
            Poll::Ready(Some(Ok(frame))) => {
                this.progress.functions_turn();
                this.idle.stop();
                return Poll::Ready(Some(Ok(frame)));
            }
            Poll::Ready(Some(Err(error))) => RequestBodyError::Broken(Arc::from(error)),
            Poll::Pending => {
                this.progress.clients_turn();
                if this.idle.poll_elapsed(context).is_pending() {
                    return Poll::Pending;
                }
                RequestBodyError::Timeout
            }
        };
        // Only the first failure can be kept, and it is the one that counts.
        let _ = this.progress.failure.set(failure.clone());
        Poll::Ready(Some(Err(failure)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Upload {
    /// The connection lets go of a body when it has sent all of it; one without pieces it never polls.
    fn drop(&mut self) {
        self.progress.functions_turn();
    }
}
