//! Bodies and names of requests.

use std::error::Error;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use claimgate_jose::json::{Object, Value};
use serde::de::DeserializeOwned;

use crate::answer::ErrorAnswer;

/// The largest document: keys and certificates take some kilobytes each.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// A body that takes longer does not come from a program that works.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// The whole body, whether its length was told before or it came in chunks.
pub(super) async fn read_body(body: Body) -> Result<Bytes, ErrorAnswer> {
    match tokio::time::timeout(READ_TIMEOUT, to_bytes(body, MAX_BODY_BYTES)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) if is_of_length(&error) => {
            let message = format!("the body is larger than {MAX_BODY_BYTES} bytes");
            Err(ErrorAnswer::new(StatusCode::PAYLOAD_TOO_LARGE, "EntityTooLarge", message))
        }
        Ok(Err(_)) => Err(ErrorAnswer::invalid("the body of the request broke off")),
        Err(_) => {
            let message = "the body of the request did not come in time";
            Err(ErrorAnswer::new(StatusCode::REQUEST_TIMEOUT, "RequestTimeout", message))
        }
    }
}

fn is_of_length(error: &axum::Error) -> bool {
    error.source().is_some_and(|source| source.is::<http_body_util::LengthLimitError>())
}

/// The object that a body holds, without members that are null: they count as left out.
pub(super) fn parse_body(body: &[u8]) -> Result<Object, ErrorAnswer> {
    let parsed = Value::parse(body)
        .map_err(|error| ErrorAnswer::invalid(format!("the body of the request is no valid JSON: {error}")))?;
    let Value::Object(mut object) = parsed else {
        return Err(ErrorAnswer::invalid("the body of the request is no JSON object"));
    };
    let nulls: Vec<String> = object
        .iter()
        .filter(|(_, value)| matches!(value, Value::Null))
        .map(|(name, _)| name.to_owned())
        .collect();
    for name in nulls {
        object.remove(&name);
    }
    Ok(object)
}

/// Names in the path, decoded.
pub(super) struct Names<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Names<T> {
    type Rejection = ErrorAnswer;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ErrorAnswer> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(names)) => Ok(Self(names)),
            Err(_) => Err(ErrorAnswer::invalid("the path holds a name that is no UTF-8")),
        }
    }
}
