//! The page of one custom domain.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use claimgate_config::DocumentKind;
use claimgate_jose::json::{Object, Value};

use super::draft;
use super::form::{ClaimRow, DomainForm};
use crate::catalog::{Document, Origin};
use crate::console::form::Fields;
use crate::console::jwks::Report;
use crate::console::layout::{Layout, Section};
use crate::console::when::When;
use crate::console::{Console, SignedIn, page};

#[derive(Template)]
#[template(path = "domains/show.html")]
struct ShowPage {
    layout: Layout,
    name: String,
    address: String,
    form: DomainForm,
    report: Report,
    json: String,
    /// Where it was declared.
    declared: Option<String>,
    changed: Option<When>,
    author: String,
    notice: Option<&'static str>,
}

pub async fn show(
    State(console): State<Console>,
    user: SignedIn,
    Path(name): Path<String>,
    uri: Uri,
) -> Result<Response, Response> {
    let document = find(&console, &user, &name)?;
    // Nothing secret goes to the page, whoever looks at it.
    let masked = crate::secrets::shown(document.kind, &document.json, false);
    let object = parse(&masked);
    let mut form = DomainForm::of_document(&object);
    let whole = DomainForm::of_document(&parse(&document.json));
    let report = Report::of(&whole.jwks);
    form.protocol = form.protocol.replace(',', ", ");
    let (declared, stored) = match &document.origin {
        Origin::Declared(location) => (Some(location.to_string()), None),
        Origin::Stored(stored) => (None, Some(stored)),
    };
    Ok(page::html(&ShowPage {
        layout: Layout::new(document.name.clone(), Section::CustomDomains, &user),
        address: super::address(&document.name),
        name: document.name.clone(),
        json: draft::text(&object),
        form,
        report,
        declared,
        changed: stored.map(|stored| When::of(stored.modified)),
        author: stored.map(|stored| stored.author.clone()).unwrap_or_default(),
        notice: (Fields::of_query(&uri).text("done") == "saved").then_some("Saved. It is in force."),
    }))
}

/// The domain of a page, or the page that says that there is none.
pub fn find(console: &Console, user: &SignedIn, name: &str) -> Result<Document, Response> {
    let found = console.catalog().find(DocumentKind::CustomDomain, &name.to_ascii_lowercase());
    found.ok_or_else(|| {
        let message = format!("There is no custom domain {name}.");
        page::error(StatusCode::NOT_FOUND, Some(user.clone()), &message)
    })
}

fn parse(json: &str) -> Object {
    match Value::parse(json.as_bytes()) {
        Ok(Value::Object(object)) => object,
        _ => Object::new(),
    }
}

impl ShowPage {
    /// Paths that the lists are about.
    fn paths(&self) -> impl Iterator<Item = &str> {
        self.form.paths.lines()
    }
}

/// A position in the words of the console.
pub fn position(name: &str) -> &str {
    super::edit::POSITIONS.iter().find(|(value, _)| *value == name).map_or(name, |(_, label)| label)
}

impl ClaimRow {
    fn position_label(&self) -> &str {
        position(&self.position)
    }
}

impl super::form::TokenRow {
    fn position_label(&self) -> &str {
        position(&self.position)
    }
}
