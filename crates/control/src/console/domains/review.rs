//! What saving would change, shown before it is done.

use askama::Template;
use axum::response::Response;
use claimgate_config::{DocumentKind, DocumentProblem};

use super::draft::{self, Draft};
use super::form::DomainForm;
use super::problems::Problems;
use super::{conflict, edit};
use crate::catalog::{Applied, ApplyError, Document};
use crate::console::diff::{Line, diff};
use crate::console::layout::{Layout, Section};
use crate::console::{Console, SignedIn, page};

#[derive(Template)]
#[template(path = "domains/review.html")]
struct ReviewPage {
    layout: Layout,
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
    Refused(Problems),
}

impl From<Result<Applied, ApplyError>> for Judged {
    fn from(result: Result<Applied, ApplyError>) -> Self {
        match result {
            Ok(applied) => Self::Good(applied),
            Err(ApplyError::Invalid(problems)) => Self::Wrong(problems),
            Err(ApplyError::Changed { current, .. }) => Self::Conflict(current),
            Err(error @ ApplyError::Exists { .. }) => {
                Self::Refused(Problems::one("domain-name", error.to_string()))
            }
            Err(error) => Self::Refused(Problems::one("", error.to_string())),
        }
    }
}

/// Judges a draft and shows what comes of it; `sent` is the form that it was made of.
pub async fn show(console: &Console, user: &SignedIn, draft: Draft, sent: Option<DomainForm>) -> Response {
    let judged = judge(console, user, &draft).await;
    answer(console, user, draft, judged, sent).await
}

pub async fn judge(console: &Console, user: &SignedIn, draft: &Draft) -> Judged {
    console.catalog().check(vec![draft.change()], &user.name).await.into()
}

/// The page that comes after a draft was judged, or saving it failed.
pub async fn answer(
    console: &Console,
    user: &SignedIn,
    draft: Draft,
    judged: Judged,
    sent: Option<DomainForm>,
) -> Response {
    let problems = match judged {
        Judged::Good(applied) => return review(console, user, &draft, &applied),
        Judged::Conflict(current) => return conflict::show(console, user, &draft, current.as_deref()).await,
        Judged::Wrong(problems) => Problems::of(&problems, &draft.domain_name()),
        Judged::Refused(problems) => problems,
    };
    edit::form(console, user, Some(&draft), &problems, sent, false)
}

fn review(console: &Console, user: &SignedIn, draft: &Draft, applied: &Applied) -> Response {
    let name = draft.domain_name();
    let before = console.catalog().find(DocumentKind::CustomDomain, &name);
    let before = before.as_ref().map(draft::of_document);
    let after = applied.documents.first().map(draft::of_document);
    let (before, after) = draft::texts(before.as_ref(), after.as_ref());
    let is_new = draft.name.is_none();
    let warning = |found: &DocumentProblem| found.problem.message.clone();
    page::html(&ReviewPage {
        layout: Layout::new("Review the changes", Section::CustomDomains, user),
        is_new,
        version: draft.version.map(|version| version.to_string()).unwrap_or_default(),
        document: draft.json(),
        lines: diff(&before, &after),
        warnings: applied.warnings.iter().filter(|found| found.name == name).map(warning).collect(),
        has_private_key: draft.has_private_key(),
        save: format!("{}/save", super::address(&name)),
        edit: if is_new {
            "/console/create/custom-domain".to_owned()
        } else {
            format!("{}/modify", super::address(&name))
        },
        cancel: if is_new { super::LIST.to_owned() } else { super::address(&name) },
        name,
    })
}
