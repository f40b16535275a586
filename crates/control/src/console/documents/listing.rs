//! A list of documents: searched, and page by page.

use axum::http::Uri;
use claimgate_config::DocumentKind;

use super::Pages;
use crate::catalog::Document;
use crate::console::Console;
use crate::console::form::Fields;

/// Documents on one page, which stays below 100 kB so.
const PAGE: usize = 50;
/// How many are looked through at once while one searches.
const CHUNK: usize = 1000;

/// A page of a list.
pub struct Listing {
    pub documents: Vec<Document>,
    /// What names have to have in them; in lower case.
    pub search: String,
    /// The address of the first page, on others.
    pub first: Option<String>,
    /// The address of the next page.
    pub next: Option<String>,
    /// What was just done.
    pub notice: Option<String>,
    /// Whether any can be created.
    pub has_store: bool,
}

impl Listing {
    /// What an address asks for.
    pub fn of(console: &Console, kind: DocumentKind, uri: &Uri) -> Self {
        let pages = Pages::of(kind);
        let query = Fields::of_query(uri);
        let search = query.text("search").trim().to_ascii_lowercase();
        let after = query.find("after").map(str::to_owned);
        let mut documents = find(console, kind, &search, after.clone());
        let has_more = documents.len() > PAGE;
        documents.truncate(PAGE);
        let address = |after: Option<&str>| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(Some(("search", search.as_str())).filter(|_| !search.is_empty()));
            query.extend_pairs(after.map(|after| ("after", after)));
            let query = query.finish();
            if query.is_empty() { pages.list.to_owned() } else { format!("{}?{query}", pages.list) }
        };
        let first = after.is_some().then(|| address(None));
        let next = documents.last().filter(|_| has_more).map(|last| address(Some(&last.name)));
        let notice = (query.text("done") == "deleted").then(|| format!("The {} was deleted.", pages.noun));
        let has_store = console.catalog().store().is_some();
        Self { documents, search, first, next, notice, has_store }
    }
}

/// One more than fit on a page, if there are so many.
fn find(console: &Console, kind: DocumentKind, search: &str, mut after: Option<String>) -> Vec<Document> {
    let mut found = Vec::new();
    loop {
        let limit = if search.is_empty() { PAGE + 1 } else { CHUNK };
        let chunk = console.catalog().list(kind, "", after.as_deref(), limit);
        let is_last = chunk.len() < limit;
        after = chunk.last().map(|last| last.name.clone());
        found.extend(chunk.into_iter().filter(|document| contains(&document.name, search)));
        if is_last || found.len() > PAGE {
            found.truncate(PAGE + 1);
            return found;
        }
    }
}

fn contains(name: &str, search: &str) -> bool {
    search.is_empty() || name.to_ascii_lowercase().contains(search)
}
