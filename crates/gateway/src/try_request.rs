//! Tells what the gateway would do with a request, without serving it.

use std::future::poll_fn;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use claimgate_functions::{InvokeError, Request, RequestBodyError, outgoing};
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http_body_util::BodyExt;

use crate::authority::Authority;
use crate::client::{Client, Origin};
use crate::gateway::Serving;
use crate::listen::{Connection, Received};
use crate::rejection::Rejection;
use crate::request_id::RequestId;
use crate::request_path::{Prepared, prepare};
use crate::trace::{Collector, Sent, Trace};
use crate::transport::Transport;
use crate::verify::Verifier;

/// A request as a client means to send it. Nothing of it was judged.
#[derive(Debug, Clone, Default)]
pub struct TryRequest {
    /// The method.
    pub method: String,
    /// What stands between method and version, most often path and query.
    pub target: String,
    /// Names and values; `Host` is not added.
    pub headers: Vec<(String, String)>,
    /// Whether it is sent over plain HTTP even where its domain is served over HTTPS.
    pub over_http: bool,
    /// The body; its length is added unless a header tells how the body is framed.
    pub body: Option<Vec<u8>>,
}

/// Tells what the gateway would do with a request at the time `now`, counted from the Unix epoch.
///
/// The request is written as HTTP/1.1 and read, judged and prepared by the very code that serves
/// connections; no function is called. A body that is shorter than the headers say counts as broken off.
/// It needs a Tokio runtime with time, and with I/O where keys are fetched.
///
/// `None` when the connection ends without an answer, which no request is known to bring about.
pub async fn try_request(serving: &Serving, request: &TryRequest, now: Duration) -> Option<Trace> {
    let stream = tokio::io::join(std::io::Cursor::new(request.to_http1()), tokio::io::sink());
    let connection = Connection::new(Box::new(stream), serving.snapshot.gateway.limits.clone());
    let over_http = request.over_http;
    let request = match poll_fn(|cx| connection.poll_request(cx)).await {
        Received::Request(request) => {
            let (parts, head) = *request;
            Ok(parts.with_body(connection.body(&head)))
        }
        Received::Refused(refusal) => Err(refusal),
        Received::Http2 | Received::End => return None,
    };
    let mut collector = Collector::new(&serving.snapshot, now);
    let result = match request {
        Err(refusal) => Err(refusal.into()),
        Ok(request) => prepare_whole(serving, request, over_http, now, &mut collector).await,
    };
    Some(collector.finish(result))
}

/// Gives what the function would be sent; `None` when the gateway answers the request itself.
async fn prepare_whole<'s>(
    serving: &'s Serving,
    request: Request,
    over_http: bool,
    now: Duration,
    collector: &mut Collector<'s>,
) -> Result<Option<Sent>, Rejection> {
    let transport = if over_http { Transport::HTTP } else { transport(serving, &request) };
    let client = Client::new(IpAddr::V4(Ipv4Addr::LOCALHOST), transport);
    let origin = Origin::of(&client, &request.fields, &serving.snapshot.gateway.trusted_proxies);
    let uri = request.uri.clone();
    let prepared =
        prepare(serving, &Verifier::bare(), request, &uri, &origin, &RequestId::next(now), now, collector)
            .await?;
    let Some(Prepared { route, request, .. }) = prepared else { return Ok(None) };
    let (head, body) = outgoing(&route.function, request)?;
    let broken = |error| InvokeError::RequestBody(RequestBodyError::Broken(Arc::from(error)));
    Ok(Some(Sent { head, body: body.collect().await.map_err(broken)?.to_bytes() }))
}

/// What the domain of a request is served over, with the connection opened for its host.
fn transport(serving: &Serving, request: &Request) -> Transport {
    let Ok(Authority { host, .. }) = Authority::of(request) else { return Transport::HTTP };
    match serving.snapshot.domains.find(&host) {
        Some(domain) if domain.tls.is_some() => Transport::Https { server_name: host.into() },
        _ => Transport::HTTP,
    }
}

impl TryRequest {
    /// As it goes over the wire.
    fn to_http1(&self) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        let has = |wanted: &str| self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
        let chunked = has(TRANSFER_ENCODING.as_str());
        if let Some(body) = &self.body
            && !chunked
            && !has(CONTENT_LENGTH.as_str())
        {
            bytes.extend_from_slice(format!("content-length: {}\r\n", body.len()).as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        match &self.body {
            Some(body) if chunked => {
                if !body.is_empty() {
                    bytes.extend_from_slice(format!("{:x}\r\n", body.len()).as_bytes());
                    bytes.extend_from_slice(body);
                    bytes.extend_from_slice(b"\r\n");
                }
                bytes.extend_from_slice(b"0\r\n\r\n");
            }
            Some(body) => bytes.extend_from_slice(body),
            None => {}
        }
        bytes
    }
}
