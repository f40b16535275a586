//! Requests to functions and their answers.

use http::{Method, StatusCode, Uri, Version};

use crate::body::request::RequestBody;
use crate::body::response::ResponseBody;
use crate::fields::Fields;

/// A request.
#[derive(Debug)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// Its target.
    pub uri: Uri,
    /// What the client speaks; functions are spoken to as they need it.
    pub version: Version,
    /// Its header.
    pub fields: Fields,
    /// Its body.
    pub body: RequestBody,
}

/// An answer.
#[derive(Debug)]
pub struct Response {
    /// Its status.
    pub status: StatusCode,
    /// Its header.
    pub fields: Fields,
    /// Its body.
    pub body: ResponseBody,
}

impl Response {
    /// An answer without fields.
    pub fn new(status: StatusCode, body: ResponseBody) -> Self {
        Self { status, fields: Fields::default(), body }
    }
}

impl From<http::Request<RequestBody>> for Request {
    fn from(request: http::Request<RequestBody>) -> Self {
        let (head, body) = request.into_parts();
        let fields = Fields::from(&head.headers);
        Self { method: head.method, uri: head.uri, version: head.version, fields, body }
    }
}

impl From<Request> for http::Request<RequestBody> {
    fn from(request: Request) -> Self {
        let mut asked = Self::new(request.body);
        *asked.method_mut() = request.method;
        *asked.uri_mut() = request.uri;
        *asked.version_mut() = request.version;
        *asked.headers_mut() = (&request.fields).into();
        asked
    }
}

impl From<Response> for http::Response<ResponseBody> {
    fn from(response: Response) -> Self {
        let mut answer = Self::new(response.body);
        *answer.status_mut() = response.status;
        *answer.headers_mut() = (&response.fields).into();
        answer
    }
}
