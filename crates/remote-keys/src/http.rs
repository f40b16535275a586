//! One GET, bounded in time, size, redirects and in what it connects to.
//!
//! A connection is made for each request: a fetch is rare, and what is connected to is judged each time.

mod connect;
mod deadline;

use std::error::Error;

use ::http::header::{ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, ETAG, HOST, IF_NONE_MATCH};
use ::http::header::{LOCATION, USER_AGENT};
use ::http::uri::PathAndQuery;
use ::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri};
use bytes::Bytes;
use claimgate_config::snapshot::RemoteJwksSettings;
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;

use crate::error::{FetchError, StartError};
use connect::Connector;
pub use deadline::Deadline;

/// Space for the head of an answer, in bytes.
const HEAD_BYTES: usize = 64 * 1024;

/// Fetches what a URL names.
#[derive(Debug)]
pub struct Client {
    connector: Connector,
    max_bytes: usize,
    max_redirects: usize,
}

/// What a URL names.
#[derive(Debug)]
pub enum Answer {
    /// This.
    Content {
        /// The head's fields.
        headers: HeaderMap,
        /// All of it.
        body: Bytes,
        /// By which a later answer may be told to be the same.
        validator: Option<Validator>,
    },
    /// The same as before (RFC 9110, 15.4.5).
    NotModified(HeaderMap),
}

/// An entity tag, and of which URL (RFC 9110, 8.8.3).
#[derive(Debug, Clone)]
pub struct Validator {
    url: Uri,
    etag: HeaderValue,
}

impl Client {
    pub fn new(settings: &RemoteJwksSettings) -> Result<Self, StartError> {
        let connector = Connector::new(settings)?;
        Ok(Self { connector, max_bytes: settings.max_bytes, max_redirects: settings.max_redirects })
    }

    /// Fetches what a URL names; with a validator the answer may be that it is the same as before.
    pub async fn get(
        &self,
        url: &Uri,
        validator: Option<&Validator>,
        deadline: Deadline,
    ) -> Result<Answer, FetchError> {
        let asked = url;
        let mut url = asked.clone();
        for _ in 0..=self.max_redirects {
            let etag = validator.filter(|validator| validator.url == url).map(|validator| &validator.etag);
            let stream = self.connector.connect(&url, deadline).await?;
            let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
                .max_buf_size(HEAD_BYTES)
                .handshake(TokioIo::new(stream))
                .await
                .map_err(broken)?;
            // Ends with this request, however it ends.
            let mut driver = JoinSet::new();
            driver.spawn(connection);
            let answer = sender.send_request(request(&url, etag)?);
            let answer = deadline.within("waiting for the answer", answer).await?.map_err(broken)?;
            match answer.status() {
                StatusCode::OK => return self.read(url, answer, deadline).await,
                StatusCode::NOT_MODIFIED if etag.is_some() => {
                    return Ok(Answer::NotModified(answer.into_parts().0.headers));
                }
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => {
                    let refused = |why| FetchError::Redirect { url: url.to_string(), why };
                    url = redirect(&url, answer.headers()).map_err(refused)?;
                }
                status => return Err(FetchError::Status { url: url.to_string(), status }),
            }
        }
        let why = format!("more than {} are not followed", self.max_redirects);
        Err(FetchError::Redirect { url: asked.to_string(), why })
    }

    async fn read(
        &self,
        url: Uri,
        answer: Response<Incoming>,
        deadline: Deadline,
    ) -> Result<Answer, FetchError> {
        let limit = self.max_bytes;
        let (parts, body) = answer.into_parts();
        let encoding = parts.headers.get(CONTENT_ENCODING);
        if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return Err(FetchError::Encoded { url: url.to_string() });
        }
        let too_large = || FetchError::TooLarge { url: url.to_string(), limit };
        if body.size_hint().lower() > limit as u64 {
            return Err(too_large());
        }
        let body = Limited::new(body, limit).collect();
        let body = match deadline.within("reading the answer", body).await? {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => return Err(too_large()),
            Err(error) => return Err(FetchError::Broken(with_causes(error.as_ref()))),
        };
        let etag = parts.headers.get(ETAG).cloned();
        let validator = etag.map(|etag| Validator { url, etag });
        Ok(Answer::Content { headers: parts.headers, body, validator })
    }
}

