//! A request from its beginning to its line in the log, whether it is answered or not.

use std::error::Error;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use claimgate_config::snapshot::{ClaimMapping, Domain, Route};
use claimgate_functions::{Fields, Request, Response};
use http::{Method, StatusCode, Uri};

use crate::access_log::Line;
use crate::claims::Delivery;
use crate::client::{Client, Origin};
use crate::cors::Cors;
use crate::gateway::Serving;
use crate::metrics::{Durations, Refused, Row};
use crate::rejection::Fault;
use crate::request_id::RequestId;
use crate::request_path::Worker;
use crate::spans::Span;
use crate::step::{Observer, Step};

/// The status that is logged when a client has left before its answer. It is sent to nobody.
const CLIENT_LEFT: u16 = 499;

/// A request that is being answered. When it is dropped before, its client has left, or the gateway has given it
/// up at its end; that is counted and logged too.
pub struct Exchange<'a> {
    worker: &'a Worker,
    serving: &'a Serving,
    id: &'a RequestId,
    /// From the Unix epoch.
    began: Duration,
    started: Instant,
    /// Where it comes from.
    pub origin: Origin<'a>,
    /// `None` when it could not be read.
    method: Option<Method>,
    /// As it was sent.
    pub uri: Uri,
    /// What is decided on its path.
    pub record: Record<'a>,
    is_ended: bool,
}

/// How it ends.
#[derive(Debug, Clone, Copy)]
pub enum Outcome {
    /// A function answered.
    Accepted,
    /// The gateway answered a preflight request.
    Preflight,
    /// For this reason no function answered.
    Rejected(Fault, &'static str),
    /// Nobody waits for an answer any more.
    ClientLeft,
}

/// An answer, and what its request was logged as.
#[derive(Debug)]
pub struct Answered {
    /// The answer, whose body is still to come.
    pub response: Response,
    /// For what happens behind its head.
    pub logged: Logged,
}

/// Under which id a request was logged, and where it was counted.
#[derive(Debug)]
pub struct Logged {
    /// The id.
    pub id: RequestId,
    /// The row of its route or domain.
    pub row: Row,
}

/// What the log tells of a request.
#[derive(Default)]
pub struct Record<'s> {
    pub domain: Option<&'s Domain>,
    pub route: Option<&'s Route>,
    pub cors: Option<Cors<'s>>,
    pub not_carried: Vec<&'s ClaimMapping>,
    /// When the request is sampled.
    pub span: Option<Span>,
    /// When authentication began and ended.
    authenticate: Option<(Instant, Instant)>,
    /// Whether a token was needed.
    verifies: bool,
    /// When the function was called.
    pub called: Option<Instant>,
    /// When it answered or failed.
    pub returned: Option<Instant>,
}

impl<'a> Exchange<'a> {
    /// A request of which nothing is known but who sent it; `began` counts from the Unix epoch.
    pub fn begin(
        worker: &'a Worker,
        serving: &'a Serving,
        id: &'a RequestId,
        client: &'a Client,
        (started, began): (Instant, Duration),
    ) -> Self {
        Self {
            worker,
            serving,
            id,
            began,
            started,
            origin: Origin::direct(client),
            method: None,
            uri: Uri::default(),
            record: Record::default(),
            is_ended: false,
        }
    }

    /// Takes over what the request says of itself; `None` when it could not be read.
    pub fn read(&mut self, request: Option<&Request>) {
        let spans = self.worker.gateway.spans();
        let Some(request) = request else {
            self.record.span = spans.begin(&Fields::default());
            return;
        };
        let trusted = &self.serving.snapshot.gateway.trusted_proxies;
        self.origin = Origin::of(self.origin.peer, &request.fields, trusted);
        self.record.span = spans.begin(&request.fields);
        self.method = Some(request.method.clone());
        self.uri = request.uri.clone();
    }

    /// Counts and logs it, when the head of its answer is there; tells where it was counted.
    pub fn end(mut self, status: StatusCode, outcome: Outcome) -> Row {
        self.is_ended = true;
        self.note(status.as_u16(), outcome)
    }

