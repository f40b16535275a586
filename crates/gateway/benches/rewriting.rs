//! Handing claims over: a mapped parameter is removed from a request and set, in each of its four positions.
//!
//! `absent` is the usual request, which does not hold the parameter; `sent` is one whose client tries to
//! set it.
#![allow(clippy::expect_used)]

use bytes::{Bytes, BytesMut};
use claimgate_functions::Fields;
use claimgate_gateway::parameters::form::{Form, FormKind, URLENCODED};
use claimgate_gateway::parameters::{cookie, header, urlencoded};
use divan::{AllocProfiler, Bencher};
use http::header::{CONTENT_TYPE, COOKIE};
use http::{HeaderName, HeaderValue};

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
    bencher.with_inputs(|| fields.clone()).bench_values(|mut fields| {
        cookie::remove(&mut fields, "sub");
        cookie::prepend(&mut fields, "sub", VALUE);
        fields
    });
}

#[divan::bench(args = CASES)]
fn query(bencher: Bencher, case: &str) {
    let sent = if case == "sent" { "&sub=user-000001" } else { "" };
    let query = format!("page=3&per_page=50&q=winter+is%20coming{sent}&sort=-date");
    bencher.bench(|| {
        let mut kept = urlencoded::remove(query.as_bytes(), "sub").into_owned();
        urlencoded::append(&mut kept, "sub", VALUE);
        kept
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
    let mut fields = Fields::default();
    fields.append(&CONTENT_TYPE, &HeaderValue::from_static(content_type));
    let kind = FormKind::of(&fields).expect("a form").expect("a form");
    bencher.with_inputs(|| Bytes::from(body.clone())).bench_values(|body| {
        let mut form = Form::parse(&kind, body).expect("a form");
        form.remove("sub");
        assert!(form.append("sub", VALUE));
        form.into_body()
    });
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
