//! Test: the page on which a request is made, and what it asks the server for.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use claimgate_gateway::{RequestId, error_body};
use serde::Deserialize;

use super::layout::{Layout, Section};
use super::test_request::{self, Host, TestRequest};
use super::{Console, OFFERED, SignedIn, page};

pub fn routes() -> Router<Console> {
    Router::new().route("/console/test", get(form).post(run)).route("/console/test/domain", get(domain))
}

#[derive(Template)]
#[template(path = "test.html")]
struct TestPage {
    layout: Layout,
    host: String,
    path: String,
    domains: Vec<Host>,
    http: String,
    https: String,
    may_send: bool,
}

#[derive(Deserialize)]
struct Chosen {
    /// A custom domain, or the host of an HTTP trigger.
    #[serde(default)]
    domain: String,
    path: Option<String>,
}

async fn form(State(console): State<Console>, user: SignedIn, Query(chosen): Query<Chosen>) -> Response {
    let domains = test_request::hosts(console.catalog().gateway(), OFFERED);
    let only = domains.first().filter(|only| domains.len() == 1 && !only.name.starts_with("*."));
    let only = || only.map(|only| only.name.clone()).unwrap_or_default();
    let host = if chosen.domain.is_empty() { only() } else { chosen.domain };
    let address = |is_https| {
        console.data_plane().address(is_https).map(|address| address.to_string()).unwrap_or_default()
    };
    page::html(&TestPage {
        layout: Layout::new("Test", Section::Test, &user),
        host,
        path: chosen.path.unwrap_or_else(|| "/".to_owned()),
        domains,
        http: address(false),
        https: address(true),
        may_send: user.is_editor(),
    })
}

async fn domain(State(console): State<Console>, _: SignedIn, Query(chosen): Query<Chosen>) -> Response {
    match test_request::facts(console.catalog().gateway(), &chosen.domain) {
        Some(facts) => Json(facts).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

async fn run(State(console): State<Console>, user: SignedIn, Json(request): Json<TestRequest>) -> Response {
    if request.send && !user.is_editor() {
        return refused(StatusCode::FORBIDDEN, "AccessDenied", "sending needs the role editor");
    }
    let gateway = console.catalog().gateway();
    match test_request::run(request, gateway, console.data_plane()).await {
        Ok(outcome) => page::html(&outcome),
        Err(why) => refused(StatusCode::BAD_REQUEST, "InvalidArgument", &why),
    }
}

fn refused(status: StatusCode, code: &str, message: &str) -> Response {
    let headers = [("content-type", "application/json")];
    (status, headers, error_body(&RequestId::now(), code, message)).into_response()
}
