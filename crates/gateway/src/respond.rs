//! Answers that the gateway makes itself.

use std::time::SystemTime;

use bytes::Bytes;
use claimgate_functions::{Response, ResponseBody};
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, StatusCode, Version};

use crate::rejection::Rejection;
use crate::request_id::RequestId;

/// The answer to a request that got none of a function.
pub fn rejection(rejection: &Rejection, id: &RequestId, domain: Option<&str>, version: Version) -> Response {
    let body = error_body(id, rejection.code(), &rejection.public_message());
    let mut response = Response::new(rejection.status(), Bytes::from(body).into());
    let fields = &mut response.fields;
    fields.append(&CONTENT_TYPE, &HeaderValue::from_static("application/json"));
    id.add_to(fields);
    if rejection.status() == StatusCode::UNAUTHORIZED {
        fields.append(&WWW_AUTHENTICATE, &challenge(rejection, domain.unwrap_or_default()));
    }
    if let Rejection::HttpsOnly { location } = rejection
        && let Ok(location) = HeaderValue::try_from(location)
    {
        fields.append(&LOCATION, &location);
    }
    if let Some(retry_after) = rejection.retry_after() {
        fields.append(&RETRY_AFTER, &HeaderValue::from(retry_after.as_secs()));
    }
    if let Rejection::MethodNotAllowed(methods) = rejection {
        fields.append(&ALLOW, &allow(methods));
    }
    if rejection.ends_connection() && version < Version::HTTP_2 {
        fields.append(&CONNECTION, &HeaderValue::from_static("close"));
    }
    response
}

/// RFC 8555, 8.3.
pub fn acme_challenge(key_authorization: String, id: &RequestId) -> Response {
    let mut response = Response::new(StatusCode::OK, Bytes::from(key_authorization).into());
    response.fields.append(&CONTENT_TYPE, &HeaderValue::from_static("application/octet-stream"));
    id.add_to(&mut response.fields);
    response
}

/// What a client is sent on a connection on which nothing is read, as too many are open.
pub fn too_many_connections() -> Vec<u8> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let id = RequestId::next(now);
    let body = error_body(&id, "ServiceUnavailable", "too many connections are open");
    let length = body.len();
    format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         x-fc-request-id: {id}\r\nretry-after: 1\r\nconnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

/// The answer to a preflight request, without the headers that say what it may do.
pub fn preflight(id: &RequestId) -> Response {
    let mut response = Response::new(StatusCode::NO_CONTENT, ResponseBody::empty());
    id.add_to(&mut response.fields);
    response
}

/// The body of every error that claimgate answers, in the shape that Function Compute's SDKs read.
pub fn error_body(id: &RequestId, code: &str, message: &str) -> String {
    // The id is hexadecimal digits and hyphens, the code a word.
    let message = serde_json::Value::from(message);
    format!(r#"{{"RequestId":"{id}","Code":"{code}","Message":{message}}}"#)
}

/// RFC 6750, 3: a request without a token is told no error.
fn challenge(rejection: &Rejection, realm: &str) -> HeaderValue {
    let challenge = match rejection {
        Rejection::MissingToken(_) => format!("Bearer realm=\"{realm}\""),
        _ => {
            let description = rejection.public_message();
            format!("Bearer realm=\"{realm}\", error=\"invalid_token\", error_description=\"{description}\"")
        }
    };
    // A domain name has no character that needs quoting.
    HeaderValue::try_from(challenge).unwrap_or_else(|_| HeaderValue::from_static("Bearer"))
}

fn allow(methods: &[Method]) -> HeaderValue {
    let mut names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    names.sort_unstable();
    names.dedup();
    HeaderValue::try_from(names.join(", ")).unwrap_or_else(|_| HeaderValue::from_static(""))
}
