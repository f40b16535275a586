//! Custom Domains: the list, a domain's page, and the form of Create and Modify.

mod edit;
mod form;
mod list;
mod problems;
mod show;

use axum::Router;
use axum::routing::get;

pub use form::DomainForm;
pub use problems::field_of;

use super::{Console, documents};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/console/custom-domains", get(list::show))
        .route("/console/custom-domains/{name}", get(show::show))
        .merge(documents::routes::<DomainForm>())
}
