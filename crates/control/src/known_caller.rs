//! Requests of callers who are known: first the head is judged, then the body is read.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::EXPECT;
use axum::http::request::Parts;

use crate::acs3::BodyHasher;
use crate::answer::ErrorAnswer;
use crate::authentication::{AuthenticationError, Authenticator, Caller};
use crate::request_body::{self, Bodies, Share};

/// Finds out who calls, checks whether the caller `may` send this request, and reads its body, of `most_bytes` at
/// most. Handlers get the caller as an extension. The share of memory has to be held until the request is answered.
///
/// # Errors
///
/// When the caller is not known or may not call, or the body cannot be read or is not the one that was signed.
pub async fn admit(
    authenticator: &Authenticator,
    bodies: &Bodies,
    request: Request,
    accepted: Accepted,
    most_bytes: usize,
    may: impl Fn(&Parts, &Caller) -> Result<(), ErrorAnswer> + Send,
) -> Result<(Request, Share), ErrorAnswer> {
    let (mut parts, body) = request.into_parts();
    let known = async {
        let session = match accepted {
            Accepted::SignaturesAndSessions => authenticator.session(&parts).await?,
            Accepted::Signatures => None,
        };
        let (caller, signed) = match session {
            Some(caller) => (caller, None),
            None => {
                let (caller, signed) = authenticator.authenticate(&parts).await?;
                (caller, Some(signed))
            }
        };
        may(&parts, &caller)?;
        Ok((caller, signed))
    };
    let (caller, signed) = match known.await {
        Ok(known) => known,
        Err(error) => {
            // Who asks before sending a body (RFC 9110, 10.1.1) has its answer, and sends none.
            if !parts.headers.contains_key(EXPECT) {
                request_body::read_past(body).await;
            }
            return Err(error);
        }
    };
    let mut hasher = BodyHasher::new();
    let held = bodies.read(body, most_bytes, |piece| hasher.add(piece)).await?;
    if let Some(signed) = signed {
        hasher.check(signed).map_err(AuthenticationError::from)?;
    }
    parts.extensions.insert(caller);
    Ok((Request::from_parts(parts, Body::from(held.bytes)), held.memory))
}

/// How a caller may show who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// With the signature of an access key.
    Signatures,
    /// With that, or with a session of the console.
    SignaturesAndSessions,
}
