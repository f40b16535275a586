//! Function Compute's OpenAPI, version 2023-03-30, as far as it concerns custom domains, functions and HTTP
//! triggers: what the original's SDKs call.

mod account_id;
mod custom_domains;
mod errors;
mod functions;
mod paging;
mod request;
mod triggers;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use claimgate_config::{DocumentKind, UnknownFields};
use claimgate_jose::json::Object;
use tokio::sync::OnceCell;

use crate::answer::{self, ErrorAnswer};
use crate::authentication::{Authenticator, Caller};
use crate::catalog::{ApplyError, Catalog, Change, Document, Expected};
use crate::known_caller::{self, Accepted};
use crate::request_body::Bodies;
use errors::Shape;

/// How often a partial update begins again because the document was changed meanwhile.
const ATTEMPTS: usize = 10;

/// What requests are answered from.
#[derive(Clone)]
struct Api {
    catalog: Catalog,
    authenticator: Arc<Authenticator>,
    bodies: Bodies,
    account_id: Arc<OnceCell<String>>,
}

/// All paths below `/2023-03-30`.
pub fn router(catalog: Catalog, authenticator: Arc<Authenticator>, bodies: Bodies) -> Router {
    let api = Api { catalog, authenticator, bodies, account_id: Arc::default() };
    let authenticated = middleware::from_fn_with_state(api.clone(), authenticate);
    Router::new()
        .route("/2023-03-30/custom-domains", get(custom_domains::list).post(custom_domains::create))
        .route(
            "/2023-03-30/custom-domains/{domain}",
            get(custom_domains::read).put(custom_domains::update).delete(custom_domains::delete),
        )
        .route("/2023-03-30/functions", get(functions::list).post(functions::create))
        .route(
            "/2023-03-30/functions/{function}",
            get(functions::read).put(functions::update).delete(functions::delete),
        )
        .route("/2023-03-30/functions/{function}/triggers", get(triggers::list).post(triggers::create))
        .route(
            "/2023-03-30/functions/{function}/triggers/{trigger}",
            get(triggers::read).put(triggers::update).delete(triggers::delete),
        )
        .route_layer(authenticated)
        .method_not_allowed_fallback(answer::method_not_allowed)
        .with_state(api)
}

/// Finds out who sent a request and then reads its body; handlers get the caller and the body.
async fn authenticate(State(api): State<Api>, request: Request, next: Next) -> Result<Response, ErrorAnswer> {
    let may = |parts: &Parts, caller: &Caller| match parts.method.is_safe() {
        true => Ok(()),
        false => caller.may_write(),
    };
    let (accepted, most_bytes) = (Accepted::Signatures, request::MAX_BODY_BYTES);
    let admitted =
        known_caller::admit(&api.authenticator, &api.bodies, request, accepted, most_bytes, may).await;
    let (request, _memory) = admitted?;
    Ok(next.run(request).await)
}

impl Api {
    fn find(&self, shape: Shape, name: &str) -> Result<Document, ErrorAnswer> {
        self.catalog.find(shape.kind(), name).ok_or_else(|| shape.not_found(name))
    }

    /// Makes one change, and gives the document as it is then.
    async fn apply(&self, caller: &Caller, change: Change) -> Result<Option<Document>, ApplyError> {
        let (kind, name) = (change.kind, change.name.clone());
        let applied = self.catalog.apply(vec![change], &caller.author()).await?;
        for warning in &applied.warnings {
            let (document, field) =
                (format!("{}/{}", warning.kind.list(), warning.name), &warning.problem.field);
            tracing::warn!(document, field, "{}", warning.problem.message);
        }
        Ok(applied.documents.into_iter().find(|document| document.kind == kind && document.name == name))
    }

    async fn create(
        &self,
        caller: &Caller,
        shape: Shape,
        name: &str,
        document: &Object,
    ) -> Result<Document, ErrorAnswer> {
        let change = change(shape.kind(), name, Expected::Absent, Some(document.to_string()));
        match self.apply(caller, change).await {
            Ok(document) => document.ok_or_else(|| shape.not_found(name)),
            // As the original's tools create first, and update when that fails with this code.
            Err(error @ ApplyError::Declared { .. }) => Err(shape.exists(error.to_string())),
            Err(error) => Err(shape.answer(name, error)),
        }
    }

    /// Changes what is stored of a document, without losing what others change meanwhile.
    async fn update(
        &self,
        caller: &Caller,
        shape: Shape,
        name: &str,
        edit: impl Fn(&mut Object) -> Result<(), ErrorAnswer>,
    ) -> Result<Document, ErrorAnswer> {
        for _ in 0..ATTEMPTS {
            let before = self.find(shape, name)?;
            let mut document = wire::parse_document(&before)?;
            edit(&mut document)?;
            // Of what is declared the catalog says so itself.
            let expected = before.stored().map_or(Expected::Any, |stored| Expected::Version(stored.version));
            let change = change(shape.kind(), &before.name, expected, Some(document.to_string()));
            match self.apply(caller, change).await {
                Ok(Some(document)) => return Ok(document),
                Ok(None) => return Err(shape.not_found(name)),
                Err(ApplyError::Changed { .. }) => {}
                Err(error) => return Err(shape.answer(name, error)),
            }
        }
        Err(errors::concurrent_update())
    }

    async fn delete(&self, caller: &Caller, shape: Shape, name: &str) -> Result<Response, ErrorAnswer> {
        let change = change(shape.kind(), name, Expected::Present, None);
        self.apply(caller, change).await.map_err(|error| shape.answer(name, error))?;
        Ok(answer::no_content())
    }

    async fn account_id(&self) -> Result<&str, ErrorAnswer> {
        let make = || account_id::of(self.catalog.store());
        Ok(self.account_id.get_or_try_init(make).await?)
    }
}

fn change(kind: DocumentKind, name: &str, expected: Expected, document: Option<String>) -> Change {
    let name = name.to_owned();
    Change { kind, name, expected, document, unknown_fields: UnknownFields::LeftOut }
}
