//! Tells what the gateway would do with a request, as `claimgate try` does.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use claimgate_gateway::{TryRequest, try_request};
use serde::Deserialize;
use utoipa::ToSchema;

use super::error::{ApiError, ErrorBody};
use super::extract;
use crate::catalog::Catalog;

/// A request as a client means to send it to the data plane.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tried {
    /// The host that it asks for.
    host: String,
    /// GET, unless said.
    method: Option<String>,
    /// Path and query; `/`, unless said.
    target: Option<String>,
    /// Names and values; `Host` is there already.
    #[serde(default)]
    headers: Vec<(String, String)>,
    /// The body as text.
    body: Option<String>,
    /// Whether it comes over plain HTTP even where its domain is served over HTTPS.
    #[serde(default)]
    over_http: bool,
    /// Whether tokens and credentials are shown whole in the request that the function would receive.
    #[serde(default)]
    show_token: bool,
}

/// Tells what the gateway would do with a request, step by step. No function is called.
#[utoipa::path(post, path = "/api/v1/try", tag = "try", request_body = Tried,
    responses((status = 200, body = Object, description = "as `claimgate try --json` prints it"),
        (status = "default", body = ErrorBody)))]
pub async fn answer(State(catalog): State<Catalog>, body: Bytes) -> Result<Response, ApiError> {
    let tried: Tried = extract::body(&body)?;
    let mut headers = vec![("Host".to_owned(), tried.host)];
    headers.extend(tried.headers);
    let request = TryRequest {
        method: tried.method.unwrap_or_else(|| "GET".to_owned()),
        target: tried.target.unwrap_or_else(|| "/".to_owned()),
        headers,
        over_http: tried.over_http,
        body: tried.body.map(String::into_bytes),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let serving = catalog.gateway().serving();
    let Some(mut trace) = try_request(&serving, &request, now).await else {
        return Err(ApiError::invalid("the gateway would close the connection without an answer"));
    };
    if !tried.show_token {
        trace.redact();
    }
    Ok(Json(trace).into_response())
}
