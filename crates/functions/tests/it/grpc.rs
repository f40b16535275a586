//! gRPC, which needs HTTP/2 and trailers.

use std::sync::Arc;

use bytes::Bytes;
use claimgate_config::snapshot::Function;
use claimgate_functions::ProcessFunctions;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::io::AsyncWriteExt;
use tokio::sync::Barrier;

use crate::support::{
    Answer, Functions, Server, functions, get, header, patient, post, read_until, start_unix,
};

/// Answers with what arrived, and with a trailer.
pub(crate) async fn describe(request: Request<Incoming>) -> Answer {
    let (host, te) = (header(&request, "host").join("|"), header(&request, "te").join("|"));
    let authority = request.uri().authority().map(ToString::to_string);
    let authority = authority.unwrap_or_default();
    let line = format!("{:?} {} {authority} {host}|{te}", request.version(), request.uri().path());
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let body = Bytes::from([line.as_bytes(), b" ", &body].concat());
    let trailers =
        async { Some(Ok(HeaderMap::from_iter([("grpc-status".parse().unwrap(), "0".parse().unwrap())]))) };
    Response::new(Full::new(body).with_trailers(trailers).boxed())
}

/// Invokes a function by gRPC and expects what [`describe`] answers.
pub(crate) async fn expect_grpc(functions: &Functions, function: &Function) {
    let mut request = post("/pkg.Service/Method", "message");
    request.headers_mut().insert("content-type", "application/grpc+proto".parse().unwrap());
    request.headers_mut().insert("te", "trailers".parse().unwrap());
    let answer = functions.invoke(function, &ProcessFunctions::default(), request, &patient()).await.unwrap();
    let body = answer.into_body().collect().await.unwrap();
    assert_eq!(body.trailers().unwrap()["grpc-status"], "0");
    // The authority is the client's, and the header `Host` is gone.
    let expected = "HTTP/2.0 /pkg.Service/Method api.example.com |trailers message";
    assert_eq!(body.to_bytes(), expected);
}

#[tokio::test]
async fn passes_over_tcp_on_one_connection() {
    let server = Server::start(describe).await;
    let functions = functions();
    for _ in 0..3 {
        expect_grpc(&functions, &server.function()).await;
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn passes_over_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let function = start_unix(&folder.path().join("f.sock"), describe);
    expect_grpc(&functions(), &function).await;
}

#[tokio::test]
async fn requests_at_the_same_time_share_the_connection() {
    // Nobody is answered before all have come.
    let all = Arc::new(Barrier::new(8));
    let server = Server::start(move |request| {
        let all = all.clone();
        async move {
            all.wait().await;
            describe(request).await
        }
    })
    .await;
    let functions = functions();
    let requests = (0..8).map(|_| {
        let (functions, function) = (functions.clone(), server.function());
        tokio::spawn(async move { expect_grpc(&functions, &function).await })
    });
    for request in requests.collect::<Vec<_>>() {
        request.await.unwrap();
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_request_without_a_usable_host_gets_the_functions_own_authority() {
    let server = Server::start(describe).await;
    for host in [None, Some("not a host")] {
        let mut request = get("/");
        request.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
        request.headers_mut().remove("host");
        if let Some(host) = host {
            request.headers_mut().insert("host", host.parse().unwrap());
        }
        let answer = functions()
            .invoke(&server.function(), &ProcessFunctions::default(), request, &patient())
            .await
            .unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, format!("HTTP/2.0 / {} | ", server.address));
    }
}

#[tokio::test]
async fn a_function_without_http2_is_an_error() {
    let server = Server::raw(|mut stream| async move {
        read_until(&mut stream, "\r\n\r\n").await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
    })
    .await;
    let mut request = get("/");
    request.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    let error = functions()
        .invoke(&server.function(), &ProcessFunctions::default(), request, &patient())
        .await
        .unwrap_err();
    assert_eq!(error.reason(), "invalid_answer", "{error:?}");
}

#[tokio::test]
async fn a_connection_that_the_function_closed_is_replaced() {
    let server = Server::raw(|stream| async move {
        // Goes away as soon as the first answer is out.
        let (done, gone) = tokio::sync::mpsc::channel::<()>(1);
        let handler = move |request| {
            let done = done.clone();
            async move {
                let answer = describe(request).await;
                let _ = done.send(()).await;
                answer
            }
        };
        let mut gone = gone;
        tokio::select! {
            () = crate::support::serve(stream, handler) => {}
            () = async { gone.recv().await; tokio::time::sleep(std::time::Duration::from_millis(100)).await } => {}
        }
    })
    .await;
    let functions = functions();
    for _ in 0..2 {
        expect_grpc(&functions, &server.function()).await;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await; // until the end has been seen
    }
    assert_eq!(server.connections(), 2);
}
