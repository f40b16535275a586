//! `/api/v1`: claimgate's own API, for the command line and the console.
//!
//! It speaks of the documents of the configuration file, with their versions: what is declared can be read,
//! what is stored can be changed.

mod authenticated;
mod document;
mod documents;
mod error;
mod extract;
mod history;
mod kind;
mod openapi;
mod try_request;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use axum::{Router, middleware};

use crate::answer;
use crate::authentication::Authenticator;
use crate::catalog::Catalog;
use crate::request_body::Bodies;

pub use openapi::document as openapi_document;

/// All paths below `/api/v1`.
pub fn router(catalog: Catalog, authenticator: Arc<Authenticator>, bodies: Bodies) -> Router {
    let state = (authenticator, bodies);
    let authenticated = middleware::from_fn_with_state(state, authenticated::require_caller);
    Router::new()
        .route("/api/v1/apply", post(documents::apply))
        .route("/api/v1/purge-history", post(history::purge))
        .route("/api/v1/try", post(try_request::answer))
        .route("/api/v1/{kind}", get(documents::list))
        .route("/api/v1/{kind}/{name}", get(documents::read).put(documents::write).delete(documents::delete))
        .route("/api/v1/{kind}/{name}/history", get(history::list))
        .route("/api/v1/{kind}/{name}/rollback", post(history::roll_back))
        .route_layer(authenticated)
        .route("/api/v1/openapi.json", get(openapi::read))
        .layer(DefaultBodyLimit::disable())
        .method_not_allowed_fallback(answer::method_not_allowed)
        .with_state(catalog)
}
