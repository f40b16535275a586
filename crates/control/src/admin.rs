//! The admin listener: health, readiness and metrics.

use std::io;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, middleware};
use claimgate_config::snapshot::AdminSettings;
use claimgate_gateway::Phase;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::answer::ErrorAnswer;
use crate::authentication::Authenticator;
use crate::catalog::{Catalog, Status};
use crate::console::loopback::DataPlane;
use crate::guard::{self, Guard};
use crate::listen::AdminListener;
use crate::request_body::Bodies;
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
    let address = listener.local_addr()?.ip();
    let listener = AdminListener::new(listener, settings).map_err(AdminError::Certificate)?;
    let mut registry = Registry::default();
    catalog.gateway().metrics().register(&mut registry);
    catalog.register(&mut registry);
    listener.register(&mut registry);
    let has_open_metrics = settings.open_metrics || address.is_loopback();
    let (authenticator, bodies) = (Arc::new(Authenticator::new(&catalog)), Bodies::default());
    let guard = Arc::new(Guard::new(settings, address));
    let observed = phase.clone();
    let router = Router::new()
        .route("/healthz", get(health))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .method_not_allowed_fallback(answer::method_not_allowed)
        .with_state(Arc::new(Admin { registry, phase, catalog: catalog.clone(), has_open_metrics }))
        .merge(api::router(catalog.clone(), Arc::clone(&authenticator), bodies.clone()))
        .merge(function_compute_api::router(catalog.clone(), authenticator, bodies.clone()))
        .merge(console::router(catalog, bodies, data_plane))
        .fallback(answer::not_found)
        .layer(middleware::from_fn_with_state(guard, guard::pass));
    drop(tokio::spawn(listener.serve(router, observed)));
    Ok(())
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
    for sentence in status.sentences() {
        text.push_str(&sentence);
        text.push('\n');
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
