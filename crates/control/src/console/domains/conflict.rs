//! Somebody else has changed the same domain meanwhile: both sides.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::draft::{self, Draft};
use super::edit;
use crate::catalog::Document;
use crate::console::diff::{Line, diff};
use crate::console::layout::{Layout, Section};
use crate::console::when::When;
use crate::console::{Console, SignedIn, page};

#[derive(Template)]
#[template(path = "domains/conflict.html")]
struct ConflictPage {
    layout: Layout,
    name: String,
    address: String,
    /// `None` when the domain was deleted.
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
    let name = draft.domain_name();
    let base = match edit::version_of(console, &name, draft.version).await {
        Ok(base) => base,
        Err(answer) => return answer,
    };
    let theirs =
        current.and_then(|document| Some((document, document.stored()?))).map(|(document, stored)| {
            let (before, after) = draft::texts(base.as_ref(), Some(&draft::of_document(document)));
            Theirs {
                version: stored.version,
                author: stored.author.clone(),
                changed: When::of(stored.modified),
                lines: diff(&before, &after),
            }
        });
    let (before, after) = draft::texts(base.as_ref(), Some(&draft.document));
    let address = super::address(&name);
    let page = ConflictPage {
        layout: Layout::new("Changed meanwhile", Section::CustomDomains, user),
        edit: match theirs {
            Some(_) => format!("{address}/modify"),
            None => "/console/create/custom-domain".to_owned(),
        },
        name,
        address,
        theirs,
        yours: diff(&before, &after),
        document: draft.json(),
    };
    (StatusCode::CONFLICT, page::html(&page)).into_response()
}
