//! Functions and their HTTP triggers: the list, and one function with its state and what it prints.

mod change;
mod state;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use claimgate_config::DocumentKind;
use claimgate_config::snapshot::{Domain, FunctionTarget};
use claimgate_gateway::Gateway;
use claimgate_jose::json::Value;
use serde::Deserialize;

use super::layout::{Layout, Section};
use super::{Console, SignedIn, page, pretty};
use crate::catalog::{Document, Origin};
use crate::secrets;
use state::StatePart;

/// How many functions a page of the list has.
const SHOWN: usize = 100;

/// How many of a function's domains its page links to.
const DOMAINS: usize = 20;

/// How much of a command is shown, in characters.
const LONGEST_COMMAND: usize = 120;

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/console/functions", get(list))
        .route("/console/create/function", get(change::create).post(change::save))
        .route("/console/functions/{name}", get(show))
        .route("/console/functions/{name}/state", get(state_part))
        .route("/console/functions/{name}/modify", get(change::modify).post(change::save))
        .route("/console/functions/{name}/delete", post(change::delete))
}

#[derive(Template)]
#[template(path = "functions/list.html")]
struct ListPage {
    layout: Layout,
    chosen: Chosen,
    functions: Vec<Line>,
    /// The last name, when there are more.
    next: Option<String>,
    may_create: bool,
}

#[derive(Debug, Default, Deserialize)]
struct Chosen {
    #[serde(default)]
    prefix: String,
    after: Option<String>,
}

struct Line {
    name: String,
    kind: &'static str,
    place: String,
    state: String,
    trigger: bool,
    declared: bool,
}

async fn list(State(console): State<Console>, user: SignedIn, Query(chosen): Query<Chosen>) -> Response {
    let after = chosen.after.as_deref();
    let mut documents = console.catalog().list(DocumentKind::Function, &chosen.prefix, after, SHOWN + 1);
    let more = documents.len() > SHOWN;
    documents.truncate(SHOWN);
    let next = documents.last().filter(|_| more).map(|last| last.name.clone());
    let gateway = console.catalog().gateway();
    page::html(&ListPage {
        layout: Layout::new("Functions", Section::Functions, &user),
        chosen,
        functions: documents.iter().map(|document| Line::of(gateway, document)).collect(),
        next,
        may_create: user.is_editor() && console.catalog().store().is_some(),
    })
}

impl Line {
    fn of(gateway: &Gateway, document: &Document) -> Self {
        let serving = gateway.serving();
        let target = serving.snapshot.functions.get(&document.name).map(|function| &function.target);
        let (kind, place) = target.map_or(("unknown", String::new()), in_words);
        let state = match serving.processes.state(&document.name) {
            None => "–".to_owned(),
            Some(state) => match (state.instances.len(), &state.last_end) {
                (0, Some(end)) if end.is_failure => "failed".to_owned(),
                (0, _) => "no instance".to_owned(),
                (1, _) => "1 instance".to_owned(),
                (count, _) => format!("{count} instances"),
            },
        };
        Self {
            name: document.name.clone(),
            kind,
            place,
            state,
            trigger: document.json.contains("\"httpTrigger\""),
            declared: matches!(document.origin, Origin::Declared(_)),
        }
    }
}

/// What a function is, and where.
fn in_words(target: &FunctionTarget) -> (&'static str, String) {
    match target {
        FunctionTarget::Url { origin, base_path } => {
            ("URL", format!("{}{base_path}", origin.to_string().trim_end_matches('/')))
        }
        FunctionTarget::Unix(path) => ("unix socket", path.display().to_string()),
        FunctionTarget::Process(settings) => ("process", clipped(&settings.command.join(" "))),
        FunctionTarget::Echo => ("built in", "echo".to_owned()),
    }
}

/// The beginning of a long command; the document has it whole.
fn clipped(text: &str) -> String {
    match text.char_indices().nth(LONGEST_COMMAND) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[derive(Template)]
#[template(path = "functions/function.html")]
struct FunctionPage {
    layout: Layout,
    name: String,
    kind: &'static str,
    place: String,
    source: String,
    changed: Option<String>,
    domains: Vec<String>,
    json: String,
    state: String,
    /// Whether it can be changed here.
    may_change: bool,
    version: String,
}

async fn show(State(console): State<Console>, user: SignedIn, Path(name): Path<String>) -> Response {
    let Some(document) = console.catalog().find(DocumentKind::Function, &name) else {
        return absent(user, &name);
    };
    let gateway = console.catalog().gateway();
    let serving = gateway.serving();
    let target = serving.snapshot.functions.get(&name).map(|function| &function.target);
    let (kind, place) = target.map_or(("unknown", String::new()), in_words);
    let is_its =
        |domain: &&std::sync::Arc<Domain>| domain.routes.iter().any(|route| route.function.name == name);
    let mut domains: Vec<String> =
        serving.snapshot.domains.iter().filter(is_its).map(|domain| domain.name.clone()).collect();
    domains.sort_unstable();
    domains.truncate(DOMAINS);
    let (source, changed) = match &document.origin {
        Origin::Declared(location) => (format!("declared in the configuration file, {location}"), None),
        Origin::Stored(stored) => {
            let at = super::words::date(stored.modified);
            ("stored".to_owned(), Some(format!("{at} by {}", stored.author)))
        }
    };
    let state = StatePart::of(gateway, &name);
    page::html(&FunctionPage {
        layout: Layout::new(format!("Function {name}"), Section::Functions, &user),
        kind,
        place,
        source,
        changed,
        domains,
        json: pretty(&secrets::shown(DocumentKind::Function, &document.json, user.is_editor())),
        state: state.and_then(|state| state.render().ok()).unwrap_or_default(),
        may_change: user.is_editor() && document.stored().is_some(),
        version: document.stored().map(|stored| stored.version.to_string()).unwrap_or_default(),
        name,
    })
}

async fn state_part(State(console): State<Console>, _: SignedIn, Path(name): Path<String>) -> Response {
    match StatePart::of(console.catalog().gateway(), &name) {
        Some(state) => page::html(&state),
        None => page::html(&state::NoState),
    }
}

fn absent(user: SignedIn, name: &str) -> Response {
    page::error(StatusCode::NOT_FOUND, Some(user), &format!("There is no function {name}."))
}

/// JSON as people write it; what is none stays as it is.
fn pretty(json: &str) -> String {
    Value::parse(json.as_bytes()).map_or_else(|_| json.to_owned(), |value| pretty::pretty(&value))
}
