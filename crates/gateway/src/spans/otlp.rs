//! Requests as OTLP writes them: protocol buffers of `opentelemetry/proto/collector/trace/v1` (version 1).
//!
//! Written by hand: the messages are few and stable, where the crates for it bring thirteen more.

use std::time::Duration;

use super::{Part, Request};

// `Span.SpanKind`.
const INTERNAL: u64 = 1;
const SERVER: u64 = 2;
const CLIENT: u64 = 3;

/// `Status.StatusCode.STATUS_CODE_ERROR`.
const ERROR: u64 = 2;

/// `SpanFlags`: sampled, and whether the parent is in another process is known.
const LOCAL_PARENT: u32 = 0x101;
const REMOTE_PARENT: u32 = 0x301;

/// An `ExportTraceServiceRequest`.
pub(super) fn export(requests: &[Request], service: &str) -> Vec<u8> {
    let mut scope_spans = Message::default();
    scope_spans.message(1, Message::default().text(1, "claimgate").text(2, env!("CARGO_PKG_VERSION")));
    for request in requests {
        write_request(request, &mut scope_spans);
    }
    let mut resource = Message::default();
    for (name, value) in [("service.name", service), ("service.version", env!("CARGO_PKG_VERSION"))] {
        resource.message(1, &attribute(name, Message::default().text(1, value)));
    }
    let mut resource_spans = Message::default();
    resource_spans.message(1, &resource);
    resource_spans.message(2, &scope_spans);
    let mut export = Message::default();
    export.message(1, &resource_spans);
    export.0
}

/// The spans of a request: the whole, and below it what it consists of.
fn write_request(request: &Request, scope_spans: &mut Message) {
    let ids = &request.span;
    let name = match request.route.as_str() {
        "" => request.method.to_owned(),
        route => format!("{} {route}", request.method),
    };
    let whole = Part { after: Duration::ZERO, took: request.whole };
    let mut span = begin(request, &ids.id, ids.parent.as_ref(), &name, SERVER, whole);
    span.fixed32(16, if ids.parent.is_some() { REMOTE_PARENT } else { LOCAL_PARENT });
    for (name, value) in &request.attributes {
        span.message(9, &attribute(name, Message::default().text(1, value)));
    }
    let status = attribute("http.response.status_code", Message::default().number(3, request.status.into()));
    span.message(9, &status);
    if request.status >= 500 {
        span.message(15, Message::default().number(3, ERROR));
    }
    scope_spans.message(2, &span);
    for (part, id, name, kind) in [
        (request.verification, super::new_id(), "verify token", INTERNAL),
        (request.function, ids.call, "call function", CLIENT),
    ] {
        if let Some(part) = part {
            let mut span = begin(request, &id, Some(&ids.id), name, kind, part);
            span.fixed32(16, LOCAL_PARENT);
            scope_spans.message(2, &span);
        }
    }
}

fn begin(
    request: &Request,
    id: &[u8; 8],
    parent: Option<&[u8; 8]>,
    name: &str,
    kind: u64,
    part: Part,
) -> Message {
    let mut span = Message::default();
    span.bytes(1, &request.span.trace_id).bytes(2, id);
    if !request.span.state.is_empty() {
        span.text(3, &request.span.state);
    }
    if let Some(parent) = parent {
        span.bytes(4, parent);
    }
    let began = request.began + part.after;
    span.text(5, name).number(6, kind);
    span.fixed64(7, nanoseconds(began)).fixed64(8, nanoseconds(began + part.took));
    span
}

/// A `KeyValue`; the value is an `AnyValue`.
fn attribute(name: &str, value: &Message) -> Message {
    let mut attribute = Message::default();
    attribute.text(1, name).message(2, value);
    attribute
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// A message of protocol buffers in the making: fields with their numbers.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    const VARINT: u64 = 0;
    const FIXED64: u64 = 1;
    const LENGTH: u64 = 2;
    const FIXED32: u64 = 5;

    fn tag(&mut self, field: u64, wire_type: u64) {
        self.varint(field << 3 | wire_type);
    }

    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn number(&mut self, field: u64, number: u64) -> &mut Self {
        self.tag(field, Self::VARINT);
        self.varint(number);
        self
    }

    fn fixed32(&mut self, field: u64, number: u32) -> &mut Self {
        self.tag(field, Self::FIXED32);
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    fn fixed64(&mut self, field: u64, number: u64) -> &mut Self {
        self.tag(field, Self::FIXED64);
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) -> &mut Self {
        self.tag(field, Self::LENGTH);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    fn text(&mut self, field: u64, text: &str) -> &mut Self {
        self.bytes(field, text.as_bytes())
    }

    fn message(&mut self, field: u64, message: &Message) -> &mut Self {
        self.bytes(field, &message.0)
    }
}
