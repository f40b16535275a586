//! Listens, serves connections, and drains them at the end.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use claimgate_config::Problems;
use claimgate_tls::ListenerCertificate;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use prometheus_client::registry::Registry;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::authorizer::{Authorizer, StartError, now};
use crate::configuration::Configuration;
use crate::endpoints::{self, Endpoints};
use crate::log;
use crate::users::Users;
use crate::watch::{self, Versions};

/// A pause after an accept that failed, most often for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
const MAX_HEADERS: usize = 100;
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// Serves until SIGTERM or SIGINT, and then until the requests under way are answered; `warnings` are
/// those of the configuration.
pub async fn serve(configuration: Configuration, warnings: &Problems) -> Result<(), StartError> {
    // Before anything is announced, so that no signal finds its default action.
    let mut terminate = signal(SignalKind::terminate()).map_err(StartError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(StartError::Signals)?;
    let hangup = signal(SignalKind::hangup()).map_err(StartError::Signals)?;

    log::problems(warnings);
    let versions = Versions::of(&configuration);
    let tls = configuration
        .tls
        .as_ref()
        .map(ListenerCertificate::load)
        .transpose()
        .map_err(StartError::Tls)?
        .map(Arc::new);
    let authorizer = Arc::new(Authorizer::start(configuration)?);
    let configuration = &authorizer.configuration;
    let listener = listen("listen", configuration.listen).await?;
    if let Some(address) = configuration.admin {
        let listener = listen("admin.listen", address).await?;
        announce("admin", &listener);
        tokio::spawn(axum::serve(listener, admin(Arc::clone(&authorizer))).into_future());
    }
    tokio::spawn(check_database(Arc::clone(&authorizer)));
    tokio::spawn(watch::watch(Arc::clone(&authorizer), tls.clone(), versions, hangup));
    announce(if tls.is_some() { "https" } else { "http" }, &listener);

    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: no new connections, requests under way are finished");
    };
    accept(listener, tls, authorizer, stop).await;
    Ok(())
}

/// Accepts until `stop` is ready; then ends each connection after the request that it is in the middle
/// of, and waits for that as long as `timeouts.drainSeconds`.
async fn accept(
    listener: TcpListener,
    tls: Option<Arc<ListenerCertificate>>,
    authorizer: Arc<Authorizer>,
    stop: impl Future<Output = ()>,
) {
    let timeouts = authorizer.configuration.timeouts.clone();
    let places = Arc::new(Semaphore::new(authorizer.configuration.limits.connections));
    let endpoints = Endpoints::new(authorizer);
    let connections = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            biased;
            () = &mut stop => break,
            next = next => next,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (endpoints, watcher, header_read) =
            (endpoints.clone(), connections.watcher(), timeouts.header_read);
        let tls = tls.as_ref().map(|tls| tls.acceptor());
        tokio::spawn(async move {
            let _place = place;
            // Answers are written whole; waiting for more would only delay them.
            let _ = stream.set_nodelay(true);
            match tls {
                None => serve_connection(stream, peer, endpoints, watcher, header_read).await,
                Some(tls) => match timeout(header_read, tls.accept(stream)).await {
                    Ok(Ok(stream)) => serve_connection(stream, peer, endpoints, watcher, header_read).await,
                    Ok(Err(error)) => tracing::debug!(client = %peer, "no TLS: {error}"),
                    Err(_) => tracing::debug!(client = %peer, "no TLS in time"),
                },
            }
        });
    }
    drop(listener);
    match timeout(timeouts.drain, connections.shutdown()).await {
        Ok(()) => tracing::info!("stopped"),
        Err(_) => tracing::warn!("stopped: the time to drain ran out, and requests under way were cut off"),
    }
}

async fn serve_connection<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    peer: SocketAddr,
    endpoints: Endpoints,
    watcher: Watcher,
    header_read: Duration,
) {
    let service = service_fn(|request| endpoints.answer(request, peer.ip()));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_read)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(client = %peer, "a connection broke: {error}");
    }
}

/// Tells at the start what is wrong with the database; logins find it out again each time.
async fn check_database(authorizer: Arc<Authorizer>) {
    if let Users::PostgreSql(users) = &authorizer.users {
        match users.check().await {
            Ok(()) => tracing::info!("the database answers"),
            Err(error) => tracing::error!(reason = log::causes(&error), "users are not available"),
        }
    }
}

async fn listen(field: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|error| StartError::Listen { field, address, error })
}

fn announce(name: &str, listener: &TcpListener) {
    if let Ok(address) = listener.local_addr() {
        tracing::info!(listener = name, %address, "listening");
    }
}

struct Admin {
    authorizer: Arc<Authorizer>,
    registry: Registry,
}

fn admin(authorizer: Arc<Authorizer>) -> Router {
    let registry = authorizer.metrics.registry();
    Router::new()
        .route("/healthz", get(endpoints::health))
        .route("/metrics", get(metrics))
        .fallback(endpoints::not_found)
        .method_not_allowed_fallback(endpoints::method_not_allowed)
        .with_state(Arc::new(Admin { authorizer, registry }))
}

async fn metrics(State(admin): State<Arc<Admin>>) -> Response {
    let published = admin.authorizer.keys().published(now()).count();
    admin.authorizer.metrics.published_keys.set(i64::try_from(published).unwrap_or(i64::MAX));
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &admin.registry) {
        Ok(()) => {
            let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(CONTENT_TYPE, content_type)], text).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
