//! The list of custom domains.

use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use claimgate_config::DocumentKind;
use claimgate_jose::json::{Object, Value};

use super::form::DomainForm;
use crate::catalog::{Document, Origin};
use crate::console::form::Fields;
use crate::console::layout::{Layout, Section};
use crate::console::traffic_page::sparkline;
use crate::console::when::When;
use crate::console::{Console, SignedIn, page};
use crate::traffic::Traffic;

/// Domains on one page, which stays below 100 kB so.
const PAGE: usize = 50;
/// How many are looked through at once while one searches.
const CHUNK: usize = 1000;

#[derive(Template)]
#[template(path = "domains/list.html")]
struct ListPage {
    layout: Layout,
    rows: Vec<Row>,
    search: String,
    is_first: bool,
    /// The address of the next page.
    next: Option<String>,
    has_store: bool,
    notice: Option<&'static str>,
}

struct Row {
    name: String,
    protocol: String,
    is_jwt: bool,
    routes: Vec<String>,
    /// A drawing of what happened in the last day; `None` when nothing did.
    traffic: Option<String>,
    more_routes: usize,
    is_declared: bool,
    changed: Option<When>,
    author: String,
}

pub async fn show(State(console): State<Console>, user: SignedIn, uri: Uri) -> Response {
    let query = Fields::of_query(&uri);
    let search = query.text("search").trim().to_ascii_lowercase();
    let after = query.find("after").map(str::to_owned);
    let (mut found, is_first) = (find(&console, &search, after.clone()), after.is_none());
    let has_more = found.len() > PAGE;
    found.truncate(PAGE);
    let next = found.last().filter(|_| has_more).map(|last| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !search.is_empty() {
            query.append_pair("search", &search);
        }
        format!("{}?{}", super::LIST, query.append_pair("after", &last.name).finish())
    });
    page::html(&ListPage {
        layout: Layout::new("Custom Domains", Section::CustomDomains, &user),
        rows: found.iter().map(|document| Row::of(document, console.traffic())).collect(),
        search,
        is_first,
        next,
        has_store: console.catalog().store().is_some(),
        notice: (query.text("done") == "deleted").then_some("The custom domain was deleted."),
    })
}

/// One more than fit on a page, if there are so many.
fn find(console: &Console, search: &str, mut after: Option<String>) -> Vec<Document> {
    let mut found = Vec::new();
    loop {
        let limit = if search.is_empty() { PAGE + 1 } else { CHUNK };
        let chunk = console.catalog().list(DocumentKind::CustomDomain, "", after.as_deref(), limit);
        let is_last = chunk.len() < limit;
        after = chunk.last().map(|last| last.name.clone());
        found.extend(chunk.into_iter().filter(|document| document.name.contains(search)));
        if is_last || found.len() > PAGE {
            found.truncate(PAGE + 1);
            return found;
        }
    }
}

impl Row {
    fn of(document: &Document, traffic: &Traffic) -> Self {
        let object = match Value::parse(document.json.as_bytes()) {
            Ok(Value::Object(object)) => object,
            _ => Object::new(),
        };
        let form = DomainForm::of_document(&object);
        let mut routes: Vec<String> = form.routes.into_iter().map(|route| route.path).collect();
        let more_routes = routes.len().saturating_sub(3);
        routes.truncate(3);
        let stored = match &document.origin {
            Origin::Stored(stored) => Some(stored),
            Origin::Declared(_) => None,
        };
        Self {
            name: document.name.clone(),
            protocol: form.protocol.replace(',', ", "),
            is_jwt: form.auth_type == "jwt",
            routes,
            traffic: sparkline(traffic, &document.name),
            more_routes,
            is_declared: stored.is_none(),
            changed: stored.map(|stored| When::of(stored.modified)),
            author: stored.map(|stored| stored.author.clone()).unwrap_or_default(),
        }
    }
}
