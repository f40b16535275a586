//! The description of `/api/v1` for programs: OpenAPI 3.1, made from the code.

use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;
use utoipa::OpenApi;

use super::{documents, history, try_request};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "claimgate",
        description = "Custom domains, functions and HTTP triggers of a claimgate gateway."
    ),
    paths(
        documents::list,
        documents::read,
        documents::write,
        documents::delete,
        documents::apply,
        history::list,
        history::roll_back,
        history::purge,
        try_request::answer,
    )
)]
struct Description;

/// The description as JSON.
pub fn document() -> String {
    Description::openapi().to_pretty_json().unwrap_or_default()
}

/// Answers with the description. It tells nothing of this gateway, so that nobody has to sign in for it.
pub async fn read() -> ([(HeaderName, &'static str); 1], String) {
    ([(CONTENT_TYPE, "application/json")], document())
}