fn request(url: &Uri, etag: Option<&HeaderValue>) -> Result<Request<Empty<Bytes>>, FetchError> {
    let target = url.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    let host = url.authority().map_or("", |authority| authority.as_str());
    let host = HeaderValue::try_from(host).map_err(broken)?;
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = Uri::from(target);
    let headers = request.headers_mut();
    headers.insert(HOST, host);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, application/jwk-set+json"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("claimgate/", env!("CARGO_PKG_VERSION"))));
    if let Some(etag) = etag {
        headers.insert(IF_NONE_MATCH, etag.clone());
    }
    Ok(request)
}

/// Where a redirect leads: a URL, or a path on the same host. Never from `https` to `http`, where anybody
/// on the way could answer.
fn redirect(from: &Uri, headers: &HeaderMap) -> Result<Uri, String> {
    let location = headers.get(LOCATION).ok_or("does not say where to")?;
    let location = location.to_str().map_err(|_| "says where to in characters that no URL has")?;
    let location = location.split('#').next().unwrap_or_default();
    let scheme = from.scheme_str().unwrap_or_default();
    let authority = from.authority().map_or("", |authority| authority.as_str());
    let location = match location {
        network_path if network_path.starts_with("//") => format!("{scheme}:{network_path}"),
        path if path.starts_with('/') => format!("{scheme}://{authority}{path}"),
        url => url.to_owned(),
    };
    let to: Uri = location.parse().map_err(|_| "leads to what is no URL")?;
    let has_credentials = to.authority().is_some_and(|authority| authority.as_str().contains('@'));
    match to.scheme_str() {
        _ if has_credentials => Err("leads to a URL with a user name and password".to_owned()),
        Some("https") => Ok(to),
        Some("http") if scheme == "http" => Ok(to),
        Some("http") => Err("leads from https to http".to_owned()),
        _ => Err("leads neither to an http or https URL nor to a path".to_owned()),
    }
}

fn broken(error: impl Error) -> FetchError {
    FetchError::Broken(with_causes(&error))
}

/// An error's text with those of its causes.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn redirects_lead_to_urls_and_paths_and_never_down_to_http() {
        // (from, Location, where to)
        let cases = [
            ("https://a/x", "https://b/y?z", Some("https://b/y?z")),
            ("https://a:8443/x", "/y?z#f", Some("https://a:8443/y?z")),
            ("https://a/x", "//b/y", Some("https://b/y")),
            ("http://a/x", "//b/y", Some("http://b/y")),
            ("http://a/x", "http://b/y", Some("http://b/y")),
            ("http://a/x", "https://b/y", Some("https://b/y")),
            ("https://a/x", "HTTPS://b/y", Some("https://b/y")),
            ("https://a/x", "http://a/x", None),
            ("https://a/x", "HTTP://a/x", None),
            ("https://a/x", "y", None),
            ("https://a/x", "", None),
            ("https://a/x", "file:///etc/passwd", None),
            ("https://a/x", "https://user:password@b/", None),
            ("https://a/x", "//user@b/", None),
            ("https://a/x", "https://", None),
            ("https://a/x", "/a b", None),
        ];
        for (from, location, to) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(LOCATION, location.parse().unwrap());
            let found = redirect(&from.parse().unwrap(), &headers).ok().map(|uri| uri.to_string());
            assert_eq!(found.as_deref(), to, "{from} {location}");
        }
        assert!(redirect(&Uri::from_static("https://a/"), &HeaderMap::new()).is_err());
    }
}
