//! Saving what was looked at, and deleting.

use askama::Template;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use claimgate_config::{DocumentKind, UnknownFields};

use super::review::{self, Judged};
use super::{Draft, Pages, changeable};
use crate::catalog::{ApplyError, Change, Expected};
use crate::console::layout::Layout;
use crate::console::signed_in::Posted;
use crate::console::{Console, SignedIn, page};

#[derive(Template)]
#[template(path = "documents/delete.html")]
struct DeletePage {
    layout: Layout,
    pages: &'static Pages,
    name: String,
    address: String,
    version: u64,
}

pub async fn save(
    State(console): State<Console>,
    Extension(kind): Extension<DocumentKind>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, Response> {
    let Posted { user, fields } = posted.by_editor()?;
    let is_new = fields.text("version").is_empty();
    let draft = Draft::of_fields(kind, Some(name.clone()).filter(|_| !is_new), &fields)
        .map_err(|message| page::error(StatusCode::BAD_REQUEST, Some(user.clone()), &message))?;
    let judged = console.catalog().apply(vec![draft.change()], &user.author()).await.into();
    match judged {
        Judged::Good(_) => {
            let page = format!("{}?done=saved", Pages::of(kind).address(&draft.document_name()));
            Ok(Redirect::to(&page).into_response())
        }
        judged => Ok(review::answer_or_form(&console, &user, &draft, judged).await),
    }
}

pub async fn ask_to_delete(
    State(console): State<Console>,
    Extension(kind): Extension<DocumentKind>,
    user: SignedIn,
    Path(name): Path<String>,
) -> Result<Response, Response> {
    let (user, document) = changeable(&console, user, kind, &name)?;
    let pages = Pages::of(kind);
    Ok(page::html(&DeletePage {
        layout: Layout::new(format!("Delete {}", document.name), pages.section, &user),
        pages,
        address: pages.address(&document.name),
        version: document.stored().map(|stored| stored.version).unwrap_or_default(),
        name: document.name,
    }))
}

pub async fn delete(
    State(console): State<Console>,
    Extension(kind): Extension<DocumentKind>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, Response> {
    let Posted { user, fields } = posted.by_editor()?;
    let change = Change {
        kind,
        name,
        expected: Expected::Version(fields.text("version").parse().unwrap_or_default()),
        document: None,
        unknown_fields: UnknownFields::Refused,
    };
    match console.catalog().apply(vec![change], &user.author()).await {
        Ok(_) => Ok(Redirect::to(&format!("{}?done=deleted", Pages::of(kind).list)).into_response()),
        Err(error) => {
            let message = match error {
                ApplyError::Changed { .. } => {
                    "It was changed meanwhile, so it was not deleted. Look at it again first.".to_owned()
                }
                ApplyError::Invalid(problems) => {
                    let told =
                        problems.iter().map(|found| format!("{}: {}", found.name, found.problem.message));
                    format!("Others need it, so it was not deleted. {}.", told.collect::<Vec<_>>().join("; "))
                }
                error => error.to_string(),
            };
            Err(page::error(StatusCode::CONFLICT, Some(user), &message))
        }
    }
}
