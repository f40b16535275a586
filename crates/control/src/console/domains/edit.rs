//! The page of a custom domain's form.

use askama::Template;
use axum::response::Response;
use claimgate_config::DocumentKind;

use super::form::{DomainForm, RouteRow};
use crate::console::documents::Editing;
use crate::console::jwks::Report;
use crate::console::layout::Layout;
use crate::console::{Console, page};

/// Functions that are offered; others can be written.
const MOST_OFFERED: usize = 200;

#[derive(Template)]
#[template(path = "domains/edit.html")]
struct EditPage<'a> {
    layout: Layout,
    editing: Editing<'a>,
    form: DomainForm,
    report: Report,
    functions: Vec<String>,
    has_stored_key: bool,
}

pub fn show(mut form: DomainForm, console: &Console, layout: Layout, editing: Editing<'_>) -> Response {
    if form.routes.is_empty() {
        form.routes.push(RouteRow::default());
    }
    form.authentication = form.authentication.with_blank_rows();
    let functions = console.catalog().list(DocumentKind::Function, "", None, MOST_OFFERED);
    page::html(&EditPage {
        layout,
        has_stored_key: editing.name.is_some() && !form.certificate.is_empty(),
        report: Report::of(&form.authentication.jwks),
        form,
        editing,
        functions: functions.into_iter().map(|function| function.name).collect(),
    })
}

impl EditPage<'_> {
    /// An empty row for scripts to copy.
    fn blank_route(&self) -> RouteRow {
        RouteRow::default()
    }
}
