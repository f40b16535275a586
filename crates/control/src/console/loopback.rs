//! Sends a request to this gateway's own listeners, and to nothing else: whoever uses the console may choose the
//! request, but not where it goes.

use std::fmt::Display;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderName, TRANSFER_ENCODING, UPGRADE};
use axum::http::{Request, Response};
use claimgate_config::snapshot::AddressRange;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

/// How long an answer may take to come whole.
const LIMIT: Duration = Duration::from_secs(30);

/// How much of an answer's body is read.
const BODY: usize = 64 * 1024;

/// Headers that the connection decides on.
const OWN: [HeaderName; 5] = [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE];

/// Where this gateway takes requests.
#[derive(Debug, Clone, Copy)]
pub struct DataPlane {
    /// Its listener for HTTP.
    pub http: SocketAddr,
    /// Its listener for HTTPS, if it has one.
    pub https: Option<SocketAddr>,
}

/// A request to one of the gateway's own domains.
#[derive(Debug)]
pub struct OwnRequest {
    /// Whether it goes to the listener for HTTPS.
    pub is_https: bool,
    /// The host that it is for.
    pub host: String,
    /// Its method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names and values, without the host.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
    /// Whose connections have to begin with a header of the PROXY protocol.
    pub proxies: Vec<AddressRange>,
}

/// An answer, as it is shown.
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// The status in words.
    pub reason: &'static str,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// Its body, or the beginning of it.
    pub body: String,
    /// Whether there is more of the body.
    pub is_cut: bool,
    /// How long it took.
    pub took: Duration,
}

impl DataPlane {
    /// The address of a listener as this machine reaches it.
    pub fn address(&self, is_https: bool) -> Option<SocketAddr> {
        let address = if is_https { self.https? } else { self.http };
        let ip = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        Some(SocketAddr::new(ip, address.port()))
    }

    /// Sends a request and reads its answer; what goes wrong is told in words.
    pub async fn send(&self, request: OwnRequest) -> Result<Answer, String> {
        let address = self.address(request.is_https).ok_or("the gateway has no listener for HTTPS")?;
        let began = Instant::now();
        match timeout(LIMIT, exchange(address, request, began)).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("the answer did not come within {} seconds", LIMIT.as_secs())),
        }
    }
}

async fn exchange(address: SocketAddr, request: OwnRequest, began: Instant) -> Result<Answer, String> {
    let server_name = if request.is_https { Some(server_name(&request.host)?) } else { None };
    let host = request.host.clone();
    let proxies = request.proxies.clone();
    let request = into_http(request)?;
    let mut stream = TcpStream::connect(address).await.map_err(cannot("connect to the gateway"))?;
    // Which address this machine has towards the listener, the system alone knows.
    let own = stream.local_addr().map_err(cannot("connect to the gateway"))?.ip().to_canonical();
    if proxies.iter().any(|range| range.contains(own)) {
        stream.write_all(b"PROXY UNKNOWN\r\n").await.map_err(cannot("write to the gateway"))?;
    }
    let Some(server_name) = server_name else { return ask(stream, request, began).await };
    let config = tls().map_err(cannot("prepare TLS"))?;
    let stream = TlsConnector::from(config).connect(server_name, stream).await;
    let refused = |error: io::Error| {
        format!(
            "the gateway opens no HTTPS connection for {host}: {error}; has a domain with a certificate this name?"
        )
    };
    ask(stream.map_err(refused)?, request, began).await
}

fn server_name(host: &str) -> Result<ServerName<'static>, String> {
    let name = without_port(host);
    match ServerName::try_from(name.to_owned()) {
        Ok(name @ ServerName::DnsName(_)) => Ok(name),
        _ => Err(format!("HTTPS needs a name that a certificate can have, and {name:?} is none")),
    }
}

fn into_http(request: OwnRequest) -> Result<Request<Full<Bytes>>, String> {
    let mut builder =
        Request::builder().method(request.method.as_str()).uri(request.target).header(HOST, request.host);
    for (name, value) in request.headers {
        if OWN.iter().any(|own| name.eq_ignore_ascii_case(own.as_str())) {
            return Err(format!("the header {name} cannot be chosen here, as the connection decides on it"));
        }
        builder = builder.header(name, value);
    }
    builder.body(Full::from(request.body)).map_err(|error| format!("this is no request: {error}"))
}

async fn ask<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    request: Request<Full<Bytes>>,
    began: Instant,
) -> Result<Answer, String> {
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(cannot("connect to the gateway"))?;
    // It ends with the sender, and what goes wrong is told there too.
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(request).await;
    let answer = read(answer.map_err(cannot("get an answer"))?, began).await;
    connection.abort();
    answer
}

async fn read(answer: Response<Incoming>, began: Instant) -> Result<Answer, String> {
    let took = began.elapsed();
    let (parts, mut body) = answer.into_parts();
    let mut bytes = Vec::new();
    let mut is_cut = false;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(cannot("read the answer"))?;
        bytes.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
        if bytes.len() > BODY {
            bytes.truncate(BODY);
            is_cut = true;
            break;
        }
    }
    let headers = parts.headers.iter();
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    Ok(Answer {
        status: parts.status.as_u16(),
        reason: parts.status.canonical_reason().unwrap_or_default(),
        headers: headers.map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect(),
        body: text(&bytes),
        is_cut,
        took,
    })
}

fn cannot<E: Display>(what: &'static str) -> impl Fn(E) -> String {
    move |error| format!("cannot {what}: {error}")
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

fn tls() -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(OwnListener(Arc::clone(&provider)));
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    Ok(Arc::new(config))
}

/// Takes any certificate: at the other end is this very process, by its address. A certificate that no client
/// would trust is a reason to test, not a reason to be unable to.
#[derive(Debug)]
struct OwnListener(Arc<CryptoProvider>);

impl ServerCertVerifier for OwnListener {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
