//! Finds out who calls before anything is done.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::answer::ErrorAnswer;
use crate::authentication::Authenticator;
use crate::request_body;

/// The most that many documents take together.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// Reads the whole request, and checks its signature, or the session of the console that it is of; handlers get
/// the caller and the body.
pub async fn require_caller(
    State(authenticator): State<Arc<Authenticator>>,
    request: Request,
    next: Next,
) -> Result<Response, ErrorAnswer> {
    let (mut parts, body) = request.into_parts();
    let body = request_body::read(body, MAX_BODY_BYTES).await?;
    let caller = match authenticator.session(&parts).await? {
        Some(caller) => caller,
        None => authenticator.authenticate(&parts, &body).await?,
    };
    parts.extensions.insert(caller);
    Ok(next.run(Request::from_parts(parts, body.into())).await)
}
