//! HTTP/1.1 to functions.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderValue, Method, Request, Response, Uri, Version};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower_service::Service;

use crate::body::request::RequestBody;
use crate::body::upload::Upload;
use crate::connect::{Connector, Protocol, Stream};
use crate::error::InvokeError;

/// How long a connection is kept without a request. Node's and uvicorn's servers close theirs after
/// five seconds; a request that meets the closing is lost.
const KEEP_ALIVE: Duration = Duration::from_secs(4);

/// HTTP/1.1 to functions, over kept connections.
#[derive(Clone, Debug)]
pub(crate) struct Http1 {
    client: Client<PoolConnector, Upload>,
}

/// Opens the connections that the pool asks for.
#[derive(Clone, Debug)]
struct PoolConnector(Connector);

tokio::task_local! {
    /// The pool passes nothing but an address to its connector. The connector is called within the
    /// request's own task, so the request's limit travels by that way.
    static CONNECT_TIMEOUT: Duration;
}

impl Http1 {
    pub(crate) fn new(connector: Connector) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(KEEP_ALIVE)
            .set_host(false)
            .retry_canceled_requests(true)
            .build(PoolConnector(connector));
        Self { client }
    }

    /// Sends a request, whose URI is absolute and whose headers tell the length of its body.
    pub(crate) async fn send(
        &self,
        mut request: Request<Upload>,
        connect_timeout: Duration,
    ) -> Result<Response<Incoming>, InvokeError> {
        *request.version_mut() = Version::HTTP_11;
        CONNECT_TIMEOUT.scope(connect_timeout, self.client.request(request)).await.map_err(classify)
    }
}

impl Service<Uri> for PoolConnector {
    type Response = Stream;
    type Error = InvokeError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, InvokeError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), InvokeError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, address: Uri) -> Self::Future {
        let timeout = CONNECT_TIMEOUT.try_with(|timeout| *timeout).unwrap_or(Duration::MAX);
        let connector = self.0.clone();
        Box::pin(async move { connector.connect(&address, Protocol::Http1, timeout).await })
    }
}

/// Makes the header tell the length that the body has. Were it another one, the function would take the
/// rest of this body for a request, or the next request for the rest of this body.
pub(crate) fn frame_body(request: &mut Request<RequestBody>) {
    let length = request.body().size_hint().exact();
    let needs_length = matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH);
    let headers = request.headers_mut();
    headers.remove(TRANSFER_ENCODING);
    match length {
        Some(0) if !needs_length && !headers.contains_key(CONTENT_LENGTH) => {}
        Some(length) => {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        None => {
            headers.remove(CONTENT_LENGTH);
            headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
    }
}

fn classify(error: legacy::Error) -> InvokeError {
    let source = error.source();
    if let Some(error) = source.and_then(|source| source.downcast_ref::<InvokeError>()) {
        return error.clone();
    }
    match source.and_then(|source| source.downcast_ref::<hyper::Error>()) {
        Some(answer) if answer.is_parse() => InvokeError::InvalidAnswer(Arc::new(error)),
        _ => InvokeError::Closed(Arc::new(error)),
    }
}
