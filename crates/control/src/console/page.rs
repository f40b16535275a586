//! Pages as answers.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use super::layout::{Layout, Section, Theme};
use super::signed_in::SignedIn;
use crate::store::StoreError;

/// A page or a part of one.
pub fn html(template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => {
            tracing::error!("a page cannot be made: {error}");
            (StatusCode::INTERNAL_SERVER_ERROR, "this page cannot be made\n").into_response()
        }
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    layout: Layout,
    message: &'a str,
}

/// A page that says what went wrong and what can be done.
pub fn error(status: StatusCode, user: Option<SignedIn>, message: &str) -> Response {
    let title = match status {
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::FORBIDDEN => "Not allowed",
        _ => "Something went wrong",
    };
    let layout = match user {
        Some(user) => Layout::new(title, Section::None, &user),
        None => Layout::before_sign_in(title, Theme::System),
    };
    (status, html(&ErrorPage { layout, message })).into_response()
}

/// The store does not do what it should.
pub fn failed(why: &StoreError) -> Response {
    tracing::error!("the console cannot use the store: {why}");
    error(StatusCode::SERVICE_UNAVAILABLE, None, &format!("The store does not answer: {why}."))
}

/// There is no such page.
pub async fn not_found(user: SignedIn) -> Response {
    error(StatusCode::NOT_FOUND, Some(user), "There is no such page.")
}
