//! How the gateway reaches a function: an HTTP server at a URL or on a unix socket, or the built-in
//! `echo`.
//!
//! [`Functions::invoke`] sends a request whose URI and headers are final and gives back the function's
//! answer, streaming both ways. It leaves the headers as they are, save those that tell the length of the
//! request's body, which always say what the body is, and what HTTP/2 has in place of a header.

mod body;
mod connect;
mod echo;
mod error;
mod http1;
mod http2;
mod tls;
mod url;

use std::time::Duration;

use claimgate_config::snapshot::{Function, FunctionTarget, Timeouts};
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use tokio::time::{Instant, sleep_until};
/// A certificate as X.509 writes it.
pub use tokio_rustls::rustls::pki_types::CertificateDer;

pub use body::request::RequestBody;
pub use body::response::ResponseBody;
pub use error::{InvokeError, RequestBodyError, ResponseBodyError, Source, StartError};

use body::upload::{Progress, Upload};
use connect::Connector;
use http1::Http1;
use http2::Http2;
use tls::Tls;

/// A request as it goes out to a function: with the function's address in the URI, and headers that tell
/// the length of its body, which HTTP/2 and the built-in `echo` have no need of.
///
/// # Errors
/// [`InvokeError::InvalidTarget`], when the function's address and the request's path make no URI.
pub fn outgoing(
    function: &Function,
    request: Request<RequestBody>,
) -> Result<Request<RequestBody>, InvokeError> {
    let mut request = match &function.target {
        FunctionTarget::Url { origin, base_path } => url::join(origin, base_path, request)?,
        FunctionTarget::Unix(path) => url::join(&url::unix_origin(path)?, "", request)?,
        FunctionTarget::Echo => return Ok(request),
    };
    if !http2::is_grpc(request.headers()) {
        http1::frame_body(&mut request);
    }
    Ok(request)
}

/// Reaches functions.
///
/// There is one for the life of the process: its connections stay open across reloads of the
/// configuration, and clones share them.
#[derive(Clone, Debug)]
pub struct Functions {
    http1: Http1,
    http2: Http2,
    root_certificates: usize,
}

impl Functions {
    /// Trusts the root certificates of the system, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR`
    /// name.
    ///
    /// When there are none, functions behind `https` fail with
    /// [`InvokeError::NoRootCertificates`] and all others work; [`Self::root_certificates`] tells.
    ///
    /// # Errors
    /// When TLS itself cannot be set up.
    pub fn new() -> Result<Self, StartError> {
        Self::with_root_certificates(rustls_native_certs::load_native_certs().certs)
    }

    /// Trusts these root certificates alone; those that cannot be read are left out.
    ///
    /// # Errors
    /// When TLS itself cannot be set up.
    pub fn with_root_certificates(
        certificates: impl IntoIterator<Item = CertificateDer<'static>>,
    ) -> Result<Self, StartError> {
        let tls = Tls::new(certificates)?;
        let root_certificates = tls.root_certificates();
        let connector = Connector::new(tls);
        Ok(Self { http1: Http1::new(connector.clone()), http2: Http2::new(connector), root_certificates })
    }

    /// Number of root certificates that `https` functions are verified with.
    pub fn root_certificates(&self) -> usize {
        self.root_certificates
    }

    /// Sends a request to a function and gives back its answer as soon as the answer's head is there.
    ///
    /// The request's URI is in origin form (path and query), and its headers are final. It goes out as
    /// HTTP/1.1, so that an upgrade is possible everywhere; gRPC alone (`content-type:
    /// application/grpc`) goes as HTTP/2, with prior knowledge where there is no TLS, and there the
    /// `Host` header becomes the `:authority`. Trailers of the request are dropped. Interim answers
    /// (1xx) are swallowed, save 101, after which [`hyper::upgrade::on`] gives the connection.
    ///
    /// Three times limit it:
    /// - `timeouts.connect`: name resolution, connection and TLS handshake together.
    /// - `timeouts.first_byte`: begins when the connection has taken the request's head, and again with
    ///   every piece of the body that it takes. It stands still while the client owes the next piece.
    ///   So an upload may last as long as it moves, and a function that stops reading or never answers
    ///   does not hold the request for ever.
    /// - `timeouts.idle`: between two pieces of the request's body from the client, and between two of
    ///   the answer's from the function.
    ///
    /// A request that was not yet written when a kept connection turned out to be closed is sent again
    /// on another one. One that was written and got no answer is sent once more when it has no body and
    /// its method is idempotent (RFC 9110, 9.2.2), since most often the function had just closed a kept
    /// connection. Nothing else is repeated.
    ///
    /// # Errors
    /// [`InvokeError`], when there is no answer head to give back.
    pub async fn invoke(
        &self,
        function: &Function,
        request: Request<RequestBody>,
        timeouts: &Timeouts,
    ) -> Result<Response<ResponseBody>, InvokeError> {
        let request = outgoing(function, request)?;
        match &function.target {
            FunctionTarget::Url { .. } | FunctionTarget::Unix(_) => self.send(request, timeouts).await,
            FunctionTarget::Echo => echo::answer(&function.name, request, timeouts.idle).await,
        }
    }

    async fn send(
        &self,
        request: Request<RequestBody>,
        timeouts: &Timeouts,
    ) -> Result<Response<ResponseBody>, InvokeError> {
        let repeatable = repeatable(&request);
        let answer = self.send_once(request, timeouts).await;
        match (answer, repeatable) {
            (Err(InvokeError::Closed(_)), Some(request)) => self.send_once(request, timeouts).await,
            (answer, _) => answer,
        }
    }

    async fn send_once(
        &self,
        request: Request<RequestBody>,
        timeouts: &Timeouts,
    ) -> Result<Response<ResponseBody>, InvokeError> {
        let (parts, body) = request.into_parts();
        let (upload, progress) = Upload::new(body, timeouts.idle);
        let request = Request::from_parts(parts, upload);
        let answer = if http2::is_grpc(request.headers()) {
            let address = url::address(request.uri())?;
            let answer = self.http2.send(request, timeouts.connect);
            let answer = answer_head(answer, &progress, timeouts.first_byte).await;
            if let Err(InvokeError::FirstByteTimeout) = answer {
                self.http2.forget(&address);
            }
            answer
        } else {
            let answer = self.http1.send(request, timeouts.connect);
            answer_head(answer, &progress, timeouts.first_byte).await
        };
        match answer {
            Ok(answer) => Ok(answer.map(|body| ResponseBody::streaming(body, timeouts.idle))),
            // A body that broke off makes hyper give up the request, which says nothing of the function.
            Err(error) => Err(progress.failure().map_or(error, InvokeError::RequestBody)),
        }
    }
}

/// A copy of a request that may be sent again.
fn repeatable(request: &Request<RequestBody>) -> Option<Request<RequestBody>> {
    let is_upgrade = request.headers().contains_key(http::header::UPGRADE);
    if !request.method().is_idempotent() || !request.body().is_end_stream() || is_upgrade {
        return None;
    }
    let mut copy = Request::new(RequestBody::empty());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
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
