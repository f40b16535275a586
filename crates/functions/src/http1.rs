//! HTTP/1.1 to functions, over kept connections.
//!
//! Whoever waits for an answer drives its connection himself: there is no task for each connection that
//! a request would be handed over to and an answer back from, which takes a good part of a request's
//! time. So the codec is here too; `httparse` reads what the functions send.

mod connection;
mod framing;
pub(crate) mod head;
mod outgoing;
mod pool;
#[cfg(test)]
mod tests;

use std::future::poll_fn;
use std::task::{Poll, ready};
use std::time::Duration;

use claimgate_config::reach::Reach;
use claimgate_config::snapshot::Timeouts;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderValue, Method, StatusCode, Uri};
use http_body::Body;
use tokio::time::Instant;

use crate::body::request::RequestBody;
use crate::body::response::ResponseBody;
use crate::connect::{Connector, Protocol};
use crate::error::InvokeError;
use crate::message::{Request, Response};
pub(crate) use connection::Connection;
use connection::Failure;
pub use connection::Upgraded;
use head::Answer;
use outgoing::{BodyFraming, Outgoing};
use pool::{Pool, Slot};

/// HTTP/1.1 to functions. Clones share their connections.
#[derive(Clone, Debug)]
pub(crate) struct Http1 {
    connector: Connector,
    pool: Pool,
}

impl Http1 {
    pub(crate) fn new(connector: Connector) -> Self {
        Self { connector, pool: Pool::default() }
    }

    /// Sends a request, whose URI is in origin form, to an address: a URI's scheme and authority.
    ///
    /// A request of which nothing could be written goes to the next connection. One that was written and
    /// got no answer is sent once more when it is idempotent and has no body.
    pub(crate) async fn send(
        &self,
        address: &Uri,
        reach: Reach,
        base_path: &str,
        mut request: Request,
        timeouts: &Timeouts,
        mut now: Instant,
    ) -> Result<Response, InvokeError> {
        let framing = frame_body(&mut request);
        let body = std::mem::replace(&mut request.body, RequestBody::empty());
        let mut is_repeatable =
            request.method.is_idempotent() && body.is_end_stream() && !request.fields.contains(&UPGRADE);
        let mut outgoing = Outgoing::new(head::write(&request, base_path), body, framing, timeouts.idle, now);
        let slot = self.pool.slot(address, reach);
        let mut kept = pool::take(&slot);
        loop {
            let is_kept = kept.is_some();
            let mut connection = match kept {
                Some(connection) => connection,
                // Apart: it needs a lot of memory, which requests on kept connections need not move around.
                None => Box::pin(self.connect(address, reach, &slot, timeouts.connect)).await?,
            };
            connection.begin(outgoing, &request.method);
            let failure = match answer_head(&mut connection, now, timeouts.first_byte).await {
                Ok(answer) => return Ok(with_body(answer, connection, timeouts.idle)),
                Err(failure) => failure,
            };
            now = Instant::now();
            (outgoing, kept) = match failure {
                Failure::Closed { unsent: Some(unsent), .. } if is_kept => (*unsent, pool::take(&slot)),
                Failure::Closed { .. } if is_repeatable => {
                    is_repeatable = false;
                    let (head, body) = (head::write(&request, base_path), RequestBody::empty());
                    (Outgoing::new(head, body, BodyFraming::Length(0), timeouts.idle, now), None)
                }
                failure => return Err(failure.into()),
            };
        }
    }

    async fn connect(
        &self,
        address: &Uri,
        reach: Reach,
        slot: &Slot,
        limit: Duration,
    ) -> Result<Box<Connection>, InvokeError> {
        let stream = self.connector.connect(address, reach, Protocol::Http1, limit).await?;
        Ok(Box::new(Connection::new(stream, Slot::clone(slot))))
    }
}

/// Waits for the answer's head until the function has had nothing to wait for for `limit`.
async fn answer_head(
    connection: &mut Connection,
    start: Instant,
    limit: Duration,
) -> Result<Answer, Failure> {
    connection.alarm.as_mut().reset(start + limit);
    poll_fn(|context| {
        loop {
            if let Poll::Ready(answer) = connection.poll_answer(context) {
                return Poll::Ready(answer);
            }
            ready!(connection.alarm.as_mut().poll(context));
            let now = Instant::now();
            let deadline = connection.waiting_for_function_since().unwrap_or(now) + limit;
            if deadline <= now {
                return Poll::Ready(Err(Failure::FirstByteTimeout));
            }
            connection.alarm.as_mut().reset(deadline);
        }
    })
    .await
}

fn with_body(answer: Answer, connection: Box<Connection>, idle: Duration) -> Response {
    let Answer { status, fields } = answer;
    let body = if status == StatusCode::SWITCHING_PROTOCOLS {
        ResponseBody::upgraded(connection.into_upgraded())
    } else {
        ResponseBody::http1(connection, idle)
    };
    Response { status, fields, body }
}

/// Makes the header tell the length that the body has. Were it another one, the function would take the
/// rest of this body for a request, or the next request for the rest of this body.
pub(crate) fn frame_body(request: &mut Request) -> BodyFraming {
    let length = request.body.size_hint().exact();
    let needs_length = matches!(request.method, Method::POST | Method::PUT | Method::PATCH);
    let fields = &mut request.fields;
    fields.remove(&TRANSFER_ENCODING);
    match length {
        Some(0) if !needs_length && !fields.contains(&CONTENT_LENGTH) => BodyFraming::Length(0),
        Some(length) => {
            fields.insert(&CONTENT_LENGTH, &HeaderValue::from(length));
            BodyFraming::Length(length)
        }
        None => {
            fields.remove(&CONTENT_LENGTH);
            fields.append(&TRANSFER_ENCODING, &HeaderValue::from_static("chunked"));
            BodyFraming::Chunked
        }
    }
}
