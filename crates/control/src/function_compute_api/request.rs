//! Bodies and names of requests.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use claimgate_jose::json::{Object, Value};
use serde::de::DeserializeOwned;

use crate::answer::ErrorAnswer;

/// The largest document: keys and certificates take some kilobytes each.
pub(super) const MAX_BODY_BYTES: usize = 1024 * 1024;

/// The object that a body holds, without members that are null: they count as left out.
pub(super) fn parse_body(body: &[u8]) -> Result<Object, ErrorAnswer> {
    let parsed = Value::parse(body).map_err(|error| {
        ErrorAnswer::invalid(format!("the body of the request is no valid JSON: {error}"))
    })?;
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
