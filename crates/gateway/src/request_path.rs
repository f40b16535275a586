//! The path of every request, from top to bottom: host and path → route → token → claims ([`prepare`]) →
//! function → answer ([`Worker::handle`]), and one line in the log.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant, SystemTime};

use claimgate_config::snapshot::{Authentication, DomainKind, FunctionTarget, Route, RouteMatch};
use claimgate_functions::{Functions, Request, Response, ResponseBody};
use http::uri::PathAndQuery;
use http::{Method, StatusCode, Uri, Version};
use http_body::Body as _;

use crate::access_log::Lines;
use crate::authenticate::authenticate;
use crate::authority::Authority;
use crate::client::{Client, Origin};
use crate::cors::Cors;
use crate::exchange::{Answered, Exchange, Logged, Outcome, Record};
use crate::gateway::{Gateway, Serving};
use crate::listen::ClientSide;
use crate::metrics::WorkerCounts;
use crate::parameters::cookie;
use crate::path::{PathError, RequestPath};
use crate::refusal::Refusal;
use crate::rejection::Rejection;
use crate::request::{Body, FunctionRequest};
use crate::request_id::RequestId;
use crate::rewrite::rewrite;
use crate::step::{Observer, Step};
use crate::transport::{Transport, check_scheme, find_domain};
use crate::tunnel::Tunnels;
use crate::verify::Verifier;
use crate::{claims, headers, respond};

/// What one thread serves its connections with. Each has its own connections to functions, so that
/// threads share nothing that is written on the path of a request.
#[derive(Debug)]
pub struct Worker {
    /// What all threads share.
    pub gateway: Arc<Gateway>,
    /// The functions, and this thread's connections to them.
    pub functions: Functions,
    /// The WebSockets that are open.
    pub tunnels: Tunnels,
    /// What this thread counts.
    pub counts: Arc<WorkerCounts>,
    /// Where this thread logs its requests.
    pub access_log: Lines,
    /// What this thread verifies tokens with.
    pub verifier: Verifier,
    /// Whether the time to drain ran out, and requests are given up.
    pub is_cut_off: AtomicBool,
}

impl Worker {
    /// Answers a request, or the refusal of one that cannot be read: gives it an id, lets `handle` find the
    /// answer, counts and logs it. `client_side` is there when the connection can change its protocol.
    pub async fn answer(
        &self,
        request: Result<Request, Refusal>,
        client_side: Option<ClientSide>,
        client: &Client,
    ) -> Answered {
        let started = Instant::now();
        let _in_flight = self.counts.begin();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let serving = self.gateway.serving();
        let id = RequestId::next(now);
        let mut exchange = Exchange::begin(self, &serving, &id, client, (started, now));
        exchange.read(request.as_ref().ok());

        let mut version = Version::HTTP_11;
        let result = match request {
            Err(refusal) => Err(refusal.into()),
            Ok(request) => {
                version = request.version;
                let Exchange { uri, origin, record, .. } = &mut exchange;
                self.handle(&serving, request, uri, client_side, origin, &id, now, record).await
            }
        };
        let record = &exchange.record;
        let domain = record.domain.map_or("", |domain| domain.name.as_str());
        for mapping in &record.not_carried {
            self.counts.count_claim_not_forwarded(serving.row(record.domain, record.route));
            tracing::warn!(
                request_id = %id,
                domain,
                claim = mapping.claim,
                "the claim cannot be carried where claimPassBy puts it, and was left out"
            );
        }
        let (mut response, outcome) = match result {
            Ok(response) if record.cors.as_ref().is_some_and(Cors::is_preflight) => {
                (response, Outcome::Preflight)
            }
            Ok(response) => (response, Outcome::Accepted),
            Err(rejection) => {
                let (fault, reason) = (rejection.fault(), rejection.reason());
                let error = &rejection as &dyn std::error::Error;
                tracing::debug!(request_id = %id, error, "request {}", fault.outcome());
                let domain = record.domain.map(|domain| domain.name.as_str());
                (respond::rejection(&rejection, &id, domain, version), Outcome::Rejected(fault, reason))
            }
        };
        if let Some(cors) = &record.cors {
            cors.set(&mut response.fields);
        }
        let row = exchange.end(response.status, outcome);
        Answered { response, logged: Logged { id, row } }
    }

