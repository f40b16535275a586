//! Why no token is issued: what the client learns of it, and what the operator does.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use claimgate_jose::json::{Object, Value};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, PRAGMA, RETRY_AFTER};
use http::{HeaderValue, StatusCode};

use claimgate_login::{HashingError, Subject, TooMany};

/// Why a request for a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A parameter is missing, repeated, too long or no text.
    Malformed(&'static str),
    /// `grant_type` is not `password`.
    UnsupportedGrantType,
    /// Neither JSON nor a form.
    UnsupportedMediaType,
    /// The body is too long.
    BodyTooLong,
    /// The body did not come in time.
    BodyTooLate,
    /// There is no such user.
    UnknownUser,
    /// The password is another.
    WrongPassword,
    /// Too many failures before.
    TooManyAttempts(TooMany),
    /// Too many passwords are being verified.
    Busy,
    /// The database does not answer as it should.
    UsersUnavailable,
    /// Nothing that a client could do anything about.
    Internal,
}

impl From<HashingError> for Refusal {
    fn from(error: HashingError) -> Self {
        match error {
            HashingError::Busy => Self::Busy,
            HashingError::Failed => Self::Internal,
        }
    }
}

/// The one answer to a wrong name and to a wrong password.
const INVALID_GRANT: &str = "the username or the password is wrong";

impl Refusal {
    /// The word for logs and metrics.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed_request",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::BodyTooLong => "body_too_long",
            Self::BodyTooLate => "body_too_late",
            Self::UnknownUser => "unknown_user",
            Self::WrongPassword => "wrong_password",
            Self::TooManyAttempts(TooMany { subject: Subject::User, .. }) => "too_many_attempts_of_user",
            Self::TooManyAttempts(TooMany { subject: Subject::Address, .. }) => {
                "too_many_attempts_of_address"
            }
            Self::Busy => "busy",
            Self::UsersUnavailable => "users_unavailable",
            Self::Internal => "internal_error",
        }
    }

    /// Whether it is the request's fault.
    pub(crate) fn is_refusal(self) -> bool {
        self.status().is_client_error()
    }

    fn status(self) -> StatusCode {
        match self {
            // 400 as RFC 6749 section 5.2 says. A 401 would need a challenge (RFC 9110 section 15.5.2), and
            // the only one that browsers know makes them ask for a password themselves.
            Self::Malformed(_) | Self::UnsupportedGrantType | Self::UnknownUser | Self::WrongPassword => {
                StatusCode::BAD_REQUEST
            }
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTooLate => StatusCode::REQUEST_TIMEOUT,
            Self::TooManyAttempts(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy | Self::UsersUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// A code of RFC 6749 (sections 5.2 and 4.1.2.1) or RFC 8628 (section 3.5).
    fn error(self) -> &'static str {
        match self {
            Self::UnknownUser | Self::WrongPassword => "invalid_grant",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::Malformed(_) | Self::UnsupportedMediaType | Self::BodyTooLong | Self::BodyTooLate => {
                "invalid_request"
            }
            Self::TooManyAttempts(_) => "slow_down",
            Self::Busy | Self::UsersUnavailable => "temporarily_unavailable",
            Self::Internal => "server_error",
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::Malformed(why) => why,
            Self::UnsupportedGrantType => "the only grant_type is password",
            Self::UnsupportedMediaType => {
                "send application/json or application/x-www-form-urlencoded, in UTF-8"
            }
            Self::BodyTooLong => "the body is too long",
            Self::BodyTooLate => "the body did not come in time",
            Self::UnknownUser | Self::WrongPassword => INVALID_GRANT,
            Self::TooManyAttempts(_) => "too many failed attempts; try again after Retry-After seconds",
            Self::Busy | Self::UsersUnavailable => "no password can be checked now; try again later",
            Self::Internal => "no token can be issued",
        }
    }

    fn retry_after(self) -> Option<u64> {
        match self {
            Self::TooManyAttempts(TooMany { wait, .. }) => Some(whole_seconds(wait)),
            Self::Busy => Some(1),
            Self::UsersUnavailable => Some(5),
            _ => None,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = error(self.status(), self.error(), self.description());
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
        if let Some(seconds) = self.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// An answer of the shape that RFC 6749 section 5.2 gives to errors.
pub(crate) fn error(status: StatusCode, error: &str, description: &str) -> Response {
    let mut body = Object::new();
    body.insert("error", error);
    body.insert("error_description", description);
    (status, [(CONTENT_TYPE, "application/json")], Value::Object(body).to_string()).into_response()
}

fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
