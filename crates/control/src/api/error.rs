//! What is answered when nothing was done.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use claimgate_gateway::RequestId;
use serde::Serialize;
use utoipa::ToSchema;

use super::document::{Problem, Shown};
use super::kind::Kind;
use crate::answer::{ErrorAnswer, with_ids};
use crate::catalog::ApplyError;
use crate::secrets::Audience;
use crate::store::StoreError;

/// Why nothing was done.
#[derive(Debug)]
pub struct ApiError {
    answer: ErrorAnswer,
    problems: Vec<Problem>,
    current: Option<Box<Shown>>,
}

/// The body of every answer that is none of success.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    /// Found in the log, too.
    #[serde(rename = "RequestId")]
    request_id: String,
    /// For programs.
    #[serde(rename = "Code")]
    code: &'static str,
    /// For people.
    #[serde(rename = "Message")]
    message: String,
    /// All that is wrong with the documents, when something is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Problem>,
    /// The document as it is now, when it is not in the version that was expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<Box<Shown>>,
}

impl ApiError {
    pub fn not_found(kind: Kind, name: &str) -> Self {
        let (code, noun) = match kind {
            Kind::CustomDomains => ("DomainNameNotFound", "custom domain"),
            Kind::Functions => ("FunctionNotFound", "function"),
            Kind::Triggers => ("TriggerNotFound", "function with an HTTP trigger"),
        };
        ErrorAnswer::new(StatusCode::NOT_FOUND, code, format!("there is no {noun} {name:?}")).into()
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        ErrorAnswer::invalid(message).into()
    }
}

impl From<ErrorAnswer> for ApiError {
    fn from(answer: ErrorAnswer) -> Self {
        Self { answer, problems: Vec::new(), current: None }
    }
}

impl From<ApplyError> for ApiError {
    fn from(error: ApplyError) -> Self {
        let message = error.to_string();
        let of = |status, code| Self::from(ErrorAnswer::new(status, code, message.clone()));
        match error {
            ApplyError::ReadOnly => of(StatusCode::CONFLICT, "ReadOnly"),
            ApplyError::Declared { .. } => of(StatusCode::CONFLICT, "Declared"),
            ApplyError::Exists { .. } => of(StatusCode::PRECONDITION_FAILED, "PreconditionFailed"),
            ApplyError::NotFound { kind, name } => Self::not_found(Kind::of(kind), &name),
            ApplyError::Changed { current, .. } => Self {
                // Nothing was applied for anyone who may not write.
                current: current.and_then(|document| {
                    Some(Box::new(Shown::of(Kind::of(document.kind), &document, Audience::Editor)?))
                }),
                ..of(StatusCode::PRECONDITION_FAILED, "PreconditionFailed")
            },
            ApplyError::Invalid(problems) => Self {
                problems: problems.into_iter().map(Problem::from).collect(),
                ..of(StatusCode::BAD_REQUEST, "InvalidArgument")
            },
            ApplyError::Refused(_) => of(StatusCode::SERVICE_UNAVAILABLE, "ConfigurationUnavailable"),
            ApplyError::NotPermitted { .. } => ErrorAnswer::denied(message).into(),
            ApplyError::Busy => of(StatusCode::SERVICE_UNAVAILABLE, "ConcurrentUpdateError"),
            ApplyError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        ErrorAnswer::from(error).into()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Self { answer: ErrorAnswer { status, code, message }, problems, current } = self;
        let id = RequestId::now();
        let body = ErrorBody { request_id: id.to_string(), code, message, problems, current };
        with_ids(&id, (status, Json(body)).into_response())
    }
}
