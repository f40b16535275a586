//! A document as JSON: everything that it may say can be changed.

use askama::Template;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use claimgate_config::DocumentKind;
use claimgate_jose::json::Value;

use super::{Draft, Pages, changeable, review};
use crate::console::layout::Layout;
use crate::console::pretty::pretty;
use crate::console::signed_in::Posted;
use crate::console::{Console, SignedIn, page};

#[derive(Template)]
#[template(path = "documents/json.html")]
struct JsonPage<'a> {
    layout: Layout,
    pages: &'a Pages,
    name: &'a str,
    version: &'a str,
    document: &'a str,
    errors: Vec<String>,
}

pub async fn show(
    State(console): State<Console>,
    Extension(kind): Extension<DocumentKind>,
    user: SignedIn,
    Path(name): Path<String>,
) -> Result<Response, Response> {
    let (user, document) = changeable(&console, user, kind, &name)?;
    let draft = Draft::of_document(&document);
    let text = pretty(&Value::Object(draft.document.clone()));
    Ok(json_page(&user, kind, &document.name, &draft.version_text(), &text, Vec::new()))
}

pub async fn post(
    State(console): State<Console>,
    Extension(kind): Extension<DocumentKind>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, Response> {
    let Posted { user, fields } = posted.by_editor()?;
    let with_errors =
        |errors| json_page(&user, kind, &name, fields.text("version"), fields.text("document"), errors);
    let draft = match Draft::of_fields(kind, Some(name.clone()), &fields) {
        Ok(draft) => draft,
        Err(message) => return Ok(with_errors(vec![message])),
    };
    match review::judge(&console, &user, &draft).await {
        review::Judged::Wrong(problems) => {
            Ok(with_errors(problems.iter().map(|found| found.problem.to_string()).collect()))
        }
        judged => Ok(review::answer_or_form(&console, &user, &draft, judged).await),
    }
}

fn json_page(
    user: &SignedIn,
    kind: DocumentKind,
    name: &str,
    version: &str,
    document: &str,
    errors: Vec<String>,
) -> Response {
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let pages = Pages::of(kind);
    let layout = Layout::new("Edit as JSON", pages.section, user);
    (status, page::html(&JsonPage { layout, pages, name, version, document, errors })).into_response()
}
