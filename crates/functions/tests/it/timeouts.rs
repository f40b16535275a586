//! Functions and clients that are silent.

use std::sync::Arc;
use std::time::Duration;

use claimgate_config::snapshot::Timeouts;
use claimgate_functions::ProcessFunctions;
use http_body_util::BodyExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::support::{
    Functions, Server, front, full, functions, get, patient, post, read_until, url_function,
};

const SHORT: Duration = Duration::from_millis(200);

/// A function that takes connections, reads nothing and says nothing.
async fn deaf() -> Server {
    Server::raw(|stream| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await
}

#[tokio::test]
async fn a_silent_function() {
    let server = Server::start(|request| async {
        let _ = request.into_body().collect().await;
        std::future::pending().await
    })
    .await;
    let timeouts = Timeouts { first_byte: SHORT, ..patient() };
    for content_type in ["text/plain", "application/grpc"] {
        for mut request in [get("/"), post("/", "body")] {
            request.headers_mut().insert("content-type", content_type.parse().unwrap());
            let result = functions()
                .invoke(&server.function(), &ProcessFunctions::default(), request, &timeouts)
                .await;
            assert_eq!(result.unwrap_err().reason(), "first_byte_timeout", "{content_type}");
        }
    }
}

#[tokio::test]
async fn a_function_that_stops_reading() {
    let server = deaf().await;
    let timeouts = Timeouts { first_byte: SHORT, ..patient() };
    for content_type in ["text/plain", "application/grpc"] {
        let mut request = post("/", vec![0; 32 * 1024 * 1024]);
        request.headers_mut().insert("content-type", content_type.parse().unwrap());
        let result =
            functions().invoke(&server.function(), &ProcessFunctions::default(), request, &timeouts).await;
        assert_eq!(result.unwrap_err().reason(), "first_byte_timeout", "{content_type}");
    }
}

#[tokio::test]
async fn a_function_that_stops_reading_an_upload() {
    let server = deaf().await;
    let gateway = front(server.function(), Timeouts { first_byte: SHORT, ..patient() }).await;
    for content_type in ["text/plain", "application/grpc"] {
        let (mut answer, mut upload) = TcpStream::connect(gateway).await.unwrap().into_split();
        let head = format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Type: {content_type}\r\n");
        upload.write_all(head.as_bytes()).await.unwrap();
        upload.write_all(b"Transfer-Encoding: chunked\r\n\r\n").await.unwrap();
        let endless = tokio::spawn(async move {
            let piece = [b"10000\r\n".as_slice(), &[0; 0x10000], b"\r\n"].concat();
            while upload.write_all(&piece).await.is_ok() {}
        });
        read_until(&mut answer, "first_byte_timeout").await;
        endless.abort();
    }
}

#[tokio::test]
async fn an_http2_connection_that_may_be_dead_is_not_used_again() {
    let server = deaf().await;
    let timeouts = Timeouts { first_byte: SHORT, ..patient() };
    let functions = functions();
    for _ in 0..2 {
        let mut request = get("/");
        request.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
        functions
            .invoke(&server.function(), &ProcessFunctions::default(), request, &timeouts)
            .await
            .unwrap_err();
    }
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_handshake_that_does_not_end() {
    let server = deaf().await;
    let root = rcgen::generate_simple_self_signed(["localhost".into()]).unwrap().cert.der().clone();
    let functions = Functions(claimgate_functions::Functions::with_root_certificates([root]).unwrap());
    let timeouts = Timeouts { connect: SHORT, ..patient() };
    let function = url_function(&format!("https://localhost:{}/", server.address.port()), "");
    for content_type in ["text/plain", "application/grpc"] {
        let mut request = get("/");
        request.headers_mut().insert("content-type", content_type.parse().unwrap());
        let error =
            functions.invoke(&function, &ProcessFunctions::default(), request, &timeouts).await.unwrap_err();
        assert_eq!(error.reason(), "connect_timeout", "{content_type}");
    }
}

#[tokio::test]
async fn a_function_that_is_silent_within_its_answer() {
    let server = Server::raw(|mut stream| async move {
        read_until(&mut stream, "\r\n\r\n").await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc").await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let timeouts = Timeouts { idle: SHORT, ..patient() };
    let mut body = functions()
        .invoke(&server.function(), &ProcessFunctions::default(), get("/"), &timeouts)
        .await
        .unwrap()
        .into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "abc");
    assert_eq!(body.frame().await.unwrap().unwrap_err().reason(), "response_body_timeout");
}

#[tokio::test]
async fn a_reader_that_takes_its_time_is_not_the_functions_silence() {
    let reading = Arc::new(Notify::new());
    let again = reading.clone();
    let server = Server::raw(move |mut stream| {
        let reading = reading.clone();
        async move {
            read_until(&mut stream, "\r\n\r\n").await;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n").await.unwrap();
            for piece in [b"abc", b"def"] {
                reading.notified().await;
                tokio::time::sleep(SHORT / 10).await; // the reader waits already
                stream.write_all(piece).await.unwrap();
            }
        }
    })
    .await;
    let timeouts = Timeouts { idle: SHORT * 3, ..patient() };
    let mut body = functions()
        .invoke(&server.function(), &ProcessFunctions::default(), get("/"), &timeouts)
        .await
        .unwrap()
        .into_body();
    for piece in ["abc", "def"] {
        again.notify_one();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), piece);
        tokio::time::sleep(SHORT * 4).await;
    }
}

#[tokio::test]
async fn a_client_that_stalls_within_its_body() {
    let server = Server::start(|request| async {
        let _ = request.into_body().collect().await;
        full("read")
    })
    .await;
    let timeouts = Timeouts { idle: SHORT, ..patient() };
    for content_type in ["text/plain", "application/grpc"] {
        let gateway = front(server.function(), timeouts.clone()).await;
        let mut client = TcpStream::connect(gateway).await.unwrap();
        let head = format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Type: {content_type}\r\n");
        client.write_all(head.as_bytes()).await.unwrap();
        client.write_all(b"Content-Length: 10\r\n\r\nabc").await.unwrap();
        let answer = read_until(&mut client, "request_body_timeout").await;
        assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    }
}

#[tokio::test]
async fn an_upload_may_last_longer_than_a_function_may_think() {
    let server = Server::start(|request| async {
        let body = request.into_body().collect().await.unwrap().to_bytes();
        full(format!("read {}", body.len()))
    })
    .await;
    // Neither the pieces' gaps nor the whole may be measured by the wrong one of these.
    let timeouts = Timeouts { first_byte: SHORT * 3, idle: SHORT * 10, ..patient() };
    let mut client = TcpStream::connect(front(server.function(), timeouts).await).await.unwrap();
    client.write_all(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n").await.unwrap();
    for _ in 0..3 {
        tokio::time::sleep(SHORT * 4).await;
        client.write_all(b"a").await.unwrap();
    }
    read_until(&mut client, "read 3").await;
}

#[tokio::test]
async fn a_function_that_is_silent_after_an_upload() {
    let server = Server::start(|request| async {
        let _ = request.into_body().collect().await;
        std::future::pending().await
    })
    .await;
    let gateway = front(server.function(), Timeouts { first_byte: SHORT, ..patient() }).await;
    let mut client = TcpStream::connect(gateway).await.unwrap();
    client.write_all(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n").await.unwrap();
    tokio::time::sleep(SHORT * 2).await;
    client.write_all(b"1\r\na\r\n0\r\n\r\n").await.unwrap();
    read_until(&mut client, "first_byte_timeout").await;
}
