//! The built-in function `echo`: answers with the request that it received, so that what arrives at a
//! function can be looked at.

mod form;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, COOKIE};
use http::{HeaderValue, Method, StatusCode};
use http_body_util::BodyExt;
use serde::Serialize;

use crate::body::response::ResponseBody;
use crate::body::upload::Upload;
use crate::error::{InvokeError, RequestBodyError};
use crate::fields::Fields;
use crate::message::{Request, Response};

/// Largest body that is answered with, in bytes.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// What arrived. Repeated names stay repeated, in the order in which they came.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Echo<'a> {
    function: &'a str,
    method: &'a str,
    /// As it was sent.
    path: &'a str,
    /// As it was sent; empty when there is none.
    query_string: &'a str,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    cookies: Vec<(String, String)>,
    form: Vec<(String, Content)>,
    body: Content,
}

/// Bytes in JSON: as text when they are UTF-8, else in base64 (RFC 4648 section 4).
#[derive(Serialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Base64 { base64: String },
}

#[derive(Serialize)]
struct TooLarge<'a> {
    function: &'a str,
    error: &'a str,
}

/// Answers a request.
pub(crate) async fn answer(
    function: &str,
    request: Request,
    idle: Duration,
) -> Result<Response, InvokeError> {
    let Request { method, uri, fields, body, .. } = request;
    let (upload, _) = Upload::new(body, idle);
    let Some(body) = collect(upload).await.map_err(InvokeError::RequestBody)? else {
        let answer = TooLarge { function, error: "echo takes a body of at most 16 MiB" };
        return Ok(respond(StatusCode::PAYLOAD_TOO_LARGE, &method, json(&answer)));
    };
    let content_type = fields.get(&CONTENT_TYPE).and_then(|value| str::from_utf8(value).ok());
    let form = form::parse(content_type.unwrap_or_default(), &body).await;
    let query_string = uri.query().unwrap_or_default();
    let answer = Echo {
        function,
        method: method.as_str(),
        path: uri.path(),
        query_string,
        query: form_urlencoded::parse(query_string.as_bytes()).into_owned().collect(),
        headers: fields.iter().map(|(name, value)| (text(name), text(value))).collect(),
        cookies: cookies(&fields),
        form,
        body: Content::from(&body),
    };
    Ok(respond(StatusCode::OK, &method, answer.to_json()))
}

impl Echo<'_> {
    /// One pair a line, which is how people compare what they sent with what arrived.
    fn to_json(&self) -> String {
        let members = [
            ("function", json(&self.function)),
            ("method", json(&self.method)),
            ("path", json(&self.path)),
            ("queryString", json(&self.query_string)),
            ("query", lines(&self.query)),
            ("headers", lines(&self.headers)),
            ("cookies", lines(&self.cookies)),
            ("form", lines(&self.form)),
            ("body", json(&self.body)),
        ];
        let members: Vec<String> =
            members.into_iter().map(|(name, value)| format!("  \"{name}\": {value}")).collect();
        format!("{{\n{}\n}}", members.join(",\n"))
    }
}

fn lines(pairs: &[impl Serialize]) -> String {
    if pairs.is_empty() {
        return "[]".to_owned();
    }
    let pairs: Vec<String> = pairs.iter().map(|pair| format!("    {}", json(pair))).collect();
    format!("[\n{}\n  ]", pairs.join(",\n"))
}

fn json(value: &impl Serialize) -> String {
    // Strings and pairs of strings always become JSON.
    serde_json::to_string(value).unwrap_or_default()
}

impl From<&Bytes> for Content {
    fn from(bytes: &Bytes) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Base64 { base64: STANDARD.encode(bytes) },
        }
    }
}

/// The whole body, or `None` when it is too large.
async fn collect(mut upload: Upload) -> Result<Option<Bytes>, RequestBodyError> {
    let mut body = BytesMut::new();
    while let Some(frame) = upload.frame().await {
        let Ok(piece) = frame?.into_data() else {
            continue;
        };
        if body.len() + piece.len() > MAX_BODY {
            return Ok(None);
        }
        body.extend_from_slice(&piece);
    }
    Ok(Some(body.freeze()))
}

/// Cookies of all `Cookie` headers, values as they were sent (RFC 6265 section 4.2.1).
fn cookies(fields: &Fields) -> Vec<(String, String)> {
    let headers = fields.get_all(&COOKIE).map(text);
    headers.flat_map(|header| header.split(';').filter_map(cookie).collect::<Vec<_>>()).collect()
}

fn cookie(pair: &str) -> Option<(String, String)> {
    let pair = pair.trim();
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    (!pair.is_empty()).then(|| (name.trim().to_owned(), value.trim().to_owned()))
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

fn respond(status: StatusCode, method: &Method, mut json: String) -> Response {
    json.push('\n');
    let length = json.len();
    let body = if *method == Method::HEAD { Bytes::new() } else { Bytes::from(json) };
    let mut response = Response::new(status, ResponseBody::from(body));
    response.fields.append(&CONTENT_TYPE, &HeaderValue::from_static("application/json"));
    response.fields.append(&CONTENT_LENGTH, &HeaderValue::from(length));
    response
}
