//! The versions of a document.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::document::{Problem, Shown, ShownVersion};
use super::documents::{answer, change, make, normal};
use super::error::{ApiError, ErrorBody};
use super::extract::{self, Named};
use super::kind::Kind;
use crate::authentication::Caller;
use crate::catalog::{Catalog, Expected};

/// The versions of a document, the newest first; older than the last hundred are not kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct History {
    versions: Vec<ShownVersion>,
}

/// Which version a document becomes again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RollBack {
    /// One of its history.
    version: u64,
    /// The version that it is expected in; any, when this is left out.
    expected: Option<u64>,
    /// Whether it is only judged.
    #[serde(default)]
    dry_run: bool,
}

/// Lists the versions of a document.
#[utoipa::path(get, path = "/api/v1/{kind}/{name}/history", tag = "history",
    params(("kind" = Kind, Path), ("name" = String, Path)),
    responses((status = 200, body = History), (status = "default", body = ErrorBody)))]
pub async fn list(
    State(catalog): State<Catalog>,
    Extension(caller): Extension<Caller>,
    Named((kind, name)): Named<(Kind, String)>,
) -> Result<Json<History>, ApiError> {
    let name = normal(kind, name);
    let versions = catalog.history(kind.stored(), &name).await?;
    if versions.is_empty() && catalog.find(kind.stored(), &name).is_none() {
        return Err(ApiError::not_found(kind, &name));
    }
    let versions = versions.into_iter().map(|version| ShownVersion::of(kind, version, caller.sees_secrets()));
    Ok(Json(History { versions: versions.collect() }))
}

/// Makes a document what it was in an earlier version.
#[utoipa::path(post, path = "/api/v1/{kind}/{name}/rollback", tag = "history", request_body = RollBack,
    params(("kind" = Kind, Path), ("name" = String, Path)),
    responses((status = 200, body = Shown), (status = 204), (status = "default", body = ErrorBody)))]
pub async fn roll_back(
    State(catalog): State<Catalog>,
    Extension(caller): Extension<Caller>,
    Named((kind, name)): Named<(Kind, String)>,
    body: Bytes,
) -> Result<Response, ApiError> {
    let RollBack { version, expected, dry_run } = extract::body(&body)?;
    let name = normal(kind, name);
    let versions = catalog.history(kind.stored(), &name).await?;
    let Some(earlier) = versions.into_iter().find(|earlier| earlier.version == version) else {
        let message = format!("version: there is no version {version} of {name} in its history");
        return Err(ApiError::invalid(message));
    };
    let document = earlier.json.as_deref().and_then(|json| kind.within(json));
    let document = document.as_ref().map(|document| document.get());
    let expected = expected.map_or(Expected::Any, Expected::Version);
    let change = change(&catalog, kind, &name, expected, document)?;
    let applied = make(&catalog, &caller, vec![change], dry_run).await?;
    let warnings = applied.warnings.into_iter().map(Problem::from).collect();
    let shown = applied.documents.first().and_then(|document| Shown::of(kind, document, true));
    Ok(match shown {
        Some(shown) => answer(StatusCode::OK, Shown { warnings, ..shown }),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}
