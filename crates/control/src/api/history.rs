//! The versions of a document.

use std::time::Duration;

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
use crate::catalog::{ApplyError, Catalog, Expected, Purge};

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
    let versions = versions.into_iter().map(|version| ShownVersion::of(kind, version, caller.audience()));
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
    let document = earlier.json.as_deref().and_then(|json| kind.text_within(json));
    let expected = expected.map_or(Expected::Any, Expected::Version);
    let change = change(&catalog, kind, &name, expected, document.as_deref())?;
    let applied = make(&catalog, &caller, vec![change], dry_run).await?;
    let warnings = applied.warnings.into_iter().map(Problem::from).collect();
    let shown = applied.documents.first().and_then(|document| Shown::of(kind, document, caller.audience()));
    Ok(match shown {
        Some(shown) => answer(StatusCode::OK, Shown { warnings, ..shown }),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

/// Which versions are removed: those that fit all of this. The version in which a document is stored stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PurgeHistory {
    /// Of documents of this kind only, `custom-domains` or `functions`.
    kind: Option<Kind>,
    /// Of documents of this name only, which may have been deleted.
    name: Option<String>,
    /// Versions that were made longer ago than this only, in seconds.
    older_than_seconds: Option<u64>,
    /// Of all documents; required where nothing else is given.
    #[serde(default)]
    all: bool,
    /// Whether they are only counted.
    #[serde(default)]
    dry_run: bool,
}

/// What was removed, or would be.
#[derive(Debug, Serialize, ToSchema)]
pub struct Purged {
    /// How many versions.
    versions: usize,
    /// How many documents they are of.
    documents: usize,
}

/// Removes earlier versions of documents for good, those of deleted documents too. Needs the role editor.
#[utoipa::path(post, path = "/api/v1/purge-history", tag = "history", request_body = PurgeHistory,
    responses((status = 200, body = Purged), (status = "default", body = ErrorBody)))]
pub async fn purge(
    State(catalog): State<Catalog>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Json<Purged>, ApiError> {
    caller.may_write()?;
    let PurgeHistory { kind, name, older_than_seconds, all, dry_run } = extract::body(&body)?;
    if kind == Some(Kind::Triggers) {
        return Err(ApiError::invalid(
            "kind: expected custom-domains or functions, of which triggers are a part",
        ));
    }
    let older_than = older_than_seconds.map(Duration::from_secs);
    let purge = Purge { kind: kind.map(Kind::stored), name, older_than };
    if purge == Purge::default() && !all {
        let message =
            "expected kind, name or olderThanSeconds, or all: true for the history of all documents";
        return Err(ApiError::invalid(message));
    }
    let store = catalog.store().ok_or(ApplyError::ReadOnly)?;
    let purged = purge.make(store, dry_run).await?;
    if !dry_run {
        let (by, versions, documents) = (&caller.name, purged.versions, purged.documents);
        tracing::info!(by, versions, documents, "earlier versions of documents were removed");
    }
    Ok(Json(Purged { versions: purged.versions, documents: purged.documents }))
}
