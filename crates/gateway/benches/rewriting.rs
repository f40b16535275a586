//! Handing claims over: a mapped parameter is removed from a request and set, in each of its four positions.
//!
//! `absent` is the usual request, which does not hold the parameter; `sent` is one whose client tries to
//! set it.
#![allow(clippy::expect_used)]

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use claimgate_config::readings::MappedNames;
use claimgate_functions::{Fields, RequestBody};
use claimgate_gateway::parameters::content_type::{BodyType, FormKind, URLENCODED};
use claimgate_gateway::parameters::form::{ClaimsOfForm, FormFilter};
use claimgate_gateway::parameters::form_memory::FormMemory;
use claimgate_gateway::parameters::{cookie, header, urlencoded};
use divan::counter::BytesCount;
use divan::{AllocProfiler, Bencher};
use http::header::{CONTENT_TYPE, COOKIE};
use http::{HeaderName, HeaderValue};
use http_body::{Body as _, Frame};

/// The gateway's allocator, which counts here.
#[global_allocator]
static ALLOCATOR: AllocProfiler<mimalloc::MiMalloc> = AllocProfiler::new(mimalloc::MiMalloc);

const CASES: [&str; 2] = ["absent", "sent"];
const VALUE: &str = "user-000007 of the Wall";

fn main() {
    divan::main();
}

#[divan::bench(args = CASES)]
fn header(bencher: Bencher, case: &str) {
    let name = HeaderName::from_static("x-sub");
    let mut fields = browser_fields();
    if case == "sent" {
        fields.append(&HeaderName::from_static("x_sub"), &HeaderValue::from_static("user-000001"));
    }
    // The value is made once a token.
    let value = header::value(VALUE, &mut BytesMut::new()).expect("a value");
    bencher.with_inputs(|| fields.clone()).bench_values(|mut fields| {
        header::remove(&mut fields, &name);
        fields.append(&name, &value);
        fields
    });
}

#[divan::bench(args = CASES)]
fn cookie(bencher: Bencher, case: &str) {
    let sent = if case == "sent" { "; sub=user-000001" } else { "" };
    let cookies = format!("session=0123456789abcdef0123456789abcdef; theme=dark; locale=de-CH{sent}; seen=1");
    let mut fields = browser_fields();
    fields.append(&COOKIE, &cookies.parse().expect("a value"));
    let mapped = MappedNames::new(["sub"]);
    bencher.with_inputs(|| fields.clone()).bench_values(|mut fields| {
        cookie::remove(&mut fields, &mapped, |_| ());
        cookie::prepend(&mut fields, "sub", VALUE);
        fields
    });
}

#[divan::bench(args = CASES)]
fn query(bencher: Bencher, case: &str) {
    let sent = if case == "sent" { "&sub=user-000001" } else { "" };
    let query = format!("page=3&per_page=50&q=winter+is%20coming{sent}&sort=-date");
    let mapped = MappedNames::new(["sub"]);
    bencher.bench(|| {
        let mut set = Vec::new();
        urlencoded::push_pair(&mut set, "sub", VALUE);
        urlencoded::replace(query.as_bytes(), &mapped, set, |_| ()).into_owned()
    });
}

#[divan::bench(args = CASES)]
fn urlencoded_form(bencher: Bencher, case: &str) {
    let sent = if case == "sent" { "&sub=user-000001" } else { "" };
    let text = "winter+is+coming%2C+".repeat(50);
    let body = format!("title=news&text={text}{sent}&notify=on");
    rewrite_form(bencher, URLENCODED, body);
}

#[divan::bench(args = CASES)]
fn multipart_form(bencher: Bencher, case: &str) {
    let text = "winter is coming, ".repeat(50);
    let names =
        if case == "sent" { &["title", "text", "sub", "notify"][..] } else { &["title", "text", "notify"] };
    let part = |name| format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n");
    let body = names.iter().map(part).collect::<String>() + "--edge--\r\n";
    rewrite_form(bencher, "multipart/form-data; boundary=edge", body);
}

fn rewrite_form(bencher: Bencher, content_type: &'static str, body: String) {
    let kind = kind(content_type);
    bencher
        .with_inputs(|| Bytes::from(body.clone()))
        .bench_values(|body| filter(&kind).filter(body, |_| ()).expect("a form"));
}

/// A file of 100 MiB that is filtered while it arrives, in frames of 64 KiB.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn multipart_upload(bencher: Bencher) {
    const FRAME: usize = 64 * 1024;
    const FRAMES: usize = 1600;
    let kind = kind("multipart/form-data; boundary=----WebKitFormBoundaryAbCdEfGhIjKlMnOp");
    // Bytes of an image: of a text, less is like the beginning of a boundary.
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let content = Bytes::from((0..FRAME).map(|_| next()).collect::<Vec<u8>>());
    let head = "------WebKitFormBoundaryAbCdEfGhIjKlMnOp\r\nContent-Disposition: form-data; name=\"file\"; \
                filename=\"a.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n";
    let end = "\r\n------WebKitFormBoundaryAbCdEfGhIjKlMnOp--\r\n";
    bencher.counter(BytesCount::new(FRAME * FRAMES)).bench(|| {
        let mut frames = vec![Bytes::from_static(end.as_bytes())];
        frames.extend((0..FRAMES).map(|_| content.clone()));
        frames.push(Bytes::from_static(head.as_bytes()));
        let stream = RequestBody::stream(Frames(frames));
        let mut filtered =
            filter(&kind).filter_stream([Bytes::new(), Bytes::new()], stream, None).expect("a form");
        let mut length = 0;
        let mut context = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(frame)) = Pin::new(&mut filtered).poll_frame(&mut context) {
            length += frame.expect("a form").into_data().expect("data").len();
        }
        assert!(length > FRAME * FRAMES);
        length
    });
}

/// The frames of a body, the last one first.
struct Frames(Vec<Bytes>);

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.0.pop().map(|frame| Ok(Frame::data(frame))))
    }
}

fn kind(content_type: &'static str) -> FormKind {
    let mut fields = Fields::default();
    fields.append(&CONTENT_TYPE, &HeaderValue::from_static(content_type));
    match BodyType::of(&fields) {
        Ok(BodyType::Form(kind)) => kind,
        other => unreachable!("{other:?}"),
    }
}

/// What sets `sub` in a form.
fn filter(kind: &FormKind) -> FormFilter {
    let mut claims = ClaimsOfForm::default();
    assert_eq!(claims.push(kind, "sub", VALUE), Ok(true));
    let mapped = Arc::new(MappedNames::default().and_in_forms(["sub"]));
    FormFilter::new(kind, mapped, claims, FormMemory::new(usize::MAX)).expect("memory")
}

/// Of the size that browsers send.
fn browser_fields() -> Fields {
    let mut fields = Fields::default();
    for (name, value) in [
        ("host", "api.example.com"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        ("accept", "application/json"),
        ("accept-language", "de-CH,de;q=0.8,en;q=0.5"),
        ("accept-encoding", "gzip, deflate, br, zstd"),
        ("referer", "https://www.example.com/orders"),
        ("origin", "https://www.example.com"),
        ("sec-fetch-dest", "empty"),
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-site", "same-site"),
        ("cache-control", "no-cache"),
        ("x-requested-with", "fetch"),
    ] {
        fields.append(&HeaderName::from_static(name), &HeaderValue::from_static(value));
    }
    fields
}