    fn note(&self, status: u16, outcome: Outcome) -> Row {
        let (worker, record) = (self.worker, &self.record);
        let durations = record.durations(self.started);
        let row = self.serving.row(record.domain, record.route);
        match outcome {
            Outcome::Accepted => worker.counts.count(row, None, durations),
            Outcome::Preflight => worker.counts.count_preflight(row),
            Outcome::Rejected(fault, reason) => {
                worker.counts.count(row, Some((fault, reason)), durations);
                worker.counts.note_refused(Refused {
                    began: self.began,
                    id: self.id.clone(),
                    client: self.origin.client().into(),
                    status,
                    outcome: fault.outcome(),
                    reason,
                    row,
                });
            }
            Outcome::ClientLeft => worker.counts.count_client_left(row),
        }
        let (outcome, reason) = outcome.words();
        // The query may hold a token.
        let (method, path) =
            self.method.as_ref().map_or(("", ""), |method| (method.as_str(), self.uri.path()));
        let line = Line {
            began: self.began,
            request_id: self.id.as_str(),
            client: self.origin.client(),
            scheme: self.origin.scheme(),
            method,
            domain: record.domain.map_or("", |domain| domain.name.as_str()),
            path,
            route: record.route.map_or("", |route| route.path.as_str()),
            function: record.route.map_or("", |route| route.function.name.as_str()),
            status,
            outcome,
            reason,
            duration: durations.whole,
            authenticate: record.authenticate.map(length).unwrap_or_default(),
            function_duration: durations.function.unwrap_or_default(),
            trace_id: record.span.as_ref().map(Span::trace_id),
        };
        worker.access_log.log(&line);
        if let Some(span) = &record.span {
            let verification = record.authenticate.filter(|_| record.verifies);
            worker.gateway.spans().end(span, &line, self.started, verification, record.function());
        }
        row
    }

    #[cold]
    fn give_up(&mut self) {
        self.record.returned = self.record.called.map(|_| Instant::now());
        if self.worker.is_cut_off.load(Ordering::Relaxed) {
            let outcome = Outcome::Rejected(Fault::Function, "drain_timeout");
            self.note(StatusCode::SERVICE_UNAVAILABLE.as_u16(), outcome);
        } else {
            self.note(CLIENT_LEFT, Outcome::ClientLeft);
        }
    }
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        if !self.is_ended {
            self.give_up();
        }
    }
}

impl Outcome {
    /// The words of log and metric for it, with the reason.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Accepted => ("accepted", ""),
            Self::Preflight => ("preflight", ""),
            Self::Rejected(fault, reason) => (fault.outcome(), reason),
            Self::ClientLeft => ("client_left", ""),
        }
    }
}

impl Logged {
    /// Counts and logs that the function broke off its answer behind the head.
    #[cold]
    pub fn broke_off(&self, worker: &Worker, reason: &'static str, error: &(dyn Error + 'static)) {
        worker.counts.count_broken_off(self.row, reason);
        let labels = worker.gateway.metrics().requests().labels_of(self.row);
        tracing::warn!(
            request_id = %self.id,
            domain = labels.domain,
            route = labels.route,
            function = labels.function,
            outcome = "broken_off",
            reason,
            error,
            "a function broke off its answer"
        );
    }
}

impl Record<'_> {
    /// How long a request took that began at `started` and is answered now.
    fn durations(&self, started: Instant) -> Durations {
        // The clock was just read when the function answered.
        let answered = self.returned.unwrap_or_else(Instant::now);
        Durations {
            whole: answered.duration_since(started),
            verification: self.authenticate.filter(|_| self.verifies).map(length),
            function: self.function().map(length),
        }
    }

    fn function(&self) -> Option<(Instant, Instant)> {
        self.called.zip(self.returned)
    }
}

impl<'s> Observer<'s> for Record<'s> {
    // Always, since most steps are nothing to it, and then none is made.
    #[inline(always)]
    fn observe(&mut self, step: Step<'s, '_>) {
        match step {
            Step::Domain(domain) => self.domain = Some(domain),
            Step::Cors(cors) => self.cors = Some(cors.clone()),
            Step::Route(route) => self.route = Some(route),
            Step::Jwt { need, .. } => self.verifies = need.is_there(),
            Step::Authenticated(began, ended) => self.authenticate = Some((began, ended)),
            Step::Claim { mapping, delivery: Delivery::NotCarried } => self.not_carried.push(mapping),
            _ => {}
        }
    }
}

fn length((began, ended): (Instant, Instant)) -> Duration {
    ended.duration_since(began)
}
