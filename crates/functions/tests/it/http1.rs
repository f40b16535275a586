//! Ordinary requests.

use std::time::Duration;

use bytes::Bytes;
use claimgate_functions::ProcessFunctions;
use http::{Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Empty, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Server, front, full, functions, get, header, patient, post, read_until, start_unix};
use crate::support::{status, text, url_function};

/// Answers with what arrived.
async fn describe(request: Request<hyper::body::Incoming>) -> crate::support::Answer {
    let (host, length) = (header(&request, "host").join("|"), header(&request, "content-length").join("|"));
    let chunked = header(&request, "transfer-encoding").join("|");
    let line = format!("{:?} {} {}", request.version(), request.method(), request.uri());
    let body = request.into_body().collect().await.unwrap();
    let trailers = body.trailers().cloned();
    let body = String::from_utf8(body.to_bytes().to_vec()).unwrap();
    full(format!("{line} host={host} length={length} chunked={chunked} body={body} trailers={trailers:?}"))
}

#[tokio::test]
async fn a_function_gets_the_request_as_it_is() {
    let server = Server::start(describe).await;
    let plain = server.function();
    let based = url_function(&format!("http://{}/", server.address), "/v1");
    let cases = [
        (&plain, get("/"), "HTTP/1.1 GET /", "length= chunked= body="),
        (&plain, get("//a%20b//?q=%2F&q"), "HTTP/1.1 GET //a%20b//?q=%2F&q", "length= chunked= body="),
        (&based, get("/a?q"), "HTTP/1.1 GET /v1/a?q", "length= chunked= body="),
        (&plain, post("/", "hello"), "HTTP/1.1 POST /", "length=5 chunked= body=hello"),
        (&plain, post("/", ""), "HTTP/1.1 POST /", "length=0 chunked= body="),
    ];
    for (function, mut request, line, rest) in cases {
        *request.version_mut() = Version::HTTP_2;
        let answer =
            functions().invoke(function, &ProcessFunctions::default(), request, &patient()).await.unwrap();
        assert_eq!(text(answer).await, format!("{line} host=api.example.com {rest} trailers=None"));
    }
}

#[tokio::test]
async fn the_functions_address_is_not_told_to_it() {
    let server = Server::start(describe).await;
    let mut request = get("/");
    request.headers_mut().remove("host");
    let answer = functions()
        .invoke(&server.function(), &ProcessFunctions::default(), request, &patient())
        .await
        .unwrap();
    assert!(text(answer).await.contains("host= "));
}

#[tokio::test]
async fn the_answer_comes_back_as_it_is() {
    let server = Server::start(|_| async {
        let mut answer = status(418);
        answer.headers_mut().append("set-cookie", "a=1".parse().unwrap());
        answer.headers_mut().append("set-cookie", "b=2".parse().unwrap());
        answer
    })
    .await;
    let answer = functions()
        .invoke(&server.function(), &ProcessFunctions::default(), get("/"), &patient())
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::IM_A_TEAPOT);
    assert_eq!(answer.headers().get_all("set-cookie").iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
}

#[tokio::test]
async fn a_function_may_be_on_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let function = start_unix(&folder.path().join("with space.sock"), describe);
    let answer = functions()
        .invoke(&function, &ProcessFunctions::default(), post("/a?b", "c"), &patient())
        .await
        .unwrap();
    let expected = "HTTP/1.1 POST /a?b host=api.example.com length=1 chunked= body=c trailers=None";
    assert_eq!(text(answer).await, expected);
}

