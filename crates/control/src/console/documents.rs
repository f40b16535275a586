//! What the pages of custom domains and of functions share: the look at what a change would do, saving and
//! deleting, conflicts, history, the document as JSON, and the parts of the forms that both have.

mod conflict;
mod draft;
mod edit;
mod history;
mod json;
mod listing;
mod review;
mod save;
mod source;

pub mod authentication;
pub mod member;
pub mod problems;
pub mod rows;

use axum::Router;
use axum::extract::Extension;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use claimgate_config::DocumentKind;

use draft::Draft;
pub use draft::{for_editors, for_viewers, text};
pub use edit::{DocumentForm, Editing};
pub use listing::Listing;
pub use problems::Problems;
pub use source::Source;

use super::domains::DomainForm;
use super::form::Fields;
use super::functions::FunctionForm;
use super::layout::Section;
use super::signed_in::Posted;
use super::{Console, SignedIn, page};
use crate::catalog::Document;

/// What the pages of a kind of documents are called, and where they are.
pub struct Pages {
    pub section: Section,
    /// The list.
    pub list: &'static str,
    /// The form of a new one.
    pub create: &'static str,
    /// The heading of the list.
    pub plural: &'static str,
    /// In the heading of a form.
    pub title: &'static str,
    /// In a sentence.
    pub noun: &'static str,
    /// The member of a document that names it, and the field of the form.
    pub name: (&'static str, &'static str),
    /// What becomes of requests when one is deleted, behind its name.
    pub when_deleted: &'static str,
}

const CUSTOM_DOMAINS: Pages = Pages {
    section: Section::CustomDomains,
    list: "/console/custom-domains",
    create: "/console/create/custom-domain",
    plural: "Custom Domains",
    title: "Custom Domain Name",
    noun: "custom domain",
    name: ("domainName", "domain-name"),
    when_deleted: "are answered with 404",
};

const FUNCTIONS: Pages = Pages {
    section: Section::Functions,
    list: "/console/functions",
    create: "/console/create/function",
    plural: "Functions",
    title: "Function",
    noun: "function",
    name: ("functionName", "function-name"),
    when_deleted: "at the name of its HTTP trigger are answered with 404, and its processes end. Custom domains \
                   must have no route to it any more",
};

impl Pages {
    pub fn of(kind: DocumentKind) -> &'static Self {
        match kind {
            DocumentKind::CustomDomain => &CUSTOM_DOMAINS,
            DocumentKind::Function => &FUNCTIONS,
        }
    }

    /// The address of a document's page.
    pub fn address(&self, name: &str) -> String {
        // A document's name has no character that would need escaping.
        format!("{}/{name}", self.list)
    }
}

/// The pages that documents of each kind have: the form, and those that lead from it.
pub fn routes<F: DocumentForm + 'static>() -> Router<Console> {
    let Pages { list, create, .. } = Pages::of(F::KIND);
    Router::new()
        .route(create, get(edit::create::<F>).post(edit::post_new::<F>))
        .route(&format!("{list}/{{name}}/modify"), get(edit::modify::<F>).post(edit::post::<F>))
        .route(&format!("{list}/{{name}}/json"), get(json::show).post(json::post))
        .route(&format!("{list}/{{name}}/save"), post(save::save))
        .route(&format!("{list}/{{name}}/history"), get(history::show).post(history::roll_back))
        .route(&format!("{list}/{{name}}/delete"), get(save::ask_to_delete).post(save::delete))
        .layer(Extension(F::KIND))
}

/// The form of a draft.
fn form(console: &Console, user: &SignedIn, draft: &Draft, problems: &Problems) -> Response {
    match draft.kind {
        DocumentKind::CustomDomain => edit::form::<DomainForm>(console, user, draft, problems),
        DocumentKind::Function => edit::form::<FunctionForm>(console, user, draft, problems),
    }
}

/// The document of a page, or the page that says that there is none.
pub fn find(
    console: &Console,
    user: &SignedIn,
    kind: DocumentKind,
    name: &str,
) -> Result<Document, Response> {
    let name = in_its_case(kind, name);
    console.catalog().find(kind, &name).ok_or_else(|| {
        let message = format!("There is no {} {name}.", Pages::of(kind).noun);
        page::error(StatusCode::NOT_FOUND, Some(user.clone()), &message)
    })
}

/// A stored document and somebody who may change it.
pub fn changeable(
    console: &Console,
    user: SignedIn,
    kind: DocumentKind,
    name: &str,
) -> Result<(SignedIn, Document), Response> {
    let user = editor(user)?;
    let document = find(console, &user, kind, name)?;
    if document.stored().is_none() {
        let message =
            format!("{name} is declared in the configuration file, and can be changed there alone.");
        return Err(page::error(StatusCode::CONFLICT, Some(user), &message));
    }
    Ok((user, document))
}

/// Somebody who may change something.
pub fn editor(user: SignedIn) -> Result<SignedIn, Response> {
    Posted { user, fields: Fields::default() }.by_editor().map(|posted| posted.user)
}

/// A name as the catalog has it: domains have no case.
fn in_its_case(kind: DocumentKind, name: &str) -> String {
    match kind {
        DocumentKind::CustomDomain => name.to_ascii_lowercase(),
        DocumentKind::Function => name.to_owned(),
    }
}

/// A document's members, for tests.
#[cfg(test)]
#[allow(clippy::panic)]
pub fn object(json: &str) -> claimgate_jose::json::Object {
    match claimgate_jose::json::Value::parse(json.as_bytes()) {
        Ok(claimgate_jose::json::Value::Object(object)) => object,
        other => panic!("no object: {other:?}"),
    }
}
