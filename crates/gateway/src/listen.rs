//! Listens, serves connections, and drains them at the end.

mod beginning;
mod ending;
mod handshake;
mod http1;
mod http2;
mod places;
mod proxy_protocol;

pub use ending::Phase;
pub use http1::{ClientSide, Connection, Received};

use beginning::{begin, begins_with_header};
use ending::Ending;
use places::{Place, Places};

use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use claimgate_functions::Functions;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::{oneshot, watch};
use tokio_util::task::TaskTracker;

use crate::client::Client;
use crate::gateway::Gateway;
use crate::request_path::Worker;
use crate::respond;
use crate::slow_signatures::SlowSignatures;
use crate::transport::Transport;
use crate::tunnel::Tunnels;
use crate::verified_tokens::VerifiedTokens;
use crate::verify::Verifier;

/// A pause after an accept that failed, most often for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Every request in flight was answered.
    Completely,
    /// The time to drain ran out.
    CutOff,
}

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The system gives no more threads or file descriptors.
    #[error("cannot start a thread that serves requests")]
    Thread(#[source] io::Error),
}

/// Where connections come in.
#[derive(Debug)]
pub struct Listeners {
    /// Over plain HTTP.
    pub http: TcpListener,
    /// Over HTTPS.
    pub https: Option<TcpListener>,
}

/// A client's connection, with TLS or without.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection on its way to the thread that serves it.
struct Accepted {
    stream: std::net::TcpStream,
    client: SocketAddr,
    is_https: bool,
}

/// A connection and the place that it holds.
type Admitted = (Accepted, Place);

