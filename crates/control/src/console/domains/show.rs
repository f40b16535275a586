//! The page of one custom domain.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use claimgate_config::DocumentKind;

use super::form::DomainForm;
use crate::console::documents::{DocumentForm, Pages, Source, find, for_editors, for_viewers, text};
use crate::console::form::Fields;
use crate::console::jwks::Report;
use crate::console::layout::{Layout, Section};
use crate::console::{Console, SignedIn, page};

#[derive(Template)]
#[template(path = "domains/show.html")]
struct ShowPage {
    layout: Layout,
    name: String,
    pages: &'static Pages,
    address: String,
    form: DomainForm,
    report: Report,
    json: String,
    source: Source,
    notice: Option<&'static str>,
}

pub async fn show(
    State(console): State<Console>,
    user: SignedIn,
    Path(name): Path<String>,
    uri: Uri,
) -> Result<Response, Response> {
    let document = find(&console, &user, DocumentKind::CustomDomain, &name)?;
    // Nothing secret goes to the page, whoever looks at it.
    let masked = for_viewers(document.kind, &document.json);
    let mut form = DomainForm::of_document(&masked);
    // A report shows what keys are, and no member that is secret.
    let whole = DomainForm::of_document(&for_editors(document.kind, &document.json));
    let report = Report::of(&whole.authentication.jwks);
    form.protocol = form.protocol.replace(',', ", ");
    let pages = Pages::of(document.kind);
    Ok(page::html(&ShowPage {
        layout: Layout::new(document.name.clone(), Section::CustomDomains, &user),
        pages,
        address: pages.address(&document.name),
        name: document.name.clone(),
        json: text(document.kind, &masked),
        form,
        report,
        source: Source::of(&document),
        notice: (Fields::of_query(&uri).text("done") == "saved").then_some("Saved. It is in force."),
    }))
}
