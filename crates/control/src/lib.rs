//! The control plane: the admin listener with health, readiness and metrics, and the store.

mod exposition;
pub mod store;

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use claimgate_gateway::{Gateway, Phase, RequestId, error_body};
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::sync::watch;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-fc-request-id");

struct Admin {
    registry: Registry,
    phase: watch::Receiver<Phase>,
}

/// Serves until the process ends, so that health can be asked for while requests are drained, or until another
/// process has the listener.
pub async fn serve(
    listener: TcpListener,
    gateway: &Gateway,
    phase: watch::Receiver<Phase>,
) -> io::Result<()> {
    let mut observed = phase.clone();
    let handed_over = async move {
        if observed.wait_for(|phase| *phase == Phase::HandedOver).await.is_err() {
            std::future::pending().await
        }
    };
    let mut registry = Registry::default();
    gateway.metrics().register(&mut registry);
    let router = Router::new()
        .route("/healthz", get(health))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(Arc::new(Admin { registry, phase }));
    axum::serve(listener, router).with_graceful_shutdown(handed_over).await
}

async fn health() -> &'static str {
    "ok\n"
}

async fn readyz(State(admin): State<Arc<Admin>>) -> Response {
    let phase = *admin.phase.borrow();
    match phase {
        Phase::Serving => "ready\n".into_response(),
        Phase::HandedOver | Phase::Stopping => {
            (StatusCode::SERVICE_UNAVAILABLE, "draining\n").into_response()
        }
    }
}

async fn metrics(State(admin): State<Arc<Admin>>, headers: HeaderMap) -> Response {
    match exposition::write(&admin.registry, &headers) {
        Ok((content_type, text)) => ([(CONTENT_TYPE, content_type)], text).into_response(),
        Err(_) => error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", "cannot write the metrics"),
    }
}

async fn not_found(uri: Uri) -> Response {
    let message = format!("there is nothing at '{}'", uri.path());
    error(StatusCode::NOT_FOUND, "PathNotSupported", &message)
}

async fn method_not_allowed() -> Response {
    error(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", "this path is read with GET")
}

fn error(status: StatusCode, code: &str, message: &str) -> Response {
    let id = RequestId::now();
    let body = error_body(&id, code, message);
    let headers = [(CONTENT_TYPE, "application/json".to_owned()), (REQUEST_ID, id.to_string())];
    (status, headers, body).into_response()
}
