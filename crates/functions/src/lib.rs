//! How the gateway reaches a function: an HTTP server at a URL or on a unix socket, a process that it starts
//! itself, or the built-in `echo`.
//!
//! [`Functions::invoke`] sends a request whose URI and headers are final and gives back the function's
//! answer, streaming both ways. It leaves the headers as they are, save those that tell the length of the
//! request's body, which always say what the body is, and what HTTP/2 has in place of a header.

mod body;
mod connect;
mod echo;
mod error;
mod fields;
mod http1;
mod http2;
mod message;
mod process;
mod tls;
mod url;

use std::time::Duration;

use bytes::Bytes;
use claimgate_config::reach::Reach;
use claimgate_config::snapshot::{Function, FunctionTarget, Timeouts};
use http::Uri;
use tokio::time::Instant;
/// A certificate as X.509 writes it.
pub use tokio_rustls::rustls::pki_types::CertificateDer;

pub use body::request::{BrokenBody, RequestBody};
pub use body::response::ResponseBody;
pub use error::{InvokeError, RequestBodyError, ResponseBodyError, Source, StartError};
pub use fields::{Fields, lists};
pub use http1::Upgraded;
pub use message::{Request, Response};
pub use process::{
    InstanceEnd, InstanceState, NoInstance, OutputLine, ProcessError, ProcessFunctions, ProcessMetrics,
    ProcessState, UserError, can_run, warnings, warnings_as_root,
};

use connect::Connector;
use http1::Http1;
use http2::Http2;
use tls::Tls;

/// A request as [`Functions::invoke`] sends it: its head as it is written, up to the empty line, and its body.
///
/// For gRPC the head is told as HTTP/1.1 would write it, and for the built-in `echo`, which takes requests as
/// they are.
///
/// # Errors
/// [`InvokeError::InvalidTarget`], when the function's address and the path of gRPC make no URI.
pub fn outgoing(function: &Function, mut request: Request) -> Result<(Bytes, RequestBody), InvokeError> {
    let is_grpc = http2::is_grpc(&request.fields);
    let base_path = match &function.target {
        FunctionTarget::Url { origin, base_path } if is_grpc => {
            request.uri = url::join(origin, base_path, &request.uri)?;
            ""
        }
        FunctionTarget::Url { base_path, .. } => base_path,
        FunctionTarget::Process(_) => {
            process::set_fields(&mut request.fields, &function.name);
            ""
        }
        FunctionTarget::Unix(_) | FunctionTarget::Echo | FunctionTarget::Unavailable => "",
    };
    if !is_grpc && function.target != FunctionTarget::Echo {
        http1::frame_body(&mut request);
    }
    Ok((http1::head::write(&request, base_path), request.body))
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
    /// (1xx) are swallowed, save 101, after which [`ResponseBody::into_upgraded`] gives the connection.
    ///
    /// Three times limit it, which begin at `now`, as the caller has just read the clock:
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
    /// A function that is one of `processes` is started when none of its instances has room, and the request
    /// waits for it.
    ///
    /// # Errors
    /// [`InvokeError`], when there is no answer head to give back.
    pub async fn invoke(
        &self,
        function: &Function,
        processes: &ProcessFunctions,
        request: Request,
        timeouts: &Timeouts,
        now: Instant,
    ) -> Result<Response, InvokeError> {
        match &function.target {
            FunctionTarget::Url { origin, base_path } => {
                self.send(origin, function.source.reach, base_path, request, timeouts, now).await
            }
            FunctionTarget::Unix(path) => {
                self.send(&url::unix_origin(path)?, Reach::Everywhere, "", request, timeouts, now).await
            }
            FunctionTarget::Process(_) => {
                Box::pin(self.run(&function.name, processes, request, timeouts)).await
            }
            FunctionTarget::Echo => Box::pin(echo::answer(&function.name, request, timeouts.idle)).await,
            FunctionTarget::Unavailable => Err(InvokeError::Unavailable),
        }
    }

    /// As [`Self::invoke`], but the answer has to be there whole within `limit`.
    ///
    /// # Errors
    /// Those of [`Self::invoke`], and [`InvokeError::ResponseTimeout`]. Once the head was given back, its body
    /// fails.
    pub async fn invoke_within(
        &self,
        limit: Duration,
        function: &Function,
        processes: &ProcessFunctions,
        request: Request,
        timeouts: &Timeouts,
        now: Instant,
    ) -> Result<Response, InvokeError> {
        let deadline = now + limit;
        let answer = self.invoke(function, processes, request, timeouts, now);
        match tokio::time::timeout_at(deadline, answer).await {
            Ok(answer) => {
                let Response { status, fields, body } = answer?;
                Ok(Response { status, fields, body: body.until(deadline) })
            }
            Err(_) => Err(InvokeError::ResponseTimeout),
        }
    }

    /// Sends a request to an instance of a process function, whose place it holds until the answer has ended.
    async fn run(
        &self,
        function: &str,
        processes: &ProcessFunctions,
        mut request: Request,
        timeouts: &Timeouts,
    ) -> Result<Response, InvokeError> {
        let place = processes.place(function).await?;
        process::set_fields(&mut request.fields, function);
        let answer =
            self.send(place.origin(), Reach::Everywhere, "", request, timeouts, Instant::now()).await;
        match &answer {
            Ok(_) => place.note_answer(),
            Err(InvokeError::Connect(_) | InvokeError::Closed(_)) => place.doubt(),
            Err(_) => {}
        }
        let Response { status, fields, body } = answer?;
        Ok(Response { status, fields, body: body.holding(place) })
    }

    async fn send(
        &self,
        address: &Uri,
        reach: Reach,
        base_path: &str,
        request: Request,
        timeouts: &Timeouts,
        now: Instant,
    ) -> Result<Response, InvokeError> {
        if http2::is_grpc(&request.fields) {
            let uri = url::join(address, base_path, &request.uri)?;
            Box::pin(self.http2.send(Request { uri, ..request }, reach, timeouts)).await
        } else {
            self.http1.send(address, reach, base_path, request, timeouts, now).await
        }
    }
}
