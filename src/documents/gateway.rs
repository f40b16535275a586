//! Calls a gateway's API, each request signed.

use std::time::{Duration, SystemTime};

use claimgate_control::acs3::{self, Credentials};
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderValue, Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio::time::timeout;

pub use http::Method;

use super::profile::Connection;
use crate::failure::Failure;

/// A change of 100,000 domains takes some seconds.
const PATIENCE: Duration = Duration::from_secs(120);
const MAX_ANSWER: usize = 512 * 1024 * 1024;

/// All but the unreserved characters of RFC 3986, 2.3.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A gateway that is called.
pub struct Gateway {
    endpoint: String,
    authority: HeaderValue,
    credentials: Credentials,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// A segment of a path, or a value of a query.
pub fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

impl Gateway {
    /// Looks up where it is and who calls; nothing is sent yet.
    pub fn connect(connection: &Connection) -> Result<Self, Failure> {
        let profile = connection.profile()?;
        let endpoint = profile.endpoint.trim_end_matches('/').to_owned();
        let right = "expected the URL of an admin listener, as http://127.0.0.1:8081";
        let uri: Uri = endpoint.parse().map_err(|_| Failure::unusable(right))?;
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'));
        let (Some("http" | "https"), Some(authority)) = (uri.scheme_str(), authority) else {
            return Err(Failure::unusable(right));
        };
        let authority = HeaderValue::from_str(authority.as_str()).map_err(|_| Failure::unusable(right))?;
        let tls = claimgate_tls::client_config(profile.ca_file.as_deref()).map_err(Failure::Unusable)?;
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        let credentials = Credentials { id: profile.access_key_id, secret: profile.access_key_secret };
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { endpoint, authority, credentials, client })
    }

    /// What is at a path; `None` when nothing is.
    pub async fn find(&self, target: &str) -> Result<Option<Value>, Failure> {
        match self.send(Method::GET, target, None).await? {
            (404, _) => Ok(None),
            answer => judged(answer).map(Some),
        }
    }

    /// The answer to a request; one that is none of success is a failure.
    pub async fn call(&self, method: Method, target: &str, body: Option<&Value>) -> Result<Value, Failure> {
        judged(self.send(method, target, body).await?)
    }

    async fn send(
        &self,
        method: Method,
        target: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value), Failure> {
        let body = body.map_or_else(String::new, Value::to_string);
        let mut request = Request::new(Full::new(Bytes::from(body.clone())));
        *request.method_mut() = method;
        *request.uri_mut() = format!("{}{target}", self.endpoint).parse().map_err(Failure::unusable)?;
        request.headers_mut().insert(HOST, self.authority.clone());
        if !body.is_empty() {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let (mut parts, content) = request.into_parts();
        acs3::sign(&mut parts, body.as_bytes(), &self.credentials, SystemTime::now())
            .map_err(Failure::unusable)?;
        let unreachable =
            |why: &dyn std::fmt::Display| Failure::Unusable(format!("cannot reach {}: {why}", self.endpoint));
        let answer = timeout(PATIENCE, async {
            let answer = self.client.request(Request::from_parts(parts, content)).await;
            let answer = answer.map_err(|error| unreachable(&causes(&error)))?;
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
            Ok((status, body.map_err(|error| unreachable(&error))?.to_bytes()))
        });
        let (status, body) = answer.await.map_err(|_| unreachable(&"no answer in time"))??;
        if body.is_empty() {
            return Ok((status, Value::Null));
        }
        let value = serde_json::from_slice(&body);
        value.map(|value| (status, value)).map_err(|_| {
            let why = format!("{} answers {status} without JSON; is it the admin listener?", self.endpoint);
            Failure::Unusable(why)
        })
    }
}

/// The answer itself, or what it says is wrong.
fn judged((status, answer): (u16, Value)) -> Result<Value, Failure> {
    if (200..300).contains(&status) {
        return Ok(answer);
    }
    let text =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut message = format!("{}: {}", text(&answer, "Code"), text(&answer, "Message"));
    let problems = answer.get("problems").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for problem in problems {
        let [name, field, what] = ["name", "field", "message"].map(|name| text(problem, name));
        message.push_str(&format!("\n  {name}: {field}{}{what}", if field.is_empty() { "" } else { ": " }));
    }
    Err(Failure::Refused(message))
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut error = error.source();
    while let Some(cause) = error {
        text.push_str(&format!(": {cause}"));
        error = cause.source();
    }
    text
}
