//! The admin listener: health, readiness and metrics.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::extract::connect_info::Connected;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::serve::IncomingStream;
use claimgate_config::snapshot::AdminSettings;
use claimgate_gateway::Phase;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::answer::ErrorAnswer;
use crate::authentication::Authenticator;
use crate::catalog::{Catalog, Status};
use crate::console::loopback::DataPlane;
use crate::listen::TlsListener;
use crate::{answer, api, console, exposition, function_compute_api};

struct Admin {
    registry: Registry,
    phase: watch::Receiver<Phase>,
    catalog: Catalog,
    has_open_metrics: bool,
}

/// Why the admin listener cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// Its certificate cannot be used.
    #[error("cannot serve the admin listener: {0}")]
    Certificate(String),
    /// Its socket cannot be used.
    #[error("cannot serve the admin listener: {0}")]
    Socket(#[from] io::Error),
}

/// Serves in a task until the process ends, so that health can be asked for while requests are drained, or
/// until another process has the listener.
///
/// # Errors
///
/// When its certificate cannot be used.
pub fn serve(
    listener: TcpListener,
    settings: &AdminSettings,
    catalog: Catalog,
    data_plane: DataPlane,
    phase: watch::Receiver<Phase>,
) -> Result<(), AdminError> {
    let mut observed = phase.clone();
    let handed_over = async move {
        if observed.wait_for(|phase| *phase == Phase::HandedOver).await.is_err() {
            std::future::pending().await
        }
    };
    let mut registry = Registry::default();
    catalog.gateway().metrics().register(&mut registry);
    catalog.register(&mut registry);
    let has_open_metrics = settings.open_metrics || listener.local_addr()?.ip().is_loopback();
    let authenticator = Arc::new(Authenticator::new(&catalog));
    let router = Router::new()
        .route("/healthz", get(health))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .method_not_allowed_fallback(answer::method_not_allowed)
        .with_state(Arc::new(Admin { registry, phase, catalog: catalog.clone(), has_open_metrics }))
        .merge(api::router(catalog.clone(), Arc::clone(&authenticator)))
        .merge(function_compute_api::router(catalog.clone(), authenticator))
        .merge(console::router(catalog, settings.tls.is_some(), data_plane))
        .fallback(answer::not_found);
    let router = router.into_make_service_with_connect_info::<Peer>();
    match &settings.tls {
        None => drop(tokio::spawn(
            axum::serve(listener, router).with_graceful_shutdown(handed_over).into_future(),
        )),
        Some(files) => {
            let listener = TlsListener::start(listener, files).map_err(AdminError::Certificate)?;
            drop(tokio::spawn(
                axum::serve(listener, router).with_graceful_shutdown(handed_over).into_future(),
            ));
        }
    }
    Ok(())
}

/// Who a connection is with.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

impl Connected<IncomingStream<'_, TcpListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Self(*stream.remote_addr())
    }
}

impl Connected<IncomingStream<'_, TlsListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        Self(*stream.remote_addr())
    }
}

async fn health() -> &'static str {
    "ok\n"
}

async fn readyz(State(admin): State<Arc<Admin>>) -> Response {
    let phase = *admin.phase.borrow();
    match phase {
        Phase::Serving => ready(&admin.catalog.status()).into_response(),
        Phase::HandedOver | Phase::Stopping => {
            (StatusCode::SERVICE_UNAVAILABLE, "draining\n").into_response()
        }
    }
}

/// A gateway whose store does not answer is ready all the same: it serves what it read last.
fn ready(status: &Status) -> String {
    let mut text = "ready\n".to_owned();
    if let Some(why) = &status.unreachable {
        text.push_str(&format!("stale: {why}; what was read last is served\n"));
    }
    if let Some(why) = &status.refused {
        text.push_str(&format!("refused: {why}; the last good configuration is served\n"));
    }
    text
}

async fn metrics(State(admin): State<Arc<Admin>>, headers: HeaderMap) -> Response {
    if !admin.has_open_metrics {
        let message =
            "metrics are told on a loopback address alone; set admin.openMetrics to tell them here too";
        return ErrorAnswer::denied(message).into_response();
    }
    match exposition::write(&admin.registry, &headers) {
        Ok((content_type, text)) => ([(CONTENT_TYPE, content_type)], text).into_response(),
        Err(_) => {
            let (status, code) = (StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError");
            ErrorAnswer::new(status, code, "cannot write the metrics").into_response()
        }
    }
}