impl Listeners {
    async fn accept(&self) -> io::Result<Accepted> {
        let over_https = async {
            match &self.https {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        let (accepted, is_https) = tokio::select! {
            accepted = self.http.accept() => (accepted, false),
            accepted = over_https => (accepted, true),
        };
        let (stream, client) = accepted?;
        Ok(Accepted { stream: stream.into_std()?, client, is_https })
    }

    fn https_port(&self) -> Option<u16> {
        self.https.as_ref()?.local_addr().ok().map(|address| address.port())
    }
}

/// Serves as long as `phase` is [`Phase::Serving`]; then takes no more connections, ends each after the request
/// that it is in the middle of, and waits for that as long as `timeouts.drain`. Once handed over, connections
/// that no request is on have half of that time for another.
///
/// Connections go in turn to as many threads as there are `functions`. A connection and those that it
/// causes to functions stay on one thread, so that no request moves between cores. No more connections are open
/// than `most_connections`, whatever `limits.connections` says.
pub async fn serve(
    listeners: Listeners,
    gateway: Arc<Gateway>,
    functions: Vec<Functions>,
    most_connections: usize,
    mut phase: watch::Receiver<Phase>,
) -> Result<Drained, ServeError> {
    let https_port = listeners.https_port();
    let mut workers = Vec::with_capacity(functions.len());
    let cache_bytes = gateway.serving().snapshot.gateway.verified_token_cache_bytes / functions.len().max(1);
    for functions in functions {
        let verified_tokens = VerifiedTokens::new(cache_bytes, gateway.metrics().token_cache());
        let slow_signatures =
            SlowSignatures::start(gateway.metrics().slow_signatures()).map_err(ServeError::Thread)?;
        let verifier = Verifier { verified_tokens, slow_signatures };
        let counts = gateway.metrics().requests().worker();
        let worker = Worker {
            gateway: Arc::clone(&gateway),
            functions,
            tunnels: Tunnels::default(),
            counts,
            access_log: gateway.access_log().lines(),
            verifier,
            is_cut_off: AtomicBool::new(false),
        };
        workers.push(start(worker, https_port, phase.clone()).map_err(ServeError::Thread)?);
    }
    let (mut turn, places, mut is_full) = (0, Places::default(), false);
    loop {
        let accepted = tokio::select! {
            biased;
            _ = phase.wait_for(|phase| *phase != Phase::Serving) => break,
            accepted = listeners.accept() => accepted,
        };
        match accepted {
            Ok(accepted) => {
                let limit = gateway.serving().snapshot.gateway.limits.connections.min(most_connections);
                let Some(place) = places.take(limit) else {
                    if !is_full {
                        tracing::warn!(
                            limit,
                            "connections are refused: as many are open as limits.connections and the number of \
                             open files allow"
                        );
                    }
                    is_full = true;
                    gateway.metrics().count_refused_connection();
                    refuse(accepted);
                    continue;
                };
                is_full = false;
                turn = (turn + 1) % workers.len().max(1);
                // A thread ends only after its sender is gone.
                let _ = workers.get(turn).map(|(connections, _)| connections.send((accepted, place)));
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listeners);
    let (connections, ends): (Vec<_>, Vec<_>) = workers.into_iter().unzip();
    drop(connections);
    let mut drained = Drained::Completely;
    for end in ends {
        if end.await != Ok(Drained::Completely) {
            drained = Drained::CutOff;
        }
    }
    Ok(drained)
}

/// Closes a connection for which there is no place. Over plain HTTP the client is told, if it will hear it;
/// over HTTPS that would take a handshake.
fn refuse(accepted: Accepted) {
    let Accepted { mut stream, is_https, .. } = accepted;
    if !is_https {
        // A new connection takes these few bytes at once, or none of them.
        let _ = stream.write(&respond::too_many_connections());
        let _ = stream.shutdown(Shutdown::Write);
    }
}

/// Starts a thread; it ends when the sender is gone and its connections have ended, and tells how.
fn start(
    worker: Worker,
    https_port: Option<u16>,
    phase: watch::Receiver<Phase>,
) -> io::Result<(UnboundedSender<Admitted>, oneshot::Receiver<Drained>)> {
    let (sender, connections) = mpsc::unbounded_channel();
    let (ended, end) = oneshot::channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("claimgate-worker".to_owned()).spawn(move || {
        let drained = runtime.block_on(work(Arc::new(worker), https_port, connections, phase));
        // Ends what was cut off, which is logged, and waits for no name resolution that it may hold.
        runtime.shutdown_background();
        // Nobody listens any more when serving itself was given up.
        let _ = ended.send(drained);
    })?;
    Ok((sender, end))
}

async fn work(
    worker: Arc<Worker>,
    https_port: Option<u16>,
    mut accepted: UnboundedReceiver<Admitted>,
    phase: watch::Receiver<Phase>,
) -> Drained {
    let (connections, ending) = (TaskTracker::new(), Ending::new());
    while let Some((Accepted { stream, client, is_https }, place)) = accepted.recv().await {
        let (worker, ending) = (Arc::clone(&worker), ending.clone());
        let over_http = (!is_https).then_some(Transport::Http { https_port });
        match (open(stream), over_http) {
            (Ok(stream), Some(transport)) if !begins_with_header(&worker, client.ip()) => {
                let client = Client::new(client.ip(), transport);
                let stream = Box::new(place.hold(stream));
                connections.spawn(serve_connection(worker, stream, client, ending));
            }
            (Ok(stream), over_http) => {
                connections.spawn(async move {
                    // One that is not done at the end is given up, as no request was begun.
                    let begun = tokio::select! {
                        begun = begin(&worker, stream, place, client.ip(), over_http) => begun,
                        () = ending.stop.cancelled() => None,
                    };
                    if let Some((stream, client)) = begun {
                        serve_connection(worker, stream, client, ending).await;
                    }
                });
            }
            (Err(error), _) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot serve a connection");
            }
        }
    }
    let time = worker.gateway.serving().snapshot.gateway.timeouts.drain;
    ending.leaving.cancel();
    connections.close();
    let ended = async {
        tokio::select! {
            () = connections.wait() => {}
            () = Ending::patience(phase, time / 2) => {}
        }
        ending.stop.cancel();
        connections.wait().await;
        worker.tunnels.ended().await;
    };
    match tokio::time::timeout(time, ended).await {
        Ok(()) => Drained::Completely,
        Err(_) => {
            worker.is_cut_off.store(true, Ordering::Relaxed);
            Drained::CutOff
        }
    }
}

fn open(stream: std::net::TcpStream) -> io::Result<TcpStream> {
    let stream = TcpStream::from_std(stream)?;
    // Answers are written whole; waiting for more would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(error = &error as &dyn std::error::Error, "cannot set TCP_NODELAY");
    }
    Ok(stream)
}

/// Serves a connection to its end. When the gateway stops it takes no more requests.
async fn serve_connection(worker: Arc<Worker>, stream: Box<dyn Stream>, client: Client, ending: Ending) {
    let _open = worker.counts.open_connection();
    let settings = worker.gateway.serving().snapshot.gateway.clone();
    let answer = |request, client_side| worker.answer(request, client_side, &client);
    let end = http1::serve(stream, settings.limits.clone(), &settings.timeouts, &ending, answer).await;
    match end {
        http1::End::Served => {}
        http1::End::CutShort(logged, why) => match why.reason() {
            Some(reason) => logged.broke_off(&worker, reason, &why),
            None => {
                let error = &why as &dyn std::error::Error;
                tracing::debug!(request_id = %logged.id, error, "an answer was cut short");
            }
        },
        // Apart: it needs a lot of memory, which the other connections need not have.
        http1::End::Http2(stream) => {
            Box::pin(http2::serve(worker, stream, client, &settings, ending)).await;
        }
    }
}
