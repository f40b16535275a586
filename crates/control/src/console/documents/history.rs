//! What a document said before, and the way back to it.

use askama::Template;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use claimgate_config::DocumentKind;
use claimgate_jose::json::Object;

use super::draft::{self, Draft, for_viewers};
use super::{Pages, review};
use crate::catalog::Version;
use crate::console::diff::{Line, diff};
use crate::console::layout::Layout;
use crate::console::signed_in::Posted;
use crate::console::when::When;
use crate::console::{Console, SignedIn, page};

/// Versions on the page; older ones are told by the API.
const SHOWN: usize = 20;

#[derive(Template)]
#[template(path = "documents/history.html")]
struct HistoryPage {
    layout: Layout,
    pages: &'static Pages,
    name: String,
    address: String,
    /// The version that is in force, to roll back from.
    current: Option<u64>,
    versions: Vec<Shown>,
    more: usize,
}

struct Shown {
    number: u64,
    author: String,
    at: When,
    is_deletion: bool,
    is_current: bool,
    /// What it changed of the version before.
    lines: Vec<Line>,
}

pub async fn show(
    State(console): State<Console>,
    Extension(kind): Extension<DocumentKind>,
    user: SignedIn,
    Path(name): Path<String>,
) -> Result<Response, Response> {
    let catalog = console.catalog();
    let history = catalog.history(kind, &name).await;
    let mut history = history.map_err(|error| page::failed(&error))?;
    if history.is_empty() {
        let message = format!("Nothing is known of {name} from before.");
        return Err(page::error(StatusCode::NOT_FOUND, Some(user), &message));
    }
    let found = catalog.find(kind, &name);
    let current = found.as_ref().and_then(|found| found.stored()).map(|stored| stored.version);
    let more = history.len().saturating_sub(SHOWN);
    history.truncate(SHOWN + 1);
    let documents: Vec<Option<Object>> =
        history.iter().map(|one| Some(for_viewers(kind, one.json.as_deref()?))).collect();
    let before = documents.iter().skip(1).map(Option::as_ref).chain([None]);
    let versions = history.iter().zip(&documents).zip(before).take(SHOWN);
    let shown = |((version, document), before): ((&Version, &Option<Object>), Option<&Object>)| {
        let (before, after) = draft::texts(kind, before, document.as_ref());
        Shown {
            number: version.version,
            author: version.author.clone(),
            at: When::of(version.at),
            is_deletion: document.is_none(),
            is_current: current == Some(version.version),
            lines: diff(&before, &after),
        }
    };
    let versions = versions.map(shown).collect();
    let pages = Pages::of(kind);
    let layout = Layout::new("History", pages.section, &user);
    let address = pages.address(&name);
    Ok(page::html(&HistoryPage { layout, pages, name, address, current, versions, more }))
}

/// Shows what going back to a version would change.
pub async fn roll_back(
    State(console): State<Console>,
    Extension(kind): Extension<DocumentKind>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, Response> {
    let Posted { user, fields } = posted.by_editor()?;
    let to = fields.text("to").parse().ok();
    let Some(document) = version_of(&console, kind, &name, to).await? else {
        let message = "This version is not kept any more.";
        return Err(page::error(StatusCode::NOT_FOUND, Some(user), message));
    };
    let current = console.catalog().find(kind, &name);
    let version = current.as_ref().and_then(|current| current.stored()).map(|stored| stored.version);
    let draft = Draft { kind, name: version.map(|_| name), version, document };
    Ok(review::show(&console, &user, &draft).await)
}

/// What a document said in a version.
pub async fn version_of(
    console: &Console,
    kind: DocumentKind,
    name: &str,
    version: Option<u64>,
) -> Result<Option<Object>, Response> {
    let history = console.catalog().history(kind, name).await;
    let history = history.map_err(|error| page::failed(&error))?;
    let found = history.into_iter().find(|one| Some(one.version) == version);
    Ok(found.and_then(|one| one.json).map(|json| draft::for_editors(kind, &json)))
}
