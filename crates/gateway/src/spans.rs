//! Spans of sampled requests, which are exported with OTLP (`gateway.tracing`).
//!
//! A request that is not sampled costs the look at its `traceparent`. What is told of a sampled one goes
//! into a bounded queue, from which a thread beside sends it; when the queue is full, it is dropped and
//! counted.

mod exporter;
mod otlp;

pub use exporter::Collector;
pub use http::{HeaderMap, HeaderName, HeaderValue};

use std::io;
use std::sync::{Mutex, PoisonError, mpsc as blocking};
use std::time::{Duration, Instant};

use claimgate_functions::{Fields, Functions};
use tokio::sync::{mpsc, oneshot};

use crate::access_log::Line;
use crate::headers::{TRACESTATE, valid_traceparent};
use crate::metrics::SpanMetrics;
use crate::parameters::header;
use crate::request_id::{random, write_hex};

/// How many requests wait to be exported.
const QUEUE: usize = 4096;

/// How long the end waits for the last spans to be exported.
const END: Duration = Duration::from_secs(3);

/// Where spans go.
#[derive(Debug)]
pub struct Spans(Option<Running>);

#[derive(Debug)]
struct Running {
    queue: mpsc::Sender<Request>,
    sampled_per_million: u32,
    metrics: SpanMetrics,
    /// Asks for the end, and hears when it has come.
    end: Mutex<Option<(oneshot::Sender<()>, blocking::Receiver<()>)>>,
}

impl Spans {
    /// Samples nothing.
    pub fn off() -> Self {
        Self(None)
    }

    /// Starts a thread that exports to a collector; so many of a million requests are sampled that come
    /// without a decision of the client's.
    pub fn start(
        collector: Collector,
        functions: Functions,
        sampled_per_million: u32,
        metrics: SpanMetrics,
    ) -> io::Result<Self> {
        let (queue, requests) = mpsc::channel(QUEUE);
        let (end, ending) = oneshot::channel();
        let (ended, hears) = blocking::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let counts = metrics.clone();
        std::thread::Builder::new().name("claimgate-spans".to_owned()).spawn(move || {
            runtime.block_on(exporter::run(collector, functions, requests, ending, counts));
            // Nobody listens when the end was not waited for.
            let _ = ended.send(());
            runtime.shutdown_background();
        })?;
        Ok(Self(Some(Running { queue, sampled_per_million, metrics, end: Mutex::new(Some((end, hears))) })))
    }

    /// Begins the span of a request, when it is sampled: as its `traceparent` says, else by chance.
    pub fn begin(&self, fields: &Fields) -> Option<Span> {
        let running = self.0.as_ref()?;
        let Some(parent) = valid_traceparent(fields) else {
            return is_chosen(running.sampled_per_million).then(Span::root);
        };
        Span::child(parent, fields)
    }

    /// Exports a sampled request as it is logged, with the times of its parts.
    pub(crate) fn end(
        &self,
        span: &Span,
        line: &Line<'_>,
        began: Instant,
        verification: Option<Times>,
        function: Option<Times>,
    ) {
        let Some(running) = &self.0 else {
            return;
        };
        let part =
            |(from, to): Times| Part { after: from.duration_since(began), took: to.duration_since(from) };
        let request = Request {
            span: span.clone(),
            began: line.began,
            whole: line.duration,
            verification: verification.map(part),
            function: function.map(part),
            method: known_method(line.method),
            route: line.route.to_owned(),
            status: line.status,
            attributes: attributes(line),
        };
        if running.queue.try_send(request).is_err() {
            running.metrics.count_dropped(1);
        }
    }

    /// Exports what there is, and ends.
    pub fn finish(&self) {
        let Some(running) = &self.0 else {
            return;
        };
        let end = running.end.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((end, ended)) = end
            && end.send(()).is_ok()
            && ended.recv_timeout(END).is_err()
        {
            tracing::warn!("the last spans could not be exported in time");
        }
    }
}

/// The ids of a sampled request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    trace_id: [u8; 16],
    /// The whole request.
    id: [u8; 8],
    /// The call of the function, whose own spans are below it.
    call: [u8; 8],
    parent: Option<[u8; 8]>,
    /// `tracestate` as it came (W3C Trace Context, 3.3).
    state: String,
}