    /// Finds the answer to a request. Whatever ends it early is a [`Rejection`].
    #[allow(
        clippy::too_many_arguments,
        reason = "one path, read from top to bottom, with nothing hidden in a context"
    )]
    async fn handle<'s>(
        &self,
        serving: &'s Serving,
        request: Request,
        uri: &Uri,
        client_side: Option<ClientSide>,
        origin: &Origin<'_>,
        id: &RequestId,
        now: Duration,
        record: &mut Record<'s>,
    ) -> Result<Response, Rejection> {
        if let Some(response) = challenge(serving, uri, origin, id) {
            return Ok(response);
        }
        let prepared = prepare(serving, &self.verifier, request, uri, origin, id, now, record).await?;
        let Some(Prepared { route, mut request, is_websocket }) = prepared else {
            return Ok(respond::preflight(id));
        };
        if let Some(span) = &record.span {
            request.fields.insert(&headers::TRACEPARENT, &span.traceparent());
        }

        // What the function answers.
        let now = Instant::now();
        record.called = Some(now);
        let timeouts = &serving.snapshot.gateway.timeouts;
        let (function, processes) = (&route.function, &serving.processes);
        let response = match timeouts.response {
            None => self.functions.invoke(function, processes, request, timeouts, now.into()).await,
            Some(limit) => {
                let functions = &self.functions;
                Box::pin(functions.invoke_within(limit, function, processes, request, timeouts, now.into()))
                    .await
            }
        };
        record.returned = Some(Instant::now());
        let mut response = response?;
        if response.status == StatusCode::SWITCHING_PROTOCOLS {
            let client_side = client_side.filter(|_| is_websocket).ok_or(Rejection::UnaskedUpgrade)?;
            let body = std::mem::replace(&mut response.body, ResponseBody::empty());
            let function_side = body.into_upgraded().ok_or(Rejection::UnaskedUpgrade)?;
            self.tunnels.open(client_side, function_side, self.counts.open_websocket());
            headers::set_for_client(&mut response.fields, id, true);
        } else {
            headers::set_for_client(&mut response.fields, id, false);
        }
        Ok(response)
    }
}

/// The answer to a request of an ACME server, which looks whether a domain is ours.
fn challenge(serving: &Serving, uri: &Uri, origin: &Origin<'_>, id: &RequestId) -> Option<Response> {
    let is_plain = matches!(origin.peer.transport, Transport::Http { .. });
    if !uri.path().starts_with("/.well-known/") || !is_plain {
        return None;
    }
    let answer = serving.certificates.http_challenge(uri.path())?;
    Some(respond::acme_challenge(answer, id))
}

/// A request that may go to its function.
#[derive(Debug)]
pub struct Prepared<'s> {
    /// The route that serves it.
    pub route: &'s Route,
    /// As the function receives it.
    pub request: Request,
    /// Whether it asks for a WebSocket.
    pub is_websocket: bool,
}

