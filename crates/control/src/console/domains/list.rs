//! The list of custom domains.

use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use claimgate_config::DocumentKind;
use claimgate_gateway::{Counted, Serving};

use super::form::DomainForm;
use crate::catalog::Document;
use crate::console::documents::{DocumentForm, Listing, Source, for_viewers};
use crate::console::layout::{Layout, Section};
use crate::console::traffic_page::{counted, sparkline};
use crate::console::{Console, SignedIn, page};
use crate::traffic::Traffic;

#[derive(Template)]
#[template(path = "domains/list.html")]
struct ListPage {
    layout: Layout,
    listing: Listing,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    protocol: String,
    is_jwt: bool,
    routes: Vec<String>,
    /// A drawing of what happened in the last day; `None` when nothing did.
    traffic: Option<String>,
    is_counted: bool,
    more_routes: usize,
    source: Source,
}

pub async fn show(State(console): State<Console>, user: SignedIn, uri: Uri) -> Response {
    let listing = Listing::of(&console, DocumentKind::CustomDomain, &uri);
    let serving = console.catalog().gateway().serving();
    page::html(&ListPage {
        layout: Layout::new("Custom Domains", Section::CustomDomains, &user),
        rows: listing
            .documents
            .iter()
            .map(|document| Row::of(document, console.traffic(), &serving))
            .collect(),
        listing,
    })
}

impl Row {
    fn of(document: &Document, traffic: &Traffic, serving: &Serving) -> Self {
        let form = DomainForm::of_document(&for_viewers(document.kind, &document.json));
        let mut routes: Vec<String> = form.routes.into_iter().map(|route| route.path).collect();
        let more_routes = routes.len().saturating_sub(3);
        routes.truncate(3);
        Self {
            name: document.name.clone(),
            protocol: form.protocol.replace(',', ", "),
            is_jwt: form.authentication.auth_type == "jwt",
            routes,
            traffic: sparkline(traffic, &document.name),
            is_counted: counted(serving, &document.name) != Counted::No,
            more_routes,
            source: Source::of(document),
        }
    }
}
