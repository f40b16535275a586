//! Functions and their HTTP triggers: the list, one function with its state and what it prints, and the form of
//! Create and Modify.

mod edit;
mod form;
mod list;
mod problems;
mod show;
mod state;
mod trigger;

use axum::Router;
use axum::routing::get;
use claimgate_config::snapshot::FunctionTarget;

pub use form::FunctionForm;
pub use problems::field_of;

use super::{Console, documents};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/console/functions", get(list::show))
        .route("/console/functions/{name}", get(show::show))
        .route("/console/functions/{name}/state", get(state::show))
        .merge(documents::routes::<FunctionForm>())
}

/// What a function is, and where, in so many characters.
fn in_words(target: &FunctionTarget, most: usize) -> (&'static str, String) {
    let (kind, place) = match target {
        FunctionTarget::Url { origin, base_path } => {
            ("URL", format!("{}{base_path}", origin.to_string().trim_end_matches('/')))
        }
        FunctionTarget::Unix(path) => ("unix socket", path.display().to_string()),
        FunctionTarget::Process(settings) => ("process", settings.command.join(" ")),
        FunctionTarget::Echo => ("built in", "echo".to_owned()),
        FunctionTarget::Unavailable => ("unavailable", String::new()),
    };
    match place.char_indices().nth(most) {
        Some((end, _)) => (kind, format!("{}…", place.get(..end).unwrap_or_default())),
        None => (kind, place),
    }
}
