//! Custom Domains: the list, a domain's page, Create and Modify, and what became of it before.

mod conflict;
mod draft;
mod edit;
mod form;
mod history;
mod list;
mod problems;
mod review;
mod save;
mod show;

use axum::Router;
use axum::routing::{get, post};

use super::Console;

const LIST: &str = "/console/custom-domains";

pub fn routes() -> Router<Console> {
    Router::new()
        .route(LIST, get(list::show))
        .route("/console/create/custom-domain", get(edit::create).post(edit::post_new))
        .route("/console/custom-domains/{name}", get(show::show))
        .route("/console/custom-domains/{name}/modify", get(edit::modify).post(edit::post))
        .route("/console/custom-domains/{name}/json", get(edit::json).post(edit::post_json))
        .route("/console/custom-domains/{name}/save", post(save::save))
        .route("/console/custom-domains/{name}/history", get(history::show).post(history::roll_back))
        .route("/console/custom-domains/{name}/delete", get(save::ask_to_delete).post(save::delete))
}

/// The address of a domain's page.
fn address(name: &str) -> String {
    // A domain's name has no character that would need escaping.
    format!("{LIST}/{name}")
}
