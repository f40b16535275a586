//! Documents: listed, read, written, deleted, one by one or many together.

use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, response};
use claimgate_config::UnknownFields;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::document::{Problem, Shown};
use super::error::{ApiError, ErrorBody};
use super::extract::{self, Named, Parameters};
use super::kind::Kind;
use crate::authentication::Caller;
use crate::catalog::{Applied, Catalog, Change, Document, Expected};

/// How many documents a page has, unless asked otherwise.
const PAGE: usize = 100;
const MOST: usize = 1000;

/// Which documents are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// What their names begin with.
    #[serde(default)]
    prefix: String,
    /// How many at most, 1 to 1000.
    limit: Option<usize>,
    /// `nextToken` of the page before.
    next_token: Option<String>,
}

/// A page of documents, in the order of their names.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    documents: Vec<Shown>,
    /// For the next page; left out on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// How a change is made.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Manner {
    /// Whether it is only judged, and nothing changes.
    #[serde(default)]
    dry_run: bool,
}

/// Changes that are all made, or none.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Changes {
    changes: Vec<OneChange>,
    /// Whether they are only judged.
    #[serde(default)]
    dry_run: bool,
}

/// A change of one document.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OneChange {
    kind: Kind,
    name: String,
    /// The version that it is expected in; 0 where none is expected. Any is, when this is left out.
    version: Option<u64>,
    /// What it says from now on; null or left out deletes it.
    #[schema(value_type = Option<Object>)]
    document: Option<Box<RawValue>>,
}

/// What was changed, or would be.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Changed {
    /// The documents as they are now, without those that were deleted.
    documents: Vec<Shown>,
    warnings: Vec<Problem>,
}

/// Lists documents.
#[utoipa::path(get, path = "/api/v1/{kind}", tag = "documents", params(("kind" = Kind, Path), Page),
    responses((status = 200, body = Listed), (status = "default", body = ErrorBody)))]
pub async fn list(
    State(catalog): State<Catalog>,
    Extension(caller): Extension<Caller>,
    Named(kind): Named<Kind>,
    Parameters(page): Parameters<Page>,
) -> Result<Json<Listed>, ApiError> {
    let limit = page.limit.unwrap_or(PAGE);
    if !(1..=MOST).contains(&limit) {
        return Err(ApiError::invalid(format!("limit: expected 1 to {MOST}, found {limit}")));
    }
    let mut documents: Vec<Shown> = Vec::new();
    let mut after = page.next_token;
    // More than once where triggers are listed, as functions without one are passed over.
    loop {
        let wanted = limit - documents.len();
        let found = catalog.list(kind.stored(), &page.prefix, after.as_deref(), wanted);
        let is_last = found.len() < wanted;
        documents.extend(found.iter().filter_map(|document| Shown::of(kind, document, caller.audience())));
        after = found.into_iter().next_back().map(|last| last.name).or(after);
        if is_last || documents.len() == limit {
            let next_token = after.filter(|_| !is_last);
            return Ok(Json(Listed { documents, next_token }));
        }
    }
}

/// Reads a document.
#[utoipa::path(get, path = "/api/v1/{kind}/{name}", tag = "documents",
    params(("kind" = Kind, Path), ("name" = String, Path)),
    responses((status = 200, body = Shown), (status = "default", body = ErrorBody)))]
pub async fn read(
    State(catalog): State<Catalog>,
    Extension(caller): Extension<Caller>,
    Named((kind, name)): Named<(Kind, String)>,
) -> Result<Response, ApiError> {
    let name = normal(kind, name);
    let shown =
        catalog.find(kind.stored(), &name).and_then(|found| Shown::of(kind, &found, caller.audience()));
    shown.map(|shown| answer(StatusCode::OK, shown)).ok_or_else(|| ApiError::not_found(kind, &name))
}

/// Creates or replaces a document.
#[utoipa::path(put, path = "/api/v1/{kind}/{name}", tag = "documents",
    params(("kind" = Kind, Path), ("name" = String, Path), Manner,
        ("If-Match" = Option<String>, Header, description = "the ETag that the document is expected to have"),
        ("If-None-Match" = Option<String>, Header, description = "* where there is to be no document yet")),
    request_body(content = Object, description = "the document, with the fields of the configuration file"),
    responses((status = 200, body = Shown), (status = 201, body = Shown), (status = "default", body = ErrorBody)))]
pub async fn write(
    State(catalog): State<Catalog>,
    Extension(caller): Extension<Caller>,
    Named((kind, name)): Named<(Kind, String)>,
    Parameters(manner): Parameters<Manner>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let name = normal(kind, name);
    let document = std::str::from_utf8(&body).map_err(|_| ApiError::invalid("the body is not UTF-8 text"))?;
    let change = change(&catalog, kind, &name, expected(&headers)?, Some(document))?;
    let applied = make(&catalog, &caller, vec![change], manner.dry_run).await?;
    let earlier = applied.earlier.into_iter().next().flatten();
    let is_new = earlier.and_then(|earlier| kind.text_within(&earlier.json)).is_none();
    let warnings = applied.warnings.into_iter().map(Problem::from).collect();
    let document = applied.documents.into_iter().next();
    let shown = document.and_then(|document| Shown::of(kind, &document, caller.audience()));
    let shown = shown.ok_or_else(|| ApiError::not_found(kind, &name))?;
    let status = if is_new && !manner.dry_run { StatusCode::CREATED } else { StatusCode::OK };
    Ok(answer(status, Shown { warnings, ..shown }))
}

