//! `/2023-03-30/custom-domains`.

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
use crate::catalog::Document;

const SHAPE: Shape = Shape::Domain;

pub(super) async fn create(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Response, ErrorAnswer> {
    let mut document = parse_body(&body)?;
    wire::remove_read_only(&mut document);
    // Whether it is there and a name is judged with all the rest.
    let name = document.get("domainName").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    let created = api.create(&caller, SHAPE, &name, &document).await?;
    show(&api, &caller, &created).await
}

pub(super) async fn read(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Names(name): Names<String>,
) -> Result<Response, ErrorAnswer> {
    let document = api.find(SHAPE, &name.to_ascii_lowercase())?;
    show(&api, &caller, &document).await
}

pub(super) async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Response, ErrorAnswer> {
    let page = Page::read(query.as_deref())?;
    let prefix = page.prefix.to_ascii_lowercase();
    let found = api.catalog.list(SHAPE.kind(), &prefix, page.after.as_deref(), page.limit + 1);
    let (documents, next_token) = page.cut(found, |document| &document.name);
    let account_id = api.account_id().await?;
    let domains = documents
        .iter()
        .map(|document| wire::domain(document, &caller, account_id).map(Value::from))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(paging::answer("customDomains", domains, next_token))
}

/// Each top-level field that is sent takes the place of what is stored; the others stay.
pub(super) async fn update(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Names(name): Names<String>,
    body: Bytes,
) -> Result<Response, ErrorAnswer> {
    let name = name.to_ascii_lowercase();
    let mut sent = parse_body(&body)?;
    wire::remove_read_only(&mut sent);
    if let Some(other) = sent.remove("domainName")
        && !other.as_str().is_some_and(|other| other.eq_ignore_ascii_case(&name))
    {
        return Err(ErrorAnswer::invalid("domainName: a domain keeps its name; create another one"));
    }
    let edit = |document: &mut Object| {
        wire::replace_fields(document, &sent);
        Ok(())
    };
    let updated = api.update(&caller, SHAPE, &name, edit).await?;
    show(&api, &caller, &updated).await
}

pub(super) async fn delete(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Names(name): Names<String>,
) -> Result<Response, ErrorAnswer> {
    api.delete(&caller, SHAPE, &name.to_ascii_lowercase()).await
}

async fn show(api: &Api, caller: &Caller, document: &Document) -> Result<Response, ErrorAnswer> {
    Ok(answer::ok(&wire::domain(document, caller, api.account_id().await?)?))
}