#[tokio::test]
async fn a_streamed_body_keeps_its_length_and_loses_its_trailers() {
    let server = Server::start(describe).await;
    let gateway = front(server.function(), patient()).await;
    let cases = [
        ("Content-Length: 3\r\n\r\nabc", "length=3 chunked= body=abc trailers=None"),
        ("Content-Length: 0\r\n\r\n", "length=0 chunked= body= trailers=None"),
        (
            "Transfer-Encoding: chunked\r\nTrailer: x-user\r\n\r\n3\r\nabc\r\n0\r\nx-user: evil\r\n\r\n",
            "length= chunked=chunked body=abc trailers=None",
        ),
    ];
    for (request, expected) in cases {
        // A body of unknown length belongs to a GET as well, rare as it is.
        for method in ["POST", "GET"] {
            let mut client = TcpStream::connect(gateway).await.unwrap();
            let request = format!("{method} / HTTP/1.1\r\nHost: h\r\n{request}");
            client.write_all(request.as_bytes()).await.unwrap();
            let answer = read_until(&mut client, "trailers=").await;
            assert!(answer.contains(expected), "{method}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_body_from_http2_keeps_its_length_too() {
    let server = Server::start(describe).await;
    let client = TcpStream::connect(front(server.function(), patient()).await).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(client)).await.unwrap();
    tokio::spawn(connection);
    let cases = [
        ("GET", "", "length= chunked= body= trailers=None"),
        ("POST", "", "length=0 chunked= body= trailers=None"),
        ("POST", "abc", "length=3 chunked= body=abc trailers=None"),
    ];
    for (method, body, expected) in cases {
        let request = Request::builder().method(method).uri("http://h/");
        let request = request.body(Full::<Bytes>::from(body)).unwrap();
        let answer = sender.send_request(request).await.unwrap();
        let answer = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(answer.ends_with(expected.as_bytes()), "{method} {body:?}: {answer:?}");
    }
}

#[tokio::test]
async fn the_header_tells_the_length_that_the_body_has() {
    let server = Server::start(describe).await;
    let cases = [("GET", ""), ("POST", ""), ("GET", "body"), ("POST", "body")];
    for (method, body) in cases {
        for (name, value) in
            [("content-length", "40"), ("content-length", "1"), ("transfer-encoding", "chunked")]
        {
            let mut request = post("/", body);
            *request.method_mut() = method.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
            let answer = functions()
                .invoke(&server.function(), &ProcessFunctions::default(), request, &patient())
                .await
                .unwrap();
            let had_none = (method, body, name) == ("GET", "", "transfer-encoding");
            let length = if had_none { String::new() } else { body.len().to_string() };
            let expected = format!("length={length} chunked= body={body} trailers=None");
            let answer = text(answer).await;
            assert!(answer.ends_with(&expected), "{method} {body:?} {name}: {value}: {answer}");
        }
    }
}

#[tokio::test]
async fn connections_are_kept_and_shared_by_clones() {
    let server = Server::start(describe).await;
    let functions = functions();
    for _ in 0..5 {
        let answer = functions
            .clone()
            .invoke(&server.function(), &ProcessFunctions::default(), post("/", "x"), &patient())
            .await
            .unwrap();
        text(answer).await;
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_is_replaced() {
    let server = Server::raw(|mut stream| async move {
        read_until(&mut stream, "\r\n\r\n").await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    })
    .await;
    let functions = functions();
    for _ in 0..3 {
        let answer = functions
            .invoke(&server.function(), &ProcessFunctions::default(), get("/"), &patient())
            .await
            .unwrap();
        assert_eq!(text(answer).await, "ok");
        tokio::time::sleep(Duration::from_millis(100)).await; // until the end has been seen
    }
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn interim_answers_are_swallowed() {
    let server = Server::raw(|mut stream| async move {
        read_until(&mut stream, "\r\n\r\n").await;
        let answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n\
                      HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let answer = functions()
        .invoke(&server.function(), &ProcessFunctions::default(), get("/"), &patient())
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(!answer.headers().contains_key("link"));
    assert_eq!(text(answer).await, "ok");
}

#[tokio::test]
async fn an_early_answer_is_given_back_although_the_body_was_not_read() {
    let server = Server::raw(|mut stream| async move {
        read_until(&mut stream, "\r\n\r\n").await;
        let answer = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno";
        stream.write_all(answer).await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let body = vec![0; 32 * 1024 * 1024];
    let answer = functions()
        .invoke(&server.function(), &ProcessFunctions::default(), post("/", body), &patient())
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(text(answer).await, "no");
}

#[tokio::test]
async fn an_upgrade_gives_the_connection() {
    let server = Server::start(|mut request| async move {
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let mut stream = TokioIo::new(upgrade.await.unwrap());
            let mut bytes = [0; 4];
            stream.read_exact(&mut bytes).await.unwrap();
            bytes.reverse();
            stream.write_all(&bytes).await.unwrap();
        });
        let answer = Response::builder().status(101).header("upgrade", "websocket");
        answer.header("connection", "upgrade").body(Empty::new().boxed()).unwrap()
    })
    .await;
    let mut request = get("/chat");
    request.headers_mut().insert("connection", "upgrade".parse().unwrap());
    request.headers_mut().insert("upgrade", "websocket".parse().unwrap());
    let answer = functions()
        .invoke(&server.function(), &ProcessFunctions::default(), request, &patient())
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::SWITCHING_PROTOCOLS);
    let mut stream = answer.into_body().into_upgraded().unwrap();
    stream.write_all(b"abcd").await.unwrap();
    let mut bytes = [0; 4];
    stream.read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"dcba");
}
