//! HTTP/2 to functions, for gRPC.
//!
//! The function must see the authority that the client asked for as `:authority`, and only there.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use claimgate_config::reach::Reach;
use claimgate_config::snapshot::Timeouts;
use http::header::{CONTENT_TYPE, HOST};
use http::uri::{Authority, Scheme};
use http::{Request, Response, Uri, Version};
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::time::{Instant, sleep_until, timeout};

use crate::body::response::ResponseBody;
use crate::body::upload::{Progress, Upload};
use crate::connect::{Connector, Protocol};
use crate::error::InvokeError;
use crate::fields::Fields;
use crate::{message, url};

/// A connection that no request has used for so long is no longer used:
/// a firewall on the way may have forgotten it.
const KEEP_ALIVE: Duration = Duration::from_secs(90);

/// All fields of an answer's header together, in bytes.
const MAX_HEADER_LIST: u32 = 64 * 1024;

/// HTTP/2 to functions, over one connection to each.
#[derive(Clone, Debug)]
pub(crate) struct Http2 {
    connector: Connector,
    slots: Arc<Mutex<HashMap<Target, Slot>>>,
}

/// What a connection was opened for.
type Target = (Uri, Reach);

/// A connection, or the place where one is being opened.
#[derive(Debug)]
struct Slot {
    sender: Sender,
    used: Instant,
}

type Sender = Arc<tokio::sync::Mutex<Option<SendRequest<Upload>>>>;

/// Whether a request is gRPC and so needs HTTP/2. gRPC-Web, whose name begins alike, does not.
pub(crate) fn is_grpc(fields: &Fields) -> bool {
    const GRPC: &[u8] = b"application/grpc";
    let Some((start, rest)) = fields.get(&CONTENT_TYPE).and_then(|value| value.split_at_checked(GRPC.len()))
    else {
        return false;
    };
    start.eq_ignore_ascii_case(GRPC) && matches!(rest.first(), None | Some(b'+' | b';' | b' '))
}

impl Http2 {
    pub(crate) fn new(connector: Connector) -> Self {
        Self { connector, slots: Arc::default() }
    }

    /// Sends a request, whose URI is absolute.
    pub(crate) async fn send(
        &self,
        request: message::Request,
        reach: Reach,
        timeouts: &Timeouts,
    ) -> Result<message::Response, InvokeError> {
        let (parts, body) = Request::from(request).into_parts();
        let (upload, progress) = Upload::new(body, timeouts.idle);
        let request = Request::from_parts(parts, upload);
        let address = (url::address(request.uri())?, reach);
        let answer = self.exchange(&address, request, timeouts.connect);
        match answer_head(answer, &progress, timeouts.first_byte).await {
            Ok(answer) => {
                let (head, body) = answer.into_parts();
                Ok(message::Response {
                    status: head.status,
                    fields: Fields::from(&head.headers),
                    body: ResponseBody::http2(body, timeouts.idle),
                })
            }
            Err(error) => {
                if let InvokeError::FirstByteTimeout = error {
                    self.forget(&address);
                }
                // A body that broke off makes hyper give up the request, which says nothing of the function.
                Err(progress.failure().map_or(error, InvokeError::RequestBody))
            }
        }
    }

    async fn exchange(
        &self,
        address: &Target,
        mut request: Request<Upload>,
        connect_timeout: Duration,
    ) -> Result<Response<Incoming>, InvokeError> {
        name_authority(&mut request)?;
        let mut repeated = false;
        loop {
            let mut sender = self.sender(address, connect_timeout).await?;
            let mut error = match sender.try_send_request(request).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            // A request that comes back was not written: the connection was closing.
            match error.take_message() {
                Some(unsent) if !repeated => request = unsent,
                _ => return Err(classify(error.into_error())),
            }
            repeated = true;
        }
    }

