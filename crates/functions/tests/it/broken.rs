//! Functions that are not there, and functions that break off.

use bytes::Bytes;
use claimgate_config::snapshot::{Function, FunctionTarget, Source};
use claimgate_functions::{InvokeError, ProcessFunctions, RequestBody, ResponseBody};
use http_body_util::BodyExt;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Server, front, full, functions, get, patient, post, read_until, url_function};

#[tokio::test]
async fn nobody_listens() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let socket = FunctionTarget::Unix(folder.path().join("none.sock"));
    let nobody = [
        url_function(&format!("http://{address}/"), ""),
        Function { name: "f".into(), target: socket, source: Source::internal() },
    ];
    for function in nobody {
        for content_type in ["text/plain", "application/grpc"] {
            let mut request = get("/");
            request.headers_mut().insert("content-type", content_type.parse().unwrap());
            let error = functions()
                .invoke(&function, &ProcessFunctions::default(), request, &patient())
                .await
                .unwrap_err();
            assert!(matches!(error, InvokeError::Connect(_)), "{function:?} {content_type}: {error:?}");
        }
    }
}

#[test]
fn a_body_is_not_printed() {
    let request = format!("{:?}", RequestBody::from(Bytes::from("secret")));
    let response = format!("{:?}", ResponseBody::from(Bytes::from("secret")));
    assert!(!(request + &response).contains("secret"));
}

#[tokio::test]
async fn an_answer_without_a_whole_head() {
    let cases = [
        ("", "closed"),
        ("HTTP/1.1 200 OK\r\nContent-Le", "closed"),
        ("220 mail.example.com ESMTP\r\n\r\n", "invalid_answer"),
        ("HTTP/1.1 abc\r\n\r\n", "invalid_answer"),
        ("HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n", "invalid_answer"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "invalid_answer"),
    ];
    for (answer, reason) in cases {
        let server = Server::raw(move |mut stream| async move {
            read_until(&mut stream, "body").await;
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        for _ in 0..2 {
            let result = functions()
                .invoke(&server.function(), &ProcessFunctions::default(), post("/", "body"), &patient())
                .await;
            assert_eq!(result.unwrap_err().reason(), reason, "{answer:?}");
        }
        assert_eq!(server.connections(), 2, "a request must not be repeated: {answer:?}");
    }
}

#[tokio::test]
async fn an_answer_without_a_whole_body() {
    let answers = [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nxyz\r\n",
    ];
    for answer in answers {
        let server = Server::raw(move |mut stream| async move {
            read_until(&mut stream, "\r\n\r\n").await;
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        let result = functions()
            .invoke(&server.function(), &ProcessFunctions::default(), get("/"), &patient())
            .await
            .unwrap();
        let mut body = result.into_body();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "abc");
        assert_eq!(body.frame().await.unwrap().unwrap_err().reason(), "response_body", "{answer:?}");
    }
}

#[tokio::test]
async fn a_client_that_sends_no_valid_body_is_told_from_a_broken_function() {
    let server = Server::start(|request| async {
        let _ = request.into_body().collect().await;
        full("read")
    })
    .await;
    for content_type in ["text/plain", "application/grpc"] {
        let gateway = front(server.function(), patient()).await;
        let mut client = TcpStream::connect(gateway).await.unwrap();
        let head = format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Type: {content_type}\r\n");
        client.write_all(head.as_bytes()).await.unwrap();
        client.write_all(b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\nxyz\r\n").await.unwrap();
        let answer = read_until(&mut client, "request_body").await;
        assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    }
}