/// The stages of a request before its function. Whatever ends it here is a [`Rejection`]; `None` when it is
/// a preflight request, which the gateway answers. `uri` is the request's, and `now` counts from the Unix
/// epoch.
#[allow(clippy::too_many_arguments, reason = "as for `handle`")]
pub async fn prepare<'s>(
    serving: &'s Serving,
    verifier: &Verifier,
    request: Request,
    uri: &Uri,
    origin: &Origin<'_>,
    id: &RequestId,
    now: Duration,
    observer: &mut impl Observer<'s>,
) -> Result<Option<Prepared<'s>>, Rejection> {
    let snapshot = &serving.snapshot;
    let settings = &snapshot.gateway;

    // What the request is for.
    crate::limits::check(&request, &settings.limits)?;
    if headers::has_ambiguous_length(&request) {
        return Err(Refusal::AmbiguousLength.into());
    }
    if request.method == Method::CONNECT {
        return Err(Rejection::Connect);
    }
    let authority = Authority::of(&request)?;
    observer.observe(Step::Host(&authority.host));
    let domain = find_domain(snapshot, &authority.host, &origin.peer.transport)?;
    observer.observe(Step::Domain(domain));
    let cors = domain.cors.as_ref();
    let cors =
        cors.map(|rules| Cors::of(rules, &request.method, &request.fields, !request.body.is_end_stream()));
    if let Some(cors) = &cors {
        observer.observe(Step::Cors(cors));
    }
    if domain.kind == DomainKind::DisabledTrigger {
        return Err(Rejection::TriggerDisabled);
    }
    let path = RequestPath::parse(uri.path())?;
    observer.observe(Step::Path(&path));
    check_scheme(domain, &authority.host, uri, origin, settings)?;
    if cors.is_some_and(|cors| cors.is_preflight()) {
        return Ok(None);
    }
    let route = match domain.routes.find(path.canonical(), &request.method) {
        RouteMatch::Found(route) => route,
        RouteMatch::MethodNotAllowed(methods) => return Err(Rejection::MethodNotAllowed(methods)),
        RouteMatch::NotFound => return Err(Rejection::NoRoute),
    };
    observer.observe(Step::Route(route));
    if route.function.target == FunctionTarget::Unavailable {
        return Err(Rejection::ConfigurationUnavailable);
    }

    // What of it concerns the client's connection alone.
    let is_websocket = headers::asks_for_websocket(&request);
    let Request { method, version, mut fields, body, .. } = request;
    headers::remove_hop_by_hop(&mut fields);
    if version >= Version::HTTP_2 {
        cookie::join_fields(&mut fields);
    }

    // Who sent it.
    let mut request = FunctionRequest {
        method,
        fields,
        query: uri.query().map(|query| Cow::Borrowed(query.as_bytes())),
        body: Body::Stream(body),
    };
    let began = matches!(domain.authentication, Authentication::Jwt(_)).then(Instant::now);
    let authenticated = authenticate(domain, &path, &mut request, serving, verifier, now, observer).await;
    if let Some(began) = began {
        observer.observe(Step::Authenticated(began, Instant::now()));
    }
    let authenticated = authenticated?;

    // What the function is told.
    path.check_folder(route)?;
    let rewritten = rewrite(route, &path, &mut request, &settings.limits, observer)?;
    headers::remove_for_gateway(&mut request.fields);
    let path = rewritten.as_deref().unwrap_or(path.forwarded());
    claims::forward(&authenticated, &mut request, path, settings, observer).await?;
    headers::set_for_function(&mut request.fields, &authority, origin, id, is_websocket);
    let request = outgoing(request, uri, path)?;
    Ok(Some(Prepared { route, request, is_websocket }))
}

/// The request as the function receives it.
fn outgoing(request: FunctionRequest<'_>, uri: &Uri, path: &str) -> Result<Request, Rejection> {
    let FunctionRequest { method, mut fields, query, body } = request;
    let is_as_sent = path == uri.path() && query.as_deref() == uri.query().map(str::as_bytes);
    let target = match uri.path_and_query() {
        Some(as_sent) if is_as_sent => as_sent.clone(),
        _ => {
            let mut target = path.as_bytes().to_vec();
            if let Some(query) = &query {
                target.push(b'?');
                target.extend_from_slice(query);
            }
            // The path was part of a URI before, and a query that was added to is percent-encoded.
            PathAndQuery::from_maybe_shared(target).map_err(|_| PathError::ForbiddenCharacter)?
        }
    };
    let body = FunctionRequest::finish_body(&mut fields, body);
    Ok(Request { method, uri: Uri::from(target), version: Version::default(), fields, body })
}
