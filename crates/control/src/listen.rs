//! The admin listener, with TLS or without: what clients may take of it, each and all together.
//!
//! It has its own share of the connections of the process, and gives each of them little time and memory, so that
//! those who mean ill take nothing from the data plane. Requests are bounded once more by those who read their
//! bodies (`request_body.rs`).

mod patient;
mod places;

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use claimgate_config::FileVersion;
use claimgate_config::snapshot::{AdminSettings, CertificateFiles};
use claimgate_gateway::Phase;
use claimgate_tls::ListenerCertificate;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tower_service::Service;

use patient::Patient;
use places::{Full, Place, Places};

/// How long a client may take until its keys are agreed upon.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long a client may take for the head of a request, from the moment that it may send one; so it also ends
/// connections without requests.
const HEAD: Duration = Duration::from_secs(30);

/// How long a client may take nothing of an answer.
const STALLED: Duration = Duration::from_secs(30);

const MOST_HEADERS: usize = 100;

/// The largest head, and the most that is read of a connection before a handler asks for it.
const MOST_BYTES: usize = 32 * 1024;

/// A pause after an accept that failed, most often for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How often the files of the certificate are looked at.
const INTERVAL: Duration = Duration::from_millis(500);

/// The address that a connection comes from, as an extension of its requests.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// The admin listener before it is served.
pub struct AdminListener {
    listener: TcpListener,
    certificate: Option<Arc<ListenerCertificate>>,
    places: Places,
    open: Gauge,
    refused: Counter,
}

impl AdminListener {
    /// Reads the certificate, and watches its files.
    ///
    /// # Errors
    ///
    /// When the certificate cannot be used.
    pub fn new(listener: TcpListener, settings: &AdminSettings) -> Result<Self, String> {
        let certificate = match &settings.tls {
            Some(files) => {
                let certificate = Arc::new(ListenerCertificate::load(files)?);
                tokio::spawn(watch(Arc::clone(&certificate), files.clone()));
                Some(certificate)
            }
            None => None,
        };
        let places = Places::new(settings);
        Ok(Self { listener, certificate, places, open: Gauge::default(), refused: Counter::default() })
    }

    /// Makes its numbers part of the metrics.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("claimgate");
        registry.register("admin_connections", "Open connections of the admin listener", self.open.clone());
        registry.register(
            "admin_connections_refused",
            "Connections that the admin listener closed at once, as admin.limits were reached",
            self.refused.clone(),
        );
    }

    /// Serves until another process has the listener.
    pub async fn serve(self, router: Router, mut phase: watch::Receiver<Phase>) {
        let observed = phase.clone();
        let mut is_full = false;
        loop {
            let accepted = tokio::select! {
                () = handed_over(&mut phase) => return,
                accepted = self.listener.accept() => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "cannot accept a connection of the admin listener"
                    );
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let place = match self.places.take(peer.ip()) {
                Ok(place) => place,
                Err(full) => {
                    self.refused.inc();
                    if !is_full {
                        warn_of(full, peer);
                    }
                    is_full = true;
                    continue;
                }
            };
            is_full = false;
            let connection = Connection { router: router.clone(), peer, phase: observed.clone() };
            let certificate = self.certificate.clone();
            let open = Open::count(self.open.clone(), place);
            tokio::spawn(async move {
                let _open = open;
                connection.begin(stream, certificate).await;
            });
        }
    }
}

fn warn_of(full: Full, client: SocketAddr) {
    let limit = match full {
        Full::InAll => "admin.limits.connections",
        Full::OfAddress => "admin.limits.connectionsPerAddress",
    };
    tracing::warn!(%client, limit, "connections to the admin listener are refused: the limit is reached");
}

/// An open connection.
struct Open {
    open: Gauge,
    _place: Place,
}

impl Open {
    fn count(open: Gauge, place: Place) -> Self {
        open.inc();
        Self { open, _place: place }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.open.dec();
    }
}

struct Connection {
    router: Router,
    peer: SocketAddr,
    phase: watch::Receiver<Phase>,
}

impl Connection {
    async fn begin(self, stream: TcpStream, certificate: Option<Arc<ListenerCertificate>>) {
        // Answers are written whole; waiting for more would only delay them.
        let _ = stream.set_nodelay(true);
        let client = self.peer;
        match certificate.map(|certificate| certificate.acceptor()) {
            None => self.serve(stream).await,
            Some(acceptor) => match timeout(HANDSHAKE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => self.serve(stream).await,
                Ok(Err(error)) => tracing::debug!(%client, "no TLS: {error}"),
                Err(_) => tracing::debug!(%client, "no TLS in time"),
            },
        }
    }

    async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(mut self, stream: S) {
        let (router, peer) = (self.router, Peer(self.peer.ip().to_canonical()));
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            router.clone().call(request)
        });
        let mut connection = pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .max_headers(MOST_HEADERS)
                .max_buf_size(MOST_BYTES)
                .serve_connection(TokioIo::new(Patient::new(stream, STALLED)), service)
        );
        let served = tokio::select! {
            served = connection.as_mut() => served,
            () = handed_over(&mut self.phase) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = served {
            tracing::debug!(client = %self.peer, "a connection of the admin listener broke: {error}");
        }
    }
}

/// Waits until another process has the listener.
async fn handed_over(phase: &mut watch::Receiver<Phase>) {
    if phase.wait_for(|phase| *phase == Phase::HandedOver).await.is_err() {
        std::future::pending().await
    }
}

async fn watch(certificate: Arc<ListenerCertificate>, files: CertificateFiles) {
    let versions = || [&files.certificate, &files.private_key].map(|file| FileVersion::of(file));
    let mut known = versions();
    loop {
        tokio::time::sleep(INTERVAL).await;
        let current = versions();
        if current == known {
            continue;
        }
        known = current;
        match certificate.reload() {
            Ok(()) => tracing::info!("the certificate of the admin listener was read again"),
            Err(why) => tracing::error!("admin listener: {why}; the last good certificate stays"),
        }
    }
}
