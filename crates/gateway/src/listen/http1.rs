//! HTTP/1.1 with clients, one connection from its first byte to its last.
//!
//! The reader is strict where parsers made for servers forgive (RFC 9112, 11.2): two lengths of one body,
//! line ends of LF alone, and the like. What it refuses is answered behind the answers to earlier requests,
//! as every other request is, and ends the connection.
//!
//! Whoever serves a connection also drives the requests on it: there is no task for each request, and its
//! body is read when the function is ready for it.

mod answer;
mod body;
mod chunked;
mod connection;
mod date;
mod head;
#[cfg(test)]
mod tests;

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use claimgate_config::snapshot::{Limits, Timeouts};
use claimgate_functions::{Request, Upgraded};
use http::{Method, StatusCode, Version};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep};

use super::Stream;
use super::ending::Ending;
use crate::exchange::{Answered, Logged};
use crate::refusal::Refusal;
use answer::{Answer, Asked, Unsent};
pub use connection::{Connection, Received};
use head::Complete;

/// How long and how much of a client's unread bytes are discarded after the last answer. A socket that
/// is closed over unread bytes resets the connection, and that can take the answer from the client
/// (RFC 9112, 9.6).
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 16 * 1024 * 1024;

/// The client's side of a connection, once an answer 101 went out to a request that asks for another
/// protocol. It never comes when the answer is another one.
pub type ClientSide = oneshot::Receiver<Upgraded>;

/// What the connection came to.
#[derive(Debug)]
pub enum End {
    /// It was served to its end.
    Served,
    /// The client speaks HTTP/2; with what it has sent so far.
    Http2(Upgraded),
    /// The last answer did not reach the client whole.
    CutShort(Logged, Unsent),
}

/// Serves a connection until it ends, or the gateway stops and no request is on it.
///
/// `answer` is given each request, or in its place the refusal of one that cannot be read.
pub async fn serve<Answering>(
    stream: Box<dyn Stream>,
    limits: Limits,
    timeouts: &Timeouts,
    ending: &Ending,
    answer: impl Fn(Result<Request, Refusal>, Option<ClientSide>) -> Answering,
) -> End
where
    Answering: Future<Output = Answered>,
{
    let connection = Connection::new(stream, limits);
    let mut stopped = pin!(ending.stop.cancelled());
    let mut late = pin!(sleep(timeouts.header_read));
    let mut text = BytesMut::new();
    loop {
        late.as_mut().reset(Instant::now() + timeouts.header_read);
        let received = poll_fn(|cx| poll_received(&connection, late.as_mut(), stopped.as_mut(), cx)).await;
        let (request, asked) = match received {
            Received::Request(request) => {
                let (parts, head) = *request;
                let asked = Asked { method: parts.method.clone(), head };
                (Ok(parts.with_body(connection.body(&head))), asked)
            }
            Received::Refused(refusal) => (Err(refusal), Asked::nothing()),
            Received::Http2 => return connection.into_stream().map_or(End::Served, End::Http2),
            Received::End => return End::Served,
        };
        let may_be_kept = request.is_ok();
        let (client, client_side) = asked.head.upgrade.then(oneshot::channel).unzip();

        let answered = {
            let mut answering = pin!(answer(request, client_side));
            poll_fn(|cx| match answering.as_mut().poll(cx) {
                Poll::Ready(answered) => Poll::Ready(Some(answered)),
                Poll::Pending => connection.poll_gone(cx).map(|()| None),
            })
            .await
        };
        // A client that has left gets no answer, and its request is given up.
        let Some(Answered { response, logged }) = answered else { return End::Served };

        let switches = response.status == StatusCode::SWITCHING_PROTOCOLS;
        let may_be_kept = may_be_kept && !ending.leaving.is_cancelled();
        let mut answer = Answer::new(response, &asked, may_be_kept, text, timeouts.idle);
        let sent = poll_fn(|cx| match answer.poll_send(&connection, cx) {
            Poll::Ready(sent) => Poll::Ready(Some(sent)),
            Poll::Pending => connection.poll_gone(cx).map(|()| None),
        })
        .await;
        match sent {
            Some(Ok(())) => {}
            Some(Err(why)) => return End::CutShort(logged, why),
            None => return End::Served,
        }
        if switches {
            if let (Some(client), Some(stream)) = (client, connection.into_stream()) {
                // The tunnel is not awaited by anyone when the gateway ends.
                let _ = client.send(stream);
            }
            return End::Served;
        }
        if !(answer.is_kept() && connection.finish_request()) {
            // How the client closes its side changes nothing any more.
            let _ = tokio::time::timeout(LINGER, linger(&connection)).await;
            return End::Served;
        }
        text = answer.into_text();
    }
}

/// Waits for a request as long as its head may take, and for none when the gateway stops.
fn poll_received(
    connection: &Connection,
    late: Pin<&mut Sleep>,
    stopped: Pin<&mut impl Future<Output = ()>>,
    cx: &mut Context<'_>,
) -> Poll<Received> {
    if let Poll::Ready(received) = connection.poll_request(cx) {
        return Poll::Ready(received);
    }
    let is_between = connection.is_between_requests();
    if is_between && stopped.poll(cx).is_ready() {
        return Poll::Ready(Received::End);
    }
    ready!(late.poll(cx));
    Poll::Ready(if is_between { Received::End } else { Received::Refused(Refusal::Late) })
}

/// Ends the connection, and reads what the client has sent and still sends for a while.
async fn linger(connection: &Connection) -> std::io::Result<()> {
    poll_fn(|cx| connection.poll_shutdown(cx)).await?;
    let mut left = LINGER_BYTES;
    while left > 0 {
        match poll_fn(|cx| connection.poll_discard(cx)).await? {
            0 => break,
            length => left = left.saturating_sub(length),
        }
    }
    Ok(())
}

impl Asked {
    /// For what could not be read as a request.
    fn nothing() -> Self {
        let head = Complete {
            length: 0,
            body: head::Body::Length(0),
            upgrade: false,
            expects_continue: false,
            is_kept: false,
            takes_trailers: false,
            version: Version::HTTP_11,
        };
        Self { method: Method::GET, head }
    }
}
