//! Somebody else has changed the same document meanwhile: both sides.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::Pages;
use super::draft::{self, Draft};
use super::history::version_of;
use crate::catalog::Document;
use crate::console::diff::{Line, diff};
use crate::console::layout::Layout;
use crate::console::when::When;
use crate::console::{Console, SignedIn, page};

#[derive(Template)]
#[template(path = "documents/conflict.html")]
struct ConflictPage {
    layout: Layout,
    pages: &'static Pages,
    name: String,
    address: String,
    /// `None` when the document was deleted.
    theirs: Option<Theirs>,
    /// What the user has changed.
    yours: Vec<Line>,
    document: String,
    edit: String,
}

struct Theirs {
    version: u64,
    author: String,
    changed: When,
    lines: Vec<Line>,
}

/// Shows what both have changed since the version that both began with.
pub async fn show(console: &Console, user: &SignedIn, draft: &Draft, current: Option<&Document>) -> Response {
    let (pages, name) = (Pages::of(draft.kind), draft.document_name());
    let base = match version_of(console, draft.kind, &name, draft.version).await {
        Ok(base) => base,
        Err(answer) => return answer,
    };
    let theirs =
        current.and_then(|document| Some((document, document.stored()?))).map(|(document, stored)| {
            let (before, after) =
                draft::texts(draft.kind, base.as_ref(), Some(&draft::of_document(document)));
            Theirs {
                version: stored.version,
                author: stored.author.clone(),
                changed: When::of(stored.modified),
                lines: diff(&before, &after),
            }
        });
    let (before, after) = draft::texts(draft.kind, base.as_ref(), Some(&draft.document));
    let address = pages.address(&name);
    let page = ConflictPage {
        layout: Layout::new("Changed meanwhile", pages.section, user),
        pages,
        edit: match theirs {
            Some(_) => format!("{address}/modify"),
            None => pages.create.to_owned(),
        },
        name,
        address,
        theirs,
        yours: diff(&before, &after),
        document: draft.json(),
    };
    (StatusCode::CONFLICT, page::html(&page)).into_response()
}
