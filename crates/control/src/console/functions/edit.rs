//! The page of a function's form.

use askama::Template;
use axum::response::Response;

use super::form::{FunctionForm, VariableRow};
use super::trigger;
use crate::console::documents::Editing;
use crate::console::jwks::Report;
use crate::console::layout::Layout;
use crate::console::{Console, page};

#[derive(Template)]
#[template(path = "functions/edit.html")]
struct EditPage<'a> {
    layout: Layout,
    editing: Editing<'a>,
    form: FunctionForm,
    report: Report,
    /// Where the trigger is served.
    trigger_url: String,
}

pub fn show(mut form: FunctionForm, console: &Console, layout: Layout, editing: Editing<'_>) -> Response {
    form.trigger.authentication = form.trigger.authentication.with_blank_rows();
    let serving = console.catalog().gateway().serving();
    let host = serving.snapshot.gateway.trigger_host(editing.name.unwrap_or("name"));
    page::html(&EditPage {
        layout,
        report: Report::of(&form.trigger.authentication.jwks),
        trigger_url: trigger::url(console, &host),
        form,
        editing,
    })
}

impl EditPage<'_> {
    /// An empty row for scripts to copy.
    fn blank_variable(&self) -> VariableRow {
        VariableRow::default()
    }
}
