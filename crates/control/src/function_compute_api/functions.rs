//! `/2023-03-30/functions`. Where a function is, in `url`, `process` or `builtin`, is claimgate's own.

use axum::body::Bytes;
use axum::extract::{Extension, RawQuery, State};
use axum::response::Response;
use claimgate_jose::json::{Object, Value};

use super::Api;
use super::errors::Shape;
use super::paging::{self, Page};
use super::request::{Names, parse_body};
use super::wire;
use crate::answer::{self, ErrorAnswer};
use crate::authentication::Caller;

const SHAPE: Shape = Shape::Function;
const PLACES: [&str; 3] = ["url", "process", "builtin"];

pub(super) async fn create(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Response, ErrorAnswer> {
    let mut document = parse_body(&body)?;
    wire::remove_read_only(&mut document);
    let name = document.get("functionName").and_then(Value::as_str).unwrap_or_default().to_owned();
    let created = api.create(&caller, SHAPE, &name, &document).await?;
    Ok(answer::ok(&wire::function(&created, &caller)?))
}

pub(super) async fn read(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Names(name): Names<String>,
) -> Result<Response, ErrorAnswer> {
    let document = api.find(SHAPE, &name)?;
    Ok(answer::ok(&wire::function(&document, &caller)?))
}

pub(super) async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Response, ErrorAnswer> {
    let page = Page::read(query.as_deref())?;
    let found = api.catalog.list(SHAPE.kind(), &page.prefix, page.after.as_deref(), page.limit + 1);
    let (documents, next_token) = page.cut(found, |document| &document.name);
    let functions = documents
        .iter()
        .map(|document| wire::function(document, &caller).map(Value::from))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(paging::answer("functions", functions, next_token))
}

/// Each top-level field that is sent takes the place of what is stored; the others stay, but for where the
/// function was when it is elsewhere now.
pub(super) async fn update(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Names(name): Names<String>,
    body: Bytes,
) -> Result<Response, ErrorAnswer> {
    let mut sent = parse_body(&body)?;
    wire::remove_read_only(&mut sent);
    if let Some(other) = sent.remove("functionName")
        && other.as_str() != Some(&name)
    {
        return Err(ErrorAnswer::invalid("functionName: a function keeps its name; create another one"));
    }
    let edit = |document: &mut Object| {
        if PLACES.iter().any(|place| sent.get(place).is_some()) {
            for place in PLACES {
                document.remove(place);
            }
        }
        wire::replace_fields(document, &sent);
        Ok(())
    };
    let updated = api.update(&caller, SHAPE, &name, edit).await?;
    Ok(answer::ok(&wire::function(&updated, &caller)?))
}

pub(super) async fn delete(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Names(name): Names<String>,
) -> Result<Response, ErrorAnswer> {
    api.delete(&caller, SHAPE, &name).await
}