/// Deletes a document.
#[utoipa::path(delete, path = "/api/v1/{kind}/{name}", tag = "documents",
    params(("kind" = Kind, Path), ("name" = String, Path), Manner,
        ("If-Match" = Option<String>, Header, description = "the ETag that the document is expected to have")),
    responses((status = 204), (status = "default", body = ErrorBody)))]
pub async fn delete(
    State(catalog): State<Catalog>,
    Extension(caller): Extension<Caller>,
    Named((kind, name)): Named<(Kind, String)>,
    Parameters(manner): Parameters<Manner>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let name = normal(kind, name);
    let change = change(&catalog, kind, &name, expected(&headers)?, None)?;
    make(&catalog, &caller, vec![change], manner.dry_run).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes changes of several documents, all or none.
#[utoipa::path(post, path = "/api/v1/apply", tag = "documents", request_body = Changes,
    responses((status = 200, body = Changed), (status = "default", body = ErrorBody)))]
pub async fn apply(
    State(catalog): State<Catalog>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<response::Json<Changed>, ApiError> {
    let Changes { changes, dry_run } = extract::body(&body)?;
    let kinds: Vec<Kind> = changes.iter().map(|change| change.kind).collect();
    let changes = changes.into_iter().map(|one| {
        let expected = match one.version {
            None => Expected::Any,
            Some(0) => Expected::Absent,
            Some(version) => Expected::Version(version),
        };
        let document = one.document.as_deref().map(RawValue::get).filter(|document| *document != "null");
        change(&catalog, one.kind, &normal(one.kind, one.name), expected, document)
    });
    let changes = changes.collect::<Result<Vec<_>, _>>()?;
    let written = changes.iter().zip(kinds).filter(|(change, _)| change.document.is_some());
    let written: Vec<Kind> = written.map(|(_, kind)| kind).collect();
    let Applied { documents, warnings, .. } = make(&catalog, &caller, changes, dry_run).await?;
    let shown = documents.iter().zip(written);
    let shown = shown.filter_map(|(document, kind)| Shown::of(kind, document, caller.audience()));
    let (documents, warnings) = (shown.collect(), warnings.into_iter().map(Problem::from).collect());
    Ok(Json(Changed { documents, warnings }))
}

/// Makes changes for a caller, who has to be allowed to.
pub async fn make(
    catalog: &Catalog,
    caller: &Caller,
    changes: Vec<Change>,
    dry_run: bool,
) -> Result<Applied, ApiError> {
    caller.may_write()?;
    let author = caller.author();
    let applied =
        if dry_run { catalog.check(changes, &author).await } else { catalog.apply(changes, &author).await };
    Ok(applied?)
}

/// The change of what is stored by which a document becomes another, or is deleted.
pub fn change(
    catalog: &Catalog,
    kind: Kind,
    name: &str,
    expected: Expected,
    document: Option<&str>,
) -> Result<Change, ApiError> {
    let stored = catalog.find(kind.stored(), name);
    let before = stored.as_ref().map(|stored| &*stored.json);
    let Some(document) = kind.put_within(before, document) else {
        return Err(match kind {
            Kind::Triggers if stored.is_some() && document.is_some() => {
                ApiError::invalid("expected a JSON object, as {\"authType\": \"anonymous\"}")
            }
            _ => ApiError::not_found(kind, name),
        });
    };
    let expected = match (kind, expected, stored.as_ref().and_then(Document::stored)) {
        // What was read of the function above is written back with it.
        (Kind::Triggers, Expected::Any | Expected::Present, Some(stored)) => {
            Expected::Version(stored.version)
        }
        (Kind::Triggers, Expected::Absent, Some(_)) => {
            return Err(ApiError::invalid("If-None-Match does not go with triggers; use If-Match"));
        }
        (_, expected, _) => expected,
    };
    let (kind, name) = (kind.stored(), name.to_owned());
    Ok(Change { kind, name, expected, document, unknown_fields: UnknownFields::Refused })
}

/// A document with its version in the header.
pub fn answer(status: StatusCode, shown: Shown) -> Response {
    match shown.version {
        Some(version) => (status, [(ETAG, format!("\"{version}\""))], Json(shown)).into_response(),
        None => (status, Json(shown)).into_response(),
    }
}

/// Domains are compared without case.
pub fn normal(kind: Kind, name: String) -> String {
    match kind {
        Kind::CustomDomains => name.to_ascii_lowercase(),
        Kind::Functions | Kind::Triggers => name,
    }
}

/// RFC 9110, 13.1.
fn expected(headers: &HeaderMap) -> Result<Expected, ApiError> {
    let wrong = || ApiError::invalid("If-Match: expected the ETag of one version, as \"12\", or *");
    if let Some(none_match) = headers.get(IF_NONE_MATCH) {
        return match none_match.as_bytes() {
            b"*" => Ok(Expected::Absent),
            _ => Err(ApiError::invalid("If-None-Match: expected *")),
        };
    }
    let Some(matches) = headers.get(IF_MATCH) else { return Ok(Expected::Any) };
    let matches = matches.to_str().map_err(|_| wrong())?;
    if matches == "*" {
        return Ok(Expected::Present);
    }
    let version = matches.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or_else(wrong)?;
    version.parse().map(Expected::Version).map_err(|_| wrong())
}
