//! What the stream and the service on the two sides of hyper tell each other.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use claimgate_functions::ResponseBody;
use http::{Response, StatusCode};

use crate::refusal::Refusal;

/// The requests of one connection as the service sees them. HTTP/1.1 serves them one by one in their
/// order, so that counting on both sides tells which is which; HTTP/2 is not refused here and does not
/// switch.
#[derive(Debug, Clone, Default)]
pub struct Served(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    begun: u64,
    refused: Option<(u64, Refusal)>,
    answered: Option<(u64, bool)>,
    waiting: Option<Waker>,
}

impl Served {
    /// Has a request answered; with a refusal it only stands in for one that could not be read.
    pub async fn answer<Answer: Future<Output = Response<ResponseBody>>>(
        &self,
        answer: impl FnOnce(Option<Refusal>) -> Answer,
    ) -> Response<ResponseBody> {
        let (number, refusal) = {
            let mut state = self.state();
            state.begun += 1;
            let refusal = state.refused.filter(|(number, _)| *number == state.begun);
            (state.begun, refusal.map(|(_, refusal)| refusal))
        };
        let response = answer(refusal).await;
        self.note_answer(number, response.status());
        response
    }

    /// From now on a stand-in with this number, counted from 1, is on its way.
    pub(super) fn note_refusal(&self, number: u64, refusal: Refusal) {
        self.state().refused = Some((number, refusal));
    }

    pub(super) fn note_answer(&self, number: u64, status: StatusCode) {
        let mut state = self.state();
        state.answered = Some((number, status == StatusCode::SWITCHING_PROTOCOLS));
        if let Some(waker) = state.waiting.take() {
            waker.wake();
        }
    }

    /// Whether the answer to a request switches protocols; wakes when that is decided.
    pub(super) fn switches(&self, number: u64, waker: &Waker) -> Option<bool> {
        let mut state = self.state();
        match state.answered {
            Some((answered, switches)) if answered == number => Some(switches),
            _ => {
                state.waiting = Some(waker.clone());
                None
            }
        }
    }

    #[cfg(test)]
    pub(super) fn refusal(&self) -> Option<(u64, Refusal)> {
        self.state().refused
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
