//! Listens, serves connections, and drains them at the end.

mod framing;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use claimgate_config::snapshot::GatewaySettings;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};

use crate::Gateway;
use framing::StrictHttp1;

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

/// Serves until `stop` is ready; then takes no more connections, ends each after the request that it is
/// in the middle of, and waits for that as long as `timeouts.drain`.
pub async fn serve(listener: TcpListener, gateway: Arc<Gateway>, stop: impl Future<Output = ()>) -> Drained {
    let connections = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, client)) => serve_connection(&gateway, stream, client, &connections),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    let time = gateway.snapshot().gateway.timeouts.drain;
    let ended = async {
        connections.shutdown().await;
        gateway.tunnels().ended().await;
    };
    match tokio::time::timeout(time, ended).await {
        Ok(()) => Drained::Completely,
        Err(_) => Drained::CutOff,
    }
}

fn serve_connection(
    gateway: &Arc<Gateway>,
    stream: TcpStream,
    client: SocketAddr,
    connections: &GracefulShutdown,
) {
    // Answers are written whole; waiting for more would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(error = &error as &dyn std::error::Error, "cannot set TCP_NODELAY");
    }
    let settings = &gateway.snapshot().gateway;
    let stream = StrictHttp1::new(stream, settings.limits.clone(), settings.timeouts.header_read);
    let served = stream.served();
    let server = server(settings);
    let service = {
        let gateway = Arc::clone(gateway);
        service_fn(move |request| {
            let (gateway, served) = (Arc::clone(&gateway), served.clone());
            async move { Ok::<_, Infallible>(served.answer(&gateway, request, client.ip()).await) }
        })
    };
    let connection = server.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(client = %client, error, "a connection broke");
        }
    });
}

fn server(settings: &GatewaySettings) -> auto::Builder<TokioExecutor> {
    let limits = &settings.limits;
    // Never narrower than the configured limits, which are judged before hyper reads a head or after: its
    // own answers have no body.
    let head_bytes = (limits.header_bytes + limits.request_line_bytes) * 2;
    let mut server = auto::Builder::new(TokioExecutor::new());
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.timeouts.header_read)
        .max_headers(limits.header_fields)
        .max_buf_size(head_bytes.max(16 * 1024));
    server
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(head_bytes).unwrap_or(u32::MAX));
    server
}
