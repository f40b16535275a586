//! Finds out who calls before anything is done.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::answer::ErrorAnswer;
use crate::authentication::Authenticator;
use crate::known_caller::{self, Accepted};
use crate::request_body::Bodies;

/// The most that many documents take together.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// Checks the signature of a request, or the session of the console that it is of, and then reads its body;
/// handlers get the caller and the body.
pub async fn require_caller(
    State((authenticator, bodies)): State<(Arc<Authenticator>, Bodies)>,
    request: Request,
    next: Next,
) -> Result<Response, ErrorAnswer> {
    let accepted = Accepted::SignaturesAndSessions;
    let admitted =
        known_caller::admit(&authenticator, &bodies, request, accepted, MAX_BODY_BYTES, |_, _| Ok(())).await;
    let (request, _memory) = admitted?;
    Ok(next.run(request).await)
}