impl Span {
    fn root() -> Self {
        let trace_id = u128::from(random()) << 64 | u128::from(random() | 1);
        Self {
            trace_id: trace_id.to_be_bytes(),
            id: new_id(),
            call: new_id(),
            parent: None,
            state: String::new(),
        }
    }

    /// Below the span that a valid `traceparent` names; `None` when that is not sampled.
    fn child(parent: &str, fields: &Fields) -> Option<Self> {
        let mut parts = parent.split('-').skip(1);
        let mut number = || u128::from_str_radix(parts.next()?, 16).ok();
        let (trace_id, parent, flags) = (number()?, number()?, number()?);
        let states: Vec<&str> = fields.get_all(&TRACESTATE).filter_map(header::text).collect();
        (flags & 1 == 1).then(|| Self {
            trace_id: trace_id.to_be_bytes(),
            id: new_id(),
            call: new_id(),
            parent: u64::try_from(parent).ok().map(u64::to_be_bytes),
            state: states.join(","),
        })
    }

    /// Of the trace that the request is part of.
    pub fn trace_id(&self) -> u128 {
        u128::from_be_bytes(self.trace_id)
    }

    /// What the function is told: the call is the parent of its spans.
    pub fn traceparent(&self) -> HeaderValue {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-01";
        let trace_id = self.trace_id();
        write_hex(&mut text[3..19], (trace_id >> 64) as u64);
        write_hex(&mut text[19..35], trace_id as u64);
        write_hex(&mut text[36..52], u64::from_be_bytes(self.call));
        // Hexadecimal digits and hyphens.
        HeaderValue::from_bytes(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

/// A request whose span has ended. There is no token in it, and no query.
#[derive(Debug)]
struct Request {
    span: Span,
    /// When it began, from the Unix epoch.
    began: Duration,
    whole: Duration,
    verification: Option<Part>,
    function: Option<Part>,
    method: &'static str,
    route: String,
    status: u16,
    attributes: Vec<(&'static str, String)>,
}

/// When something began and ended.
pub type Times = (Instant, Instant);

/// A part of a request: when it began and how long it took.
#[derive(Debug, Clone, Copy)]
struct Part {
    /// From the beginning of the request.
    after: Duration,
    took: Duration,
}

/// Names and values, by the semantic conventions of OpenTelemetry where those have a name for it.
fn attributes(line: &Line<'_>) -> Vec<(&'static str, String)> {
    let attributes = [
        ("http.request.method", known_method(line.method)),
        ("url.path", line.path),
        ("url.scheme", line.scheme),
        ("http.route", line.route),
        ("server.address", line.domain),
        ("client.address", line.client),
        ("error.type", line.reason),
        ("claimgate.request_id", line.request_id),
        ("claimgate.function", line.function),
        ("claimgate.outcome", line.outcome),
    ];
    let is_there = |(_, value): &(&str, &str)| !value.is_empty();
    attributes.into_iter().filter(is_there).map(|(name, value)| (name, value.to_owned())).collect()
}

/// A method of RFC 9110 or RFC 5789; any other has one name, so that clients do not make names of spans.
fn known_method(method: &str) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE"];
    KNOWN.into_iter().find(|known| *known == method).unwrap_or("_OTHER")
}

fn is_chosen(per_million: u32) -> bool {
    random() % 1_000_000 < u64::from(per_million)
}

/// Zero is no id (W3C Trace Context, 3.2.2).
fn new_id() -> [u8; 8] {
    (random() | 1).to_be_bytes()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_child_goes_on_with_its_parents_trace() {
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let mut fields = Fields::default();
        fields.append(&TRACESTATE, &HeaderValue::from_static("a=1"));
        let span = Span::child(parent, &fields).unwrap();
        assert_eq!(span.parent, Some(*b"\xb7\xad\x6b\x71\x69\x20\x33\x31"));
        assert_eq!(span.state, "a=1");
        let told = span.traceparent();
        let told = told.to_str().unwrap();
        assert_eq!((told.get(..36), told.get(52..)), (parent.get(..36), Some("-01")));
        assert_ne!(told, parent);
        assert_eq!(Span::child(&parent.replace("-01", "-02"), &Fields::default()), None);
    }

    #[test]
    fn chance_follows_the_ratio() {
        assert!((0..1000).all(|_| is_chosen(1_000_000) && !is_chosen(0)));
        let chosen = (0..10_000).filter(|_| is_chosen(250_000)).count();
        assert!((2000..3000).contains(&chosen), "{chosen}");
    }
}
