//! HTTP/2 with clients.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use claimgate_config::snapshot::{GatewaySettings, Timeouts};
use claimgate_functions::{RequestBody, ResponseBody, ResponseBodyError, Upgraded};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::time::Instant;

use super::ending::Ending;
use crate::client::Client;
use crate::exchange::{Answered, Logged};
use crate::request_path::Worker;

/// How long a client may take to acknowledge that it gets no more answers.
const FAREWELL: Duration = Duration::from_secs(2);

/// Serves a connection to its end. When the gateway stops it takes no more requests.
pub async fn serve(
    worker: Arc<Worker>,
    stream: Upgraded,
    client: Client,
    settings: &GatewaySettings,
    ending: Ending,
) {
    let limits = &settings.limits;
    // Wider than the configured limits, which are judged behind it: hyper's own answers have no body.
    let head_bytes = (limits.header_bytes + limits.request_line_bytes) * 2;
    let mut server = http2::Builder::new(TokioExecutor::new());
    server
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(head_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(u32::try_from(limits.http2_streams).unwrap_or(u32::MAX));
    let activity = Arc::new(Activity::default());
    let address = client.clone();
    let service = {
        let activity = Arc::clone(&activity);
        service_fn(move |request: http::Request<Incoming>| {
            let (worker, client, open) = (Arc::clone(&worker), client.clone(), Activity::open(&activity));
            async move {
                let request = request.map(RequestBody::stream).into();
                let answer = open.answering(worker.answer(Ok(request), None, &client)).await;
                let Answered { response, logged } = answer;
                let response = http::Response::from(response);
                Ok::<_, Infallible>(response.map(|body| Watched { body, open, worker, logged }))
            }
        })
    };
    let mut connection = pin!(server.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = ending.leaving.cancelled() => {
            // Tells the client which of its requests are still answered (RFC 9113, 6.8).
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = &mut connection => ended,
                () = activity.ends(&ending) => return,
            }
        }
        () = activity.ceases(&settings.timeouts) => {
            connection.as_mut().graceful_shutdown();
            // A client that does not take what is there for it is not waited for.
            let _ = tokio::time::timeout(FAREWELL, connection).await;
            return;
        }
    };
    if let Err(error) = ended {
        tracing::debug!(
            client = address.as_str(),
            error = &error as &dyn std::error::Error,
            "a connection broke"
        );
    }
}

/// Whether anything goes on on a connection. hyper looks for no more than whether the client is there.
#[derive(Debug, Default)]
struct Activity {
    /// Requests that have begun, heads of answers and pieces of their bodies that were taken.
    moves: AtomicU64,
    /// Requests whose answer has not ended.
    open: AtomicUsize,
    /// Those of them whose answer has not begun, which other times limit.
    unanswered: AtomicUsize,
}

impl Activity {
    fn open(this: &Arc<Self>) -> Open {
        this.open.fetch_add(1, Ordering::Relaxed);
        this.moves.fetch_add(1, Ordering::Relaxed);
        Open(Arc::clone(this))
    }

    /// Waits until a client without requests has had its time to acknowledge the end.
    async fn ends(&self, ending: &Ending) {
        ending.stop.cancelled().await;
        while self.open.load(Ordering::Relaxed) > 0 {
            tokio::time::sleep(FAREWELL / 10).await;
        }
        tokio::time::sleep(FAREWELL).await;
    }

    /// Waits until nothing has gone on for `header_read` on a connection without requests, as in HTTP/1.1, or
    /// for `idle` on one whose client takes no answers.
    async fn ceases(&self, timeouts: &Timeouts) {
        let (mut moves, mut since) = (0, Instant::now());
        loop {
            tokio::time::sleep(timeouts.header_read.min(timeouts.idle)).await;
            let now = self.moves.load(Ordering::Relaxed);
            if now != moves || self.unanswered.load(Ordering::Relaxed) > 0 {
                (moves, since) = (now, Instant::now());
                continue;
            }
            let is_open = self.open.load(Ordering::Relaxed) > 0;
            if since.elapsed() >= if is_open { timeouts.idle } else { timeouts.header_read } {
                return;
            }
        }
    }
}

/// A request whose answer has not ended.
#[derive(Debug)]
struct Open(Arc<Activity>);

impl Open {
    async fn answering<T>(&self, answer: impl Future<Output = T>) -> T {
        let _unanswered = Unanswered::new(&self.0);
        answer.await
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
        self.0.moves.fetch_add(1, Ordering::Relaxed);
    }
}

/// Dropped when the answer begins, or when the client has reset the stream.
struct Unanswered<'a>(&'a Activity);

impl<'a> Unanswered<'a> {
    fn new(activity: &'a Activity) -> Self {
        activity.unanswered.fetch_add(1, Ordering::Relaxed);
        Self(activity)
    }
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        self.0.unanswered.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The body of an answer, each piece of which is a sign of life.
struct Watched {
    body: ResponseBody,
    open: Open,
    worker: Arc<Worker>,
    logged: Logged,
}

impl Body for Watched {
    type Data = Bytes;
    type Error = ResponseBodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ResponseBodyError>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if frame.is_ready() {
            self.open.0.moves.fetch_add(1, Ordering::Relaxed);
        }
        if let Poll::Ready(Some(Err(error))) = &frame {
            self.logged.broke_off(&self.worker, error.reason(), error);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
