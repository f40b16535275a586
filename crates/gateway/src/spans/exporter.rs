//! Sends spans to a collector.

use std::time::Duration;

use bytes::Bytes;
use claimgate_config::snapshot::{Function, Timeouts};
use claimgate_functions::{Fields, Functions, InvokeError, ProcessFunctions, RequestBody};
use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Uri, Version};
use http_body_util::BodyExt;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::{Request, otlp};
use crate::metrics::SpanMetrics;

/// How long requests gather, and how many at most, before they are sent.
const GATHER: Duration = Duration::from_secs(1);
const BATCH: usize = 512;

/// How long one message may take as a whole.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Where spans are sent to.
#[derive(Debug)]
pub struct Collector {
    /// It is reached like a function.
    pub function: Function,
    /// The host of its URL.
    pub host: HeaderValue,
    /// What is sent with each message, credentials most often.
    pub headers: HeaderMap,
    /// `service.name`.
    pub service: String,
}

/// Exports until it is told to end, and then what is left.
pub(super) async fn run(
    collector: Collector,
    functions: Functions,
    mut requests: mpsc::Receiver<Request>,
    mut end: oneshot::Receiver<()>,
    metrics: SpanMetrics,
) {
    let mut is_failing = false;
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        tokio::select! {
            biased;
            _ = &mut end, if !requests.is_closed() => requests.close(),
            received = requests.recv_many(&mut batch, BATCH) => {
                if received == 0 {
                    return;
                }
                gather(&mut requests, &mut batch, &mut end).await;
                let count = u64::try_from(batch.len()).unwrap_or(u64::MAX);
                match collector.send(&functions, &batch).await {
                    Ok(()) => is_failing = false,
                    Err(error) => {
                        // Once, and not for each message while the collector is away.
                        if !is_failing {
                            let error = &error as &dyn std::error::Error;
                            tracing::warn!(error, "cannot export spans, they are dropped");
                        }
                        is_failing = true;
                        metrics.count_dropped(count);
                    }
                }
                metrics.count_exported(if is_failing { 0 } else { count });
                batch.clear();
            }
        }
    }
}

/// Takes more requests, for a while or until there are many.
async fn gather(
    requests: &mut mpsc::Receiver<Request>,
    batch: &mut Vec<Request>,
    end: &mut oneshot::Receiver<()>,
) {
    let until = tokio::time::sleep(GATHER);
    tokio::pin!(until);
    while batch.len() < BATCH {
        tokio::select! {
            biased;
            _ = &mut *end, if !requests.is_closed() => requests.close(),
            received = requests.recv_many(batch, BATCH - batch.len()) => {
                if received == 0 {
                    return;
                }
            }
            () = &mut until => return,
        }
    }
}

/// Why spans were not taken.
#[derive(Debug, thiserror::Error)]
enum ExportError {
    #[error(transparent)]
    Unreachable(#[from] InvokeError),
    #[error("the collector answered {0}")]
    Status(http::StatusCode),
    #[error("the collector did not answer in time")]
    Timeout,
}

impl Collector {
    async fn send(&self, functions: &Functions, requests: &[Request]) -> Result<(), ExportError> {
        let body = Bytes::from(otlp::export(requests, &self.service));
        let mut fields = Fields::from(&self.headers);
        fields.insert(&HOST, &self.host);
        fields.insert(&CONTENT_TYPE, &HeaderValue::from_static("application/x-protobuf"));
        fields
            .insert(&USER_AGENT, &HeaderValue::from_static(concat!("claimgate/", env!("CARGO_PKG_VERSION"))));
        let request = claimgate_functions::Request {
            method: Method::POST,
            uri: Uri::from(PathAndQuery::from_static("/v1/traces")),
            version: Version::HTTP_11,
            fields,
            body: RequestBody::from(body),
        };
        let timeouts = Timeouts::default();
        let answered = async {
            let response = functions
                .invoke(&self.function, &ProcessFunctions::default(), request, &timeouts, Instant::now())
                .await?;
            // Read, so that the connection serves the next message; what it says does not matter.
            let _ = http_body_util::Limited::new(response.body, 64 * 1024).collect().await;
            if response.status.is_success() { Ok(()) } else { Err(ExportError::Status(response.status)) }
        };
        tokio::time::timeout(TIMEOUT, answered).await.unwrap_or(Err(ExportError::Timeout))
    }
}
