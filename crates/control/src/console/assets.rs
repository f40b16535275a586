//! Style sheets and scripts, embedded in the binary.
//!
//! Their address has a hash of all of them, so that browsers may keep them for ever. Scripts import each
//! other by relative addresses.

use std::sync::LazyLock;

use aws_lc_rs::digest::{Context, SHA256};
use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::Console;

const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const IMAGE: &str = "image/svg+xml";

/// Name, media type and content of each.
const ASSETS: [(&str, &str, &str); 14] = [
    ("console.css", STYLE, include_str!("../../assets/console.css")),
    ("console.js", SCRIPT, include_str!("../../assets/console.js")),
    ("htmx.min.js", SCRIPT, include_str!("../../assets/htmx.min.js")),
    ("rows.js", SCRIPT, include_str!("../../assets/rows.js")),
    ("icon.svg", IMAGE, include_str!("../../assets/icon.svg")),
    ("decoder.js", SCRIPT, include_str!("../../assets/decoder.js")),
    ("der.js", SCRIPT, include_str!("../../assets/der.js")),
    ("jose.js", SCRIPT, include_str!("../../assets/jose.js")),
    ("keys.js", SCRIPT, include_str!("../../assets/keys.js")),
    ("new-domain.js", SCRIPT, include_str!("../../assets/new-domain.js")),
    ("page.js", SCRIPT, include_str!("../../assets/page.js")),
    ("pages.css", STYLE, include_str!("../../assets/pages.css")),
    ("test.js", SCRIPT, include_str!("../../assets/test.js")),
    ("traffic.js", SCRIPT, include_str!("../../assets/traffic.js")),
];

/// The folder that they are in, without a slash at the end.
static FOLDER: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Context::new(&SHA256);
    for (_, _, content) in ASSETS {
        hash.update(content.as_bytes());
    }
    let hex: String = hash.finish().as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("/console/assets/{hex}")
});

/// Where assets are.
pub fn folder() -> &'static str {
    &FOLDER
}

pub fn routes() -> Router<Console> {
    Router::new().route("/console/assets/{hash}/{name}", get(serve))
}

async fn serve(Path((hash, name)): Path<(String, String)>) -> Response {
    let is_current = folder().ends_with(&hash);
    match ASSETS.iter().find(|(known, ..)| *known == name) {
        Some((_, media_type, content)) if is_current => {
            let headers = [
                (CONTENT_TYPE, *media_type),
                (CACHE_CONTROL, "public, max-age=31536000, immutable"),
                (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ];
            (headers, *content).into_response()
        }
        _ => (StatusCode::NOT_FOUND, [(CACHE_CONTROL, "no-store")]).into_response(),
    }
}
