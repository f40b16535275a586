//! Servers that play the function, and a gateway in front of one.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use claimgate_config::snapshot::{Function, FunctionTarget, Source, Timeouts};
use claimgate_functions::{InvokeError, ProcessFunctions, RequestBody, ResponseBody};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::time::{Instant, timeout};

pub(crate) type Answer = Response<BoxBody<Bytes, Infallible>>;

/// An HTTP function on 127.0.0.1.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// Answers with what `handler` makes of each request, in HTTP/1.1 and HTTP/2.
    pub(crate) async fn start<H, F>(handler: H) -> Self
    where
        H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        Self::raw(move |stream| serve(stream, handler.clone())).await
    }

    /// Leaves every connection to `handler`.
    pub(crate) async fn raw<H, F>(handler: H) -> Self
    where
        H: Fn(TcpStream) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(handler(stream));
            }
        });
        Self { address, connections }
    }

    /// Number of connections that were opened to it.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn function(&self) -> Function {
        url_function(&format!("http://{}/", self.address), "")
    }
}

/// An HTTP function on a unix socket.
pub(crate) fn start_unix<H, F>(path: &Path, handler: H) -> Function
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let listener = UnixListener::bind(path).unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, handler.clone()));
        }
    });
    Function { name: "f".into(), target: FunctionTarget::Unix(path.to_owned()), source: Source::internal() }
}

/// Speaks HTTP on a connection.
pub(crate) async fn serve<S, H, F>(stream: S, handler: H)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    H: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let service = service_fn(move |request| {
        let answer = handler(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let _ = auto::Builder::new(TokioExecutor::new())
        .serve_connection_with_upgrades(TokioIo::new(stream), service)
        .await;
}

/// A gateway that only passes on. Where there is no answer, its own is 502 with the reason as body, and
/// an answer that ends early ends early here too.
pub(crate) async fn front(function: Function, timeouts: Timeouts) -> SocketAddr {
    let functions = functions();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let function = Arc::new(function);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (functions, function, timeouts) = (functions.clone(), function.clone(), timeouts.clone());
            let service = service_fn(move |request: Request<Incoming>| {
                let (functions, function, timeouts) = (functions.clone(), function.clone(), timeouts.clone());
                async move {
                    let answer = functions
                        .invoke(
                            &function,
                            &ProcessFunctions::default(),
                            request.map(RequestBody::stream),
                            &timeouts,
                        )
                        .await;
                    Ok::<_, Infallible>(answer.unwrap_or_else(|error| {
                        let mut answer = Response::new(ResponseBody::from(Bytes::from(error.reason())));
                        *answer.status_mut() = StatusCode::BAD_GATEWAY;
                        answer
                    }))
                }
            });
            let builder = auto::Builder::new(TokioExecutor::new());
            tokio::spawn(
                async move { builder.serve_connection(TokioIo::new(stream), service).await.is_ok() },
            );
        }
    });
    address
}

/// Functions as clients of HTTP know them.
#[derive(Clone)]
pub(crate) struct Functions(pub(crate) claimgate_functions::Functions);

impl Functions {
    pub(crate) async fn invoke(
        &self,
        function: &Function,
        processes: &ProcessFunctions,
        request: Request<RequestBody>,
        timeouts: &Timeouts,
    ) -> Result<Response<ResponseBody>, InvokeError> {
        self.0.invoke(function, processes, request.into(), timeouts, Instant::now()).await.map(Response::from)
    }
}

pub(crate) fn functions() -> Functions {
    Functions(claimgate_functions::Functions::with_root_certificates([]).unwrap())
}

pub(crate) fn url_function(origin: &str, base_path: &str) -> Function {
    let target = FunctionTarget::Url { origin: origin.parse().unwrap(), base_path: base_path.into() };
    Function { name: "f".into(), target, source: Source::internal() }
}

/// Times that no test reaches.
pub(crate) fn patient() -> Timeouts {
    let long = Duration::from_secs(60);
    Timeouts { connect: long, first_byte: long, idle: long, ..Timeouts::default() }
}

pub(crate) fn get(target: &str) -> Request<RequestBody> {
    let request = Request::builder().uri(target).header("host", "api.example.com");
    request.body(RequestBody::empty()).unwrap()
}

pub(crate) fn post(target: &str, body: impl Into<Bytes>) -> Request<RequestBody> {
    let mut request = get(target).map(|_| RequestBody::from(body.into()));
    *request.method_mut() = http::Method::POST;
    request
}

pub(crate) fn full(text: impl Into<Bytes>) -> Answer {
    Response::new(Full::new(text.into()).boxed())
}

pub(crate) fn status(status: u16) -> Answer {
    let mut answer = Response::new(Empty::new().boxed());
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    answer
}

/// The text of a whole answer.
pub(crate) async fn text(answer: Response<ResponseBody>) -> String {
    String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

pub(crate) fn header<'a, B>(message: &'a Request<B>, name: &str) -> Vec<&'a str> {
    message.headers().get_all(name).iter().map(HeaderValue::to_str).map(Result::unwrap).collect()
}

/// Reads until `end` has come and gives all that was read.
pub(crate) async fn read_until(stream: &mut (impl AsyncRead + Unpin), end: &str) -> String {
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains(end) {
        let mut piece = [0; 4096];
        let count = timeout(Duration::from_secs(30), stream.read(&mut piece)).await;
        let count = count.unwrap_or_else(|_| panic!("waited for {end:?} in vain")).unwrap();
        assert_ne!(count, 0, "ended before {end:?}: {:?}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&piece[..count]);
    }
    String::from_utf8(read).unwrap()
}
