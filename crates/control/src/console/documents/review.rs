//! What saving would change, shown before it is done.

use askama::Template;
use axum::response::Response;
use claimgate_config::DocumentProblem;

use super::draft::{self, Draft};
use super::{Pages, Problems, conflict, form};
use crate::catalog::{Applied, ApplyError, Document};
use crate::console::diff::{Line, diff};
use crate::console::layout::Layout;
use crate::console::{Console, SignedIn, page};

#[derive(Template)]
#[template(path = "documents/review.html")]
struct ReviewPage {
    layout: Layout,
    pages: &'static Pages,
    name: String,
    is_new: bool,
    version: String,
    document: String,
    lines: Vec<Line>,
    warnings: Vec<String>,
    has_private_key: bool,
    save: String,
    edit: String,
    cancel: String,
}

/// What the catalog makes of a draft.
pub enum Judged {
    Good(Applied),
    Wrong(Vec<DocumentProblem>),
    /// It was changed meanwhile; `None` when it is gone.
    Conflict(Option<Box<Document>>),
    /// It cannot be done, whatever it says.
    Refused(ApplyError),
}

impl From<Result<Applied, ApplyError>> for Judged {
    fn from(result: Result<Applied, ApplyError>) -> Self {
        match result {
            Ok(applied) => Self::Good(applied),
            Err(ApplyError::Invalid(problems)) => Self::Wrong(problems),
            Err(ApplyError::Changed { current, .. }) => Self::Conflict(current),
            Err(error) => Self::Refused(error),
        }
    }
}

/// Judges a draft and shows what comes of it.
pub async fn show(console: &Console, user: &SignedIn, draft: &Draft) -> Response {
    let judged = judge(console, user, draft).await;
    answer_or_form(console, user, draft, judged).await
}

/// [`answer`], or the draft's form where something is wrong with it.
pub async fn answer_or_form(console: &Console, user: &SignedIn, draft: &Draft, judged: Judged) -> Response {
    match answer(console, user, draft, judged).await {
        Ok(page) => page,
        Err(problems) => form(console, user, draft, &problems),
    }
}

pub async fn judge(console: &Console, user: &SignedIn, draft: &Draft) -> Judged {
    console.catalog().check(vec![draft.change()], &user.author()).await.into()
}

/// The page that comes after a draft was judged, or saving it failed.
///
/// # Errors
///
/// What is wrong with the draft, for its form.
pub async fn answer(
    console: &Console,
    user: &SignedIn,
    draft: &Draft,
    judged: Judged,
) -> Result<Response, Problems> {
    match judged {
        Judged::Good(applied) => Ok(review(console, user, draft, &applied)),
        Judged::Conflict(current) => Ok(conflict::show(console, user, draft, current.as_deref()).await),
        Judged::Wrong(problems) => Err(Problems::of(&problems, draft)),
        Judged::Refused(error @ ApplyError::Exists { .. }) => {
            Err(Problems::one(Pages::of(draft.kind).name.1, error.to_string()))
        }
        Judged::Refused(error) => Err(Problems::one("", error.to_string())),
    }
}

fn review(console: &Console, user: &SignedIn, draft: &Draft, applied: &Applied) -> Response {
    let (pages, name) = (Pages::of(draft.kind), draft.document_name());
    let before = console.catalog().find(draft.kind, &name);
    let before = before.as_ref().map(draft::of_document);
    let after = applied.documents.first().map(draft::of_document);
    let (before, after) = draft::texts(draft.kind, before.as_ref(), after.as_ref());
    let is_new = draft.name.is_none();
    let address = pages.address(&name);
    let warning = |found: &DocumentProblem| found.problem.message.clone();
    page::html(&ReviewPage {
        layout: Layout::new("Review the changes", pages.section, user),
        pages,
        is_new,
        version: draft.version_text(),
        document: draft.json(),
        lines: diff(&before, &after),
        warnings: applied.warnings.iter().filter(|found| found.name == name).map(warning).collect(),
        has_private_key: draft.has_private_key(),
        save: format!("{address}/save"),
        edit: if is_new { pages.create.to_owned() } else { format!("{address}/modify") },
        cancel: if is_new { pages.list.to_owned() } else { address },
        name,
    })
}
