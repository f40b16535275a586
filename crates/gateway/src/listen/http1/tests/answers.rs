//! How answers are written.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt, duplex};

use super::*;

/// What a client reads, and whether the connection is kept.
async fn sent(request: &str, response: Response) -> (String, bool) {
    let (parts, head) = {
        let connection = client(&[request.as_bytes()], Limits::default());
        match poll_fn(|cx| connection.poll_request(cx)).await {
            Received::Request(request) => *request,
            other => panic!("{other:?}"),
        }
    };
    let (mut client, server) = duplex(100_000);
    let connection = Connection::new(Box::new(server), Limits::default());
    let asked = Asked { method: parts.method, head };
    let mut answer = Answer::new(response, &asked, true, BytesMut::new(), Duration::from_secs(60));
    let result = poll_fn(|cx| answer.poll_send(&connection, cx)).await;
    let kept = result.is_ok() && answer.is_kept();
    drop(connection);
    let mut seen = String::new();
    client.read_to_string(&mut seen).await.unwrap();
    (seen, kept)
}

fn response(status: u16, fields: &[(&'static str, &'static str)], body: &'static str) -> Response {
    let mut response = Response::new(StatusCode::from_u16(status).unwrap(), Bytes::from(body).into());
    for (name, value) in [("date", "then")].iter().chain(fields) {
        response.fields.insert(&HeaderName::from_static(name), &HeaderValue::from_static(value));
    }
    response
}

const GET: &str = "GET / HTTP/1.1\r\n\r\n";
const HEAD: &str = "HEAD / HTTP/1.1\r\n\r\n";
const CLOSE: &str = "GET / HTTP/1.1\r\nConnection: x, Close\r\n\r\n";
const OLD: &str = "GET / HTTP/1.0\r\n\r\n";
const OLD_KEPT: &str = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";

#[tokio::test]
async fn lengths_and_connections() {
    let table = [
        (GET, response(200, &[], "hi"), "200 OK\r\ndate: then\r\ncontent-length: 2\r\n\r\nhi", true),
        (
            GET,
            response(200, &[("content-length", "2")], "hi"),
            "200 OK\r\ndate: then\r\ncontent-length: 2\r\n\r\nhi",
            true,
        ),
        (GET, response(404, &[], ""), "404 Not Found\r\ndate: then\r\ncontent-length: 0\r\n\r\n", true),
        (GET, response(204, &[("content-length", "0")], ""), "204 No Content\r\ndate: then\r\n\r\n", true),
        (
            GET,
            response(304, &[("content-length", "7")], ""),
            "304 Not Modified\r\ndate: then\r\ncontent-length: 7\r\n\r\n",
            true,
        ),
        (
            HEAD,
            response(200, &[("content-length", "7")], ""),
            "200 OK\r\ndate: then\r\ncontent-length: 7\r\n\r\n",
            true,
        ),
        (HEAD, response(200, &[], "never seen"), "200 OK\r\ndate: then\r\n\r\n", true),
        (GET, response(599, &[], ""), "599 \r\ndate: then\r\ncontent-length: 0\r\n\r\n", true),
        (
            GET,
            response(200, &[("connection", "close")], ""),
            "200 OK\r\ndate: then\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            false,
        ),
        (
            CLOSE,
            response(200, &[], ""),
            "200 OK\r\ndate: then\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            false,
        ),
        (
            OLD,
            response(200, &[], ""),
            "200 OK\r\ndate: then\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            false,
        ),
        (
            OLD_KEPT,
            response(200, &[], ""),
            "200 OK\r\ndate: then\r\ncontent-length: 0\r\nconnection: keep-alive\r\n\r\n",
            true,
        ),
    ];
    for (request, response, expected, kept) in table {
        let shown = format!("{request} {response:?}");
        assert_eq!(sent(request, response).await, (format!("HTTP/1.1 {expected}"), kept), "{shown}");
    }
}

#[tokio::test]
async fn an_answer_without_a_date_gets_one() {
    let mut undated = response(200, &[], "");
    undated.fields.remove(&http::header::DATE);
    let (seen, _) = sent(GET, undated).await;
    let date = seen.lines().find_map(|line| line.strip_prefix("date: ")).unwrap();
    assert!(httpdate::parse_http_date(date).is_ok(), "{date}");
}

#[tokio::test]
async fn the_length_is_that_of_the_body_whatever_the_header_says() {
    let (seen, _) = sent(GET, response(200, &[("content-length", "2")], "three")).await;
    assert!(seen.ends_with("content-length: 5\r\n\r\nthree"), "{seen}");
    assert_eq!(seen.matches("content-length").count(), 1, "{seen}");
}
