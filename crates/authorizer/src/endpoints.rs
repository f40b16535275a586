//! What is answered under which path.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use claimgate_jose::json::{Object, Value};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, PRAGMA};
use http::{HeaderValue, StatusCode, Uri};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use tokio::time::timeout;
use tower_service::Service;

use crate::authorizer::{Authorizer, Issued, NotIssued, now};
use crate::client;
use crate::credentials::{BodyKind, Credentials};
use crate::published;
use crate::refusal::{self, Refusal};

const TOKEN: &str = "/token";
const JWKS: &str = "/.well-known/jwks.json";
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// The endpoints, below the issuer's path and without it, as a proxy may take it off.
#[derive(Clone)]
pub(crate) struct Endpoints {
    authorizer: Arc<Authorizer>,
    router: Router,
}

/// Whose request it is.
#[derive(Clone, Copy)]
struct Client(IpAddr);

/// What the log says of a request for a token.
#[derive(Clone)]
struct Told {
    outcome: &'static str,
    reason: &'static str,
    user: Option<String>,
    key: Option<String>,
}

impl Endpoints {
    pub(crate) fn new(authorizer: Arc<Authorizer>) -> Self {
        let mut router = Router::new().route("/healthz", get(health));
        let path = authorizer.configuration.issuer.path();
        for prefix in if path.is_empty() { vec![""] } else { vec!["", path] } {
            router = router
                .route(&format!("{prefix}{TOKEN}"), post(token))
                .route(&format!("{prefix}{JWKS}"), get(jwks))
                .route(&format!("{prefix}{DISCOVERY}"), get(discovery));
        }
        let router = router
            .fallback(not_found)
            .method_not_allowed_fallback(method_not_allowed)
            .with_state(Arc::clone(&authorizer));
        Self { authorizer, router }
    }

    /// Answers a request, and logs a line of it.
    pub(crate) async fn answer(
        &self,
        mut request: Request<Incoming>,
        peer: IpAddr,
    ) -> Result<Response, Infallible> {
        let started = Instant::now();
        let trusted = &self.authorizer.configuration.trusted_proxies;
        let client = client::address_of(peer, request.headers(), trusted);
        request.extensions_mut().insert(Client(client));
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.router.clone().call(request).await?;
        let status = response.status().as_u16();
        let duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let told = response.extensions().get::<Told>();
        if let Some(Told { outcome, reason, .. }) = told {
            self.authorizer.metrics.count_token_request(outcome, reason);
        }
        let (outcome, reason) = (told.map(|told| told.outcome), told.map(|told| told.reason));
        let user = told.and_then(|told| told.user.as_deref());
        let key = told.and_then(|told| told.key.as_deref());
        tracing::info!(
            client = %client, %method, path, status, outcome, reason, user, key, duration_us, "request"
        );
        Ok(response)
    }
}

async fn token(State(authorizer): State<Arc<Authorizer>>, request: Request) -> Response {
    match issue(&authorizer, request).await {
        Ok(Issued { token, key_id, username }) => {
            let mut body = Object::new();
            body.insert("access_token", token);
            body.insert("token_type", "Bearer");
            body.insert("expires_in", authorizer.configuration.token_lifetime.as_secs());
            let mut response = json(body, "no-store");
            response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
            let (user, key) = (Some(username), Some(key_id));
            response.extensions_mut().insert(Told { outcome: "accepted", reason: "issued", user, key });
            response
        }
        Err(NotIssued { refusal, username: user }) => {
            let outcome = if refusal.is_refusal() { "refused" } else { "failed" };
            let mut response = refusal.into_response();
            response.extensions_mut().insert(Told { outcome, reason: refusal.reason(), user, key: None });
            response
        }
    }
}

async fn issue(authorizer: &Authorizer, request: Request) -> Result<Issued, NotIssued> {
    let Some(Client(client)) = request.extensions().get().copied() else {
        return Err(NotIssued::of(Refusal::Internal));
    };
    let configuration = &authorizer.configuration;
    let kind = BodyKind::of(request.headers()).map_err(NotIssued::of)?;
    let reading = read(request.into_body(), configuration.limits.body_bytes);
    let body = timeout(configuration.timeouts.body_read, reading)
        .await
        .unwrap_or(Err(Refusal::BodyTooLate))
        .map_err(NotIssued::of)?;
    let credentials = Credentials::parse(kind, &body, configuration.limits.password_bytes);
    authorizer.log_in(credentials.map_err(NotIssued::of)?, client).await
}

async fn read(body: Body, limit: usize) -> Result<Bytes, Refusal> {
    match Limited::new(body, limit).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::BodyTooLong),
        Err(_) => Err(Refusal::Malformed("the body breaks off")),
    }
}

async fn jwks(State(authorizer): State<Arc<Authorizer>>) -> Response {
    let max_age = published::max_age(authorizer.configuration.keys.publish_ahead);
    json(published::jwks(&authorizer.keys(), now()), &format!("public, max-age={max_age}"))
}

async fn discovery(State(authorizer): State<Arc<Authorizer>>) -> Response {
    let issuer = &authorizer.configuration.issuer;
    let (jwks_uri, token_endpoint) = (issuer.endpoint(JWKS), issuer.endpoint(TOKEN));
    let document = published::discovery(
        issuer.url(),
        &jwks_uri,
        &token_endpoint,
        &authorizer.configuration.claims,
        authorizer.keys().published(now()),
    );
    let max_age = published::max_age(authorizer.configuration.keys.publish_ahead);
    json(document, &format!("public, max-age={max_age}"))
}

/// Answers as long as the process serves, whatever becomes of the database.
pub(crate) async fn health() -> &'static str {
    "ok\n"
}

pub(crate) async fn not_found(uri: Uri) -> Response {
    let description = format!("there is nothing at {}", uri.path());
    refusal::error(StatusCode::NOT_FOUND, "not_found", &description)
}

pub(crate) async fn method_not_allowed(uri: Uri) -> Response {
    let method = if uri.path().ends_with(TOKEN) { "POST" } else { "GET" };
    let description = format!("this path is for {method}");
    refusal::error(StatusCode::METHOD_NOT_ALLOWED, "invalid_request", &description)
}

fn json(body: Object, cache_control: &str) -> Response {
    let headers = [(CONTENT_TYPE, "application/json".to_owned()), (CACHE_CONTROL, cache_control.to_owned())];
    (headers, Value::Object(body).to_string()).into_response()
}
