//! The page of one function.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use claimgate_config::DocumentKind;
use claimgate_config::snapshot::Domain;

use super::in_words;
use super::state::StatePart;
use super::trigger::Trigger;
use crate::console::documents::{Pages, Source, find, for_editors, for_viewers, text};
use crate::console::form::Fields;
use crate::console::jwks::Report;
use crate::console::layout::{Layout, Section};
use crate::console::{Console, SignedIn, page};

/// How many of a function's domains its page links to.
const DOMAINS: usize = 20;

/// How much of a command is shown, in characters; the document has it whole.
const LONGEST_PLACE: usize = 120;

#[derive(Template)]
#[template(path = "functions/show.html")]
struct ShowPage {
    layout: Layout,
    pages: &'static Pages,
    address: String,
    kind: &'static str,
    place: String,
    source: Source,
    routes: Vec<Served>,
    trigger: Option<Trigger>,
    report: Report,
    /// The address of a test of it; `None` when nothing leads to it.
    test: Option<String>,
    state: String,
    json: String,
    notice: Option<&'static str>,
}

/// A route that leads to the function.
struct Served {
    domain: String,
    path: String,
}

pub async fn show(
    State(console): State<Console>,
    user: SignedIn,
    Path(name): Path<String>,
    uri: Uri,
) -> Result<Response, Response> {
    let document = find(&console, &user, DocumentKind::Function, &name)?;
    let gateway = console.catalog().gateway();
    let serving = gateway.serving();
    let target = serving.snapshot.functions.get(&name).map(|function| &function.target);
    let (kind, place) = target.map_or(("unknown", String::new()), |target| in_words(target, LONGEST_PLACE));
    let mut routes: Vec<Served> =
        serving.snapshot.domains.iter().flat_map(|domain| routes_to(&name, domain)).collect();
    routes.sort_unstable_by(|one, other| (&one.domain, &one.path).cmp(&(&other.domain, &other.path)));
    routes.truncate(DOMAINS);
    // Nothing secret goes to the page, whoever looks at it.
    let masked = for_viewers(document.kind, &document.json);
    // A report shows what keys are, and no member that is secret.
    let whole = Trigger::of(&console, &name, &for_editors(document.kind, &document.json));
    let trigger = Trigger::of(&console, &name, &masked);
    let state = StatePart::of(gateway, &name).and_then(|state| state.render().ok());
    let pages = Pages::of(document.kind);
    Ok(page::html(&ShowPage {
        layout: Layout::new(format!("Function {name}"), Section::Functions, &user),
        pages,
        address: pages.address(&name),
        kind,
        place,
        source: Source::of(&document),
        test: test(trigger.as_ref(), &routes),
        routes,
        trigger,
        report: whole.map(|trigger| Report::of(&trigger.form.authentication.jwks)).unwrap_or_default(),
        state: state.unwrap_or_default(),
        json: text(document.kind, &masked),
        notice: (Fields::of_query(&uri).text("done") == "saved").then_some("Saved. It is in force."),
    }))
}

fn routes_to(function: &str, domain: &Domain) -> Vec<Served> {
    if domain.kind.is_trigger() {
        return Vec::new();
    }
    let routes = domain.routes.iter().filter(|route| route.function.name == function);
    routes.map(|route| Served { domain: domain.name.clone(), path: route.path.clone() }).collect()
}

/// By its trigger, or by a route of a domain whose name is a host.
fn test(trigger: Option<&Trigger>, routes: &[Served]) -> Option<String> {
    let trigger = trigger.filter(|trigger| !trigger.form.is_disabled);
    let route = || routes.iter().find(|route| !route.domain.starts_with("*."));
    let (host, path) = match trigger {
        Some(trigger) => (trigger.host.as_str(), "/"),
        None => route().map(|route| (route.domain.as_str(), route.path.trim_end_matches('*')))?,
    };
    let mut query = form_urlencoded::Serializer::new(String::new());
    let query = query.append_pair("domain", host).append_pair("path", path).finish();
    Some(format!("/console/test?{query}"))
}
