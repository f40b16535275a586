//! The console: pages that are made on the server, without scripts or styles of their own inside.
//!
//! Each page is a file in `console/` with its `routes`, and its template is in `templates/`. Everything that
//! a browser needs is embedded and served under `/console/assets`; no page asks anybody else for anything.

#![expect(clippy::result_large_err, reason = "an early answer is a page, and made once for a request")]

mod assets;
mod chart;
mod device;
mod diff;
mod documents;
mod domains;
mod form;
mod functions;
mod jwks;
mod keys;
mod layout;
pub(crate) mod loopback;
mod page;
mod passwords;
mod pretty;
mod sign_in;
mod signed_in;
mod test_page;
mod test_request;
mod traffic_page;
mod users;
mod when;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::middleware::map_response;
use axum::response::{Redirect, Response};
use axum::routing::get;

pub use signed_in::SignedIn;

use crate::catalog::Catalog;
use crate::request_body::Bodies;
use crate::sessions::Sessions;
use crate::traffic::Traffic;
use crate::users::Users;
use loopback::DataPlane;
use passwords::Passwords;

/// Nothing but what this server sends, and nothing inside of pages.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// How many domains a page offers to choose from; others are typed.
const OFFERED: usize = 200;

/// What the console's pages work with.
#[derive(Clone)]
pub struct Console {
    shared: Arc<Shared>,
}

struct Shared {
    catalog: Catalog,
    /// `None` without a store: then there are no users, and nothing is shown.
    sessions: Option<Sessions>,
    passwords: Passwords,
    bodies: Bodies,
    data_plane: DataPlane,
    traffic: Traffic,
}

/// Everything under `/console`, and `/`, which leads there.
pub fn router(catalog: Catalog, bodies: Bodies, data_plane: DataPlane) -> Router {
    let traffic = Traffic::start(catalog.gateway().metrics().clone());
    let sessions = catalog.store().cloned().map(Sessions::new);
    let passwords = Passwords::new();
    let shared = Shared { catalog, sessions, passwords, bodies, data_plane, traffic };
    let console = Console { shared: Arc::new(shared) };
    let pages = Router::new()
        .merge(sign_in::routes())
        .merge(domains::routes())
        .merge(jwks::routes())
        .merge(users::routes())
        .merge(functions::routes())
        .merge(keys::routes())
        .merge(test_page::routes())
        .merge(traffic_page::routes())
        .route("/console", get(home))
        .route("/console/", get(home))
        .route("/console/{*rest}", get(page::not_found))
        .layer(map_response(secure));
    Router::new().route("/", get(home)).merge(assets::routes()).merge(pages).with_state(console)
}

async fn home() -> Redirect {
    Redirect::to("/console/custom-domains")
}

impl Console {
    /// Where this gateway takes requests.
    fn data_plane(&self) -> DataPlane {
        self.shared.data_plane
    }

    /// What happened lately.
    fn traffic(&self) -> &Traffic {
        &self.shared.traffic
    }

    /// The documents.
    fn catalog(&self) -> &Catalog {
        &self.shared.catalog
    }

    /// The users; `None` without a store.
    fn users(&self) -> Option<Users> {
        self.shared.catalog.store().cloned().map(Users::new)
    }
}

/// Adds what every page is sent with.
async fn secure(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
