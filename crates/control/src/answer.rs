//! Answers of the APIs, errors above all: every one of them is JSON and has the ids of the request, since
//! SDKs tell nothing of an error that they cannot parse.

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use claimgate_gateway::{RequestId, error_body};
use claimgate_jose::json;

/// Function Compute's own header, and that of the gateway before it.
const REQUEST_IDS: [HeaderName; 2] =
    [HeaderName::from_static("x-fc-request-id"), HeaderName::from_static("x-acs-request-id")];

/// Why a request is not answered with what it asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorAnswer {
    /// The status.
    pub status: StatusCode,
    /// What programs decide on.
    pub code: &'static str,
    /// What people read.
    pub message: String,
}

impl ErrorAnswer {
    /// An error with a code of Function Compute's.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// What was sent is wrong; the message begins with the name of the field.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidArgument", message)
    }

    /// The caller may not do that, or nobody may.
    pub fn denied(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "AccessDenied", message)
    }
}

impl IntoResponse for ErrorAnswer {
    fn into_response(self) -> Response {
        let id = RequestId::now();
        let body = error_body(&id, self.code, &self.message);
        with_ids(&id, (self.status, [(CONTENT_TYPE, "application/json")], body).into_response())
    }
}

/// 200 with JSON.
pub fn ok(content: &json::Object) -> Response {
    let body = ([(CONTENT_TYPE, "application/json")], content.to_string()).into_response();
    with_ids(&RequestId::now(), body)
}

/// 204.
pub fn no_content() -> Response {
    with_ids(&RequestId::now(), StatusCode::NO_CONTENT.into_response())
}

/// The answer where a path is known, but not with this method.
pub async fn method_not_allowed() -> ErrorAnswer {
    let message = "this path is there, but not with this method; the header Allow names those that are";
    ErrorAnswer::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message)
}

/// The answer where nothing is.
pub async fn not_found(uri: Uri) -> ErrorAnswer {
    let message = format!("there is nothing at '{}'", uri.path());
    ErrorAnswer::new(StatusCode::NOT_FOUND, "PathNotSupported", message)
}

/// When to try again after an answer that is only for now.
const SHORTLY: HeaderValue = HeaderValue::from_static("1");

/// Adds the ids of a request to its answer, and when to try again, where that may help.
pub fn with_ids(id: &RequestId, mut response: Response) -> Response {
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().entry(RETRY_AFTER).or_insert(SHORTLY);
    }
    // It is made of hexadecimal digits and hyphens.
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        for name in REQUEST_IDS {
            response.headers_mut().insert(name, id.clone());
        }
    }
    response
}
