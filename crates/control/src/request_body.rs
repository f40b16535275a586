//! Bodies of requests to the APIs: bounded, and read whole, as signatures are of all of it.

use std::error::Error;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::StatusCode;

use crate::answer::ErrorAnswer;

/// A body that takes longer does not come from a program that works.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// The whole body, whether its length was told before or it came in chunks.
pub async fn read(body: Body, most_bytes: usize) -> Result<Bytes, ErrorAnswer> {
    match tokio::time::timeout(READ_TIMEOUT, to_bytes(body, most_bytes)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) if is_of_length(&error) => {
            let message = format!("the body is larger than {most_bytes} bytes");
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