    /// Makes the next request to an address use a new connection: this one may be dead without having
    /// been closed. Answers that are under way on it go on.
    fn forget(&self, address: &Target) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).remove(address);
    }

    async fn sender(&self, address: &Target, limit: Duration) -> Result<SendRequest<Upload>, InvokeError> {
        let slot = self.slot(address);
        let open = async {
            let mut sender = slot.lock().await;
            if let Some(sender) = sender.as_ref().filter(|sender| !sender.is_closed()) {
                return Ok(sender.clone());
            }
            let opened = self.open(address, limit).await?;
            *sender = Some(opened.clone());
            Ok(opened)
        };
        // Those who wait for another one's attempt have no more time than that one.
        timeout(limit, open).await.unwrap_or(Err(InvokeError::ConnectTimeout))
    }

    /// The slot of an address; slots that were not used for long are dropped by the way.
    fn slot(&self, address: &Target) -> Sender {
        let now = Instant::now();
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|_, slot| now.duration_since(slot.used) < KEEP_ALIVE);
        let slot = slots.entry(address.clone()).or_insert_with(|| Slot { sender: Arc::default(), used: now });
        slot.used = now;
        slot.sender.clone()
    }

    async fn open(&self, address: &Target, limit: Duration) -> Result<SendRequest<Upload>, InvokeError> {
        let stream = self.connector.connect(&address.0, address.1, Protocol::Http2, limit).await?;
        let (sender, connection) = Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_header_list_size(MAX_HEADER_LIST)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(classify)?;
        // How the connection ends is told to the requests on it.
        tokio::spawn(connection);
        Ok(sender)
    }
}

/// Waits for the answer's head until the function has had nothing to wait for for `limit`.
async fn answer_head(
    answer: impl Future<Output = Result<Response<Incoming>, InvokeError>>,
    progress: &Progress,
    limit: Duration,
) -> Result<Response<Incoming>, InvokeError> {
    let mut answer = std::pin::pin!(answer);
    let mut alarm = std::pin::pin!(sleep_until(Instant::now() + limit));
    loop {
        tokio::select! {
            biased;
            answer = &mut answer => return answer,
            () = &mut alarm => {}
        }
        let now = Instant::now();
        let deadline = progress.waiting_for_function_since().unwrap_or(now) + limit;
        if deadline <= now {
            return Err(InvokeError::FirstByteTimeout);
        }
        alarm.as_mut().reset(deadline);
    }
}

/// Makes the `Host` header the `:authority`, and leaves no second name of the authority
/// (RFC 9113 section 8.3.1).
fn name_authority(request: &mut Request<Upload>) -> Result<(), InvokeError> {
    let host = request.headers_mut().remove(HOST);
    let host = host.and_then(|host| Authority::try_from(host.as_bytes()).ok());
    let uri = request.uri();
    let (scheme, own) = match uri.scheme_str() {
        Some("https") => (Scheme::HTTPS, uri.authority().cloned()),
        Some("http") => (Scheme::HTTP, uri.authority().cloned()),
        _ => (Scheme::HTTP, None),
    };
    let authority = host.or(own).unwrap_or_else(|| Authority::from_static("localhost"));
    *request.uri_mut() = url::with_authority(uri, scheme, authority)?;
    *request.version_mut() = Version::HTTP_2;
    Ok(())
}

fn classify(error: hyper::Error) -> InvokeError {
    match error.source().and_then(|source| source.downcast_ref::<h2::Error>()) {
        // Found on this side: most often the function speaks HTTP/1.1 only.
        Some(found) if found.is_library() => InvokeError::InvalidAnswer(Arc::new(error)),
        _ => InvokeError::Closed(Arc::new(error)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use http::HeaderValue;

    use super::*;

    #[test]
    fn tells_grpc_by_its_content_type() {
        let cases = [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("Application/GRPC; x=y", true),
            ("application/grpc-web", false),
            ("application/grpc-web+proto", false),
            ("application/grp", false),
            ("application/json", false),
            ("text/application/grpc", false),
        ];
        for (content_type, grpc) in cases {
            let mut fields = Fields::default();
            fields.append(&CONTENT_TYPE, &HeaderValue::from_static(content_type));
            assert_eq!(is_grpc(&fields), grpc, "{content_type}");
        }
        assert!(!is_grpc(&Fields::default()));
    }
}
