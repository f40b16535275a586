//! The list of functions.

use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use claimgate_config::DocumentKind;
use claimgate_functions::ProcessState;

use super::in_words;
use super::trigger::Trigger;
use crate::catalog::Document;
use crate::console::documents::{Listing, Source, for_viewers};
use crate::console::layout::{Layout, Section};
use crate::console::{Console, SignedIn, chart, page};

/// How much of a command or an address is shown, in characters.
const LONGEST_PLACE: usize = 60;

#[derive(Template)]
#[template(path = "functions/list.html")]
struct ListPage {
    layout: Layout,
    listing: Listing,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    kind: &'static str,
    place: String,
    /// Of a process: the class of its mark, and the state in words.
    state: Option<(&'static str, String)>,
    cold_starts: Option<String>,
    trigger: Option<Trigger>,
    source: Source,
}

pub async fn show(State(console): State<Console>, user: SignedIn, uri: Uri) -> Response {
    let listing = Listing::of(&console, DocumentKind::Function, &uri);
    page::html(&ListPage {
        layout: Layout::new("Functions", Section::Functions, &user),
        rows: listing.documents.iter().map(|document| Row::of(&console, document)).collect(),
        listing,
    })
}

impl Row {
    fn of(console: &Console, document: &Document) -> Self {
        let serving = console.catalog().gateway().serving();
        let target = serving.snapshot.functions.get(&document.name).map(|function| &function.target);
        let (kind, place) =
            target.map_or(("unknown", String::new()), |target| in_words(target, LONGEST_PLACE));
        let state = serving.processes.state(&document.name);
        Self {
            name: document.name.clone(),
            kind,
            place,
            cold_starts: state.as_ref().map(|state| chart::count(state.cold_starts)),
            state: state.as_ref().map(state_in_words),
            trigger: Trigger::of(console, &document.name, &for_viewers(document.kind, &document.json)),
            source: Source::of(document),
        }
    }
}

fn state_in_words(state: &ProcessState) -> (&'static str, String) {
    match (state.instances.len(), &state.last_end) {
        (0, Some(end)) if end.is_failure => ("bad", "failed".to_owned()),
        (0, _) if state.starting > 0 => ("", "starting".to_owned()),
        (0, _) => ("", "no instance".to_owned()),
        (1, _) => ("good", "1 instance".to_owned()),
        (count, _) => ("good", format!("{count} instances")),
    }
}
