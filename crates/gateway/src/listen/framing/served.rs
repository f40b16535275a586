//! What the stream and the service on the two sides of hyper tell each other.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use bytes::Bytes;
use claimgate_functions::ResponseBody;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;

use super::refusal::Refusal;
use crate::gateway::Gateway;
use crate::headers::REQUEST_ID;
use crate::request_id::RequestId;
use crate::request_path::Worker;
use crate::respond::error_body;

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
    /// Answers a request, or what stands in for one that was refused.
    pub async fn answer(
        &self,
        worker: &Worker,
        request: Request<Incoming>,
        client: IpAddr,
    ) -> Response<ResponseBody> {
        let number = {
            let mut state = self.state();
            state.begun += 1;
            match state.refused {
                Some((number, refusal)) if number == state.begun => {
                    drop(state);
                    return refuse(&worker.gateway, refusal, client);
                }
                _ => state.begun,
            }
        };
        let response = worker.answer(request, client).await;
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

/// The answer to a refused head, counted and logged like every other.
fn refuse(gateway: &Gateway, refusal: Refusal, client: IpAddr) -> Response<ResponseBody> {
    let id = RequestId::now();
    gateway.metrics().count_request("", "refused", refusal.reason());
    tracing::info!(
        // Whoever filters log lines finds those of all requests together.
        target: "claimgate_gateway::request_path",
        request_id = %id,
        client = %client,
        method = "",
        domain = "",
        path = "",
        route = "",
        function = "",
        status = refusal.status().as_u16(),
        outcome = "refused",
        reason = refusal.reason(),
        duration_us = 0,
        authenticate_us = 0,
        function_us = 0,
        "request"
    );
    let body = error_body(&id, refusal.code(), &refusal.to_string());
    let mut response = Response::new(Bytes::from(body).into());
    *response.status_mut() = refusal.status();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(REQUEST_ID.clone(), id.to_header_value());
    response
}
