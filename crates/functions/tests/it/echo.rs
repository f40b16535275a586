//! The built-in `echo`: what it answers, byte for byte.

use claimgate_config::snapshot::{Function, FunctionTarget, Source};
use claimgate_functions::{ProcessFunctions, RequestBody};
use http::{Method, Request};
use http_body_util::BodyExt;

use crate::support::{functions, get, patient, post, text};

fn echo() -> Function {
    Function { name: "hello".into(), target: FunctionTarget::Echo, source: Source::internal() }
}

async fn answer(request: Request<RequestBody>) -> String {
    let answer =
        functions().invoke(&echo(), &ProcessFunctions::default(), request, &patient()).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    text(answer).await
}

#[tokio::test]
async fn loses_nothing() {
    let mut request = get("/a%20b//?q=1&q=%2B+x&flag&uid[]=2");
    let headers = request.headers_mut();
    headers.append("x-name", "first".parse().unwrap());
    headers.append("x-name", "Zürich".parse().unwrap());
    headers.append("cookie", "a=1; b=\"x=y\"; a=2".parse().unwrap());
    headers.append("cookie", "c=%20;; d".parse().unwrap());
    assert_eq!(answer(request).await, include_str!("echo/get.json"));
}

#[tokio::test]
async fn reads_urlencoded_forms() {
    let mut request = post("/form", "name=J%C3%BCrgen+K&uid=1&uid=2&empty=");
    let content_type = "application/x-www-form-urlencoded; charset=utf-8";
    request.headers_mut().insert("content-type", content_type.parse().unwrap());
    assert_eq!(answer(request).await, include_str!("echo/urlencoded.json"));
}

#[tokio::test]
async fn reads_multipart_forms() {
    let part = |rest: &str, value: &[u8]| {
        [b"--b\r\nContent-Disposition: form-data; ", rest.as_bytes(), b"\r\n\r\n", value, b"\r\n"].concat()
    };
    let parts = [
        part("name=\"uid\"", b"1"),
        part("name=\"uid\"", "zwei ü".as_bytes()),
        part("name=\"text\"; filename=\"a.txt\"\r\nContent-Type: text/plain", b"hello\r\n"),
        part("name=\"bytes\"; filename=\"b.bin\"", b"\xff\x00"),
        b"--b--\r\n".to_vec(),
    ];
    let mut request = post("/", parts.concat());
    request.headers_mut().insert("content-type", "multipart/form-data; boundary=b".parse().unwrap());
    assert_eq!(answer(request).await, include_str!("echo/multipart.json"));
}

#[tokio::test]
async fn head_is_answered_without_a_body() {
    let mut request = get("/");
    *request.method_mut() = Method::HEAD;
    let answer =
        functions().invoke(&echo(), &ProcessFunctions::default(), request, &patient()).await.unwrap();
    assert_ne!(answer.headers()["content-length"], "0");
    assert_eq!(text(answer).await, "");
}

#[tokio::test]
async fn a_body_may_be_too_large() {
    const LIMIT: usize = 16 * 1024 * 1024;
    for (size, status) in [(LIMIT, 200), (LIMIT + 1, 413)] {
        let answer = functions()
            .invoke(&echo(), &ProcessFunctions::default(), post("/", vec![b'a'; size]), &patient())
            .await
            .unwrap();
        assert_eq!(answer.status(), status);
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(String::from_utf8_lossy(&body[..40]).contains("hello"));
    }
}
