//! How the processes of a function fare, and what they print: the part of a function's page that changes.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use claimgate_functions::ProcessState;
use claimgate_gateway::Gateway;

use crate::console::{Console, SignedIn, chart, page, words};

#[derive(Template)]
#[template(path = "functions/state.html")]
pub struct StatePart {
    name: String,
    instances: Vec<Instance>,
    facts: Vec<(&'static str, String)>,
    has_failed: bool,
    output: Vec<Printed>,
}

/// In its place when the function has gone.
#[derive(Template)]
#[template(source = "<p class=\"nothing\">The gateway does not run this function.</p>", ext = "html")]
struct NoState;

struct Instance {
    port: u16,
    requests: usize,
    idle: String,
}

struct Printed {
    time: String,
    instance: String,
    stream: &'static str,
    line: String,
}

pub async fn show(State(console): State<Console>, _: SignedIn, Path(name): Path<String>) -> Response {
    match StatePart::of(console.catalog().gateway(), &name) {
        Some(state) => page::html(&state),
        None => page::html(&NoState),
    }
}

impl StatePart {
    /// How they fare now; `None` when it is no function of processes.
    pub fn of(gateway: &Gateway, function: &str) -> Option<Self> {
        let serving = gateway.serving();
        let state = serving.processes.state(function)?;
        let output = serving.processes.output(function);
        let printed = output.iter().map(|line| Printed {
            time: words::clock(line.at),
            instance: line.instance.chars().take(8).collect(),
            stream: line.stream,
            line: line.line.clone(),
        });
        let instances = state.instances.iter().map(|instance| Instance {
            port: instance.port,
            requests: instance.requests,
            idle: instance.idle.map_or("–".to_owned(), |idle| format!("{} s", idle.as_secs())),
        });
        Some(Self {
            name: function.to_owned(),
            instances: instances.collect(),
            has_failed: state.last_end.as_ref().is_some_and(|end| end.is_failure),
            facts: facts(&state),
            output: printed.collect(),
        })
    }
}

fn facts(state: &ProcessState) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("Instances", state.instances.len().to_string()),
        ("Starting", state.starting.to_string()),
        ("Waiting requests", state.waiting.to_string()),
        ("Cold starts", chart::count(state.cold_starts)),
        ("Starts that failed", chart::count(state.start_failures)),
        ("Crashes", chart::count(state.crashes)),
    ];
    if let Some(end) = &state.last_end {
        facts.push(("Last exit", format!("{}: {}", words::date(end.at), end.why)));
    }
    if let Some(wait) = state.retry_after {
        facts.push(("Next start in", format!("{} s, as the last ones failed", wait.as_secs() + 1)));
    }
    facts
}
