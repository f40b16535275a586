//! How connections begin, wait and end.

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;
use crate::exchange::{Answered, Logged};
use crate::listen::ending::Ending;
use crate::metrics::Row;
use crate::request_id::RequestId;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

fn timeouts(header_read: Duration) -> Timeouts {
    Timeouts { header_read, ..Timeouts::default() }
}

/// Serves what answers each request with its path, or the reason of its refusal.
async fn serve_paths(stream: DuplexStream, timeouts: &Timeouts, ending: &Ending) -> super::super::End {
    let answer = |request: Result<Request, Refusal>, _| async move {
        let text = match request {
            Ok(request) => request.uri.path().to_owned(),
            Err(refusal) => refusal.reason().to_owned(),
        };
        let response = Response::new(StatusCode::OK, bytes::Bytes::from(text).into());
        Answered { response, logged: Logged { id: RequestId::now(), row: Row::NO_DOMAIN } }
    };
    super::super::serve(Box::new(stream), Limits::default(), timeouts, ending, answer).await
}

/// All that a client gets that sends some bytes and waits for the end.
async fn exchange(sent: &[u8], header_read: Duration) -> String {
    let (mut client, server) = duplex(1024);
    let server = async {
        serve_paths(server, &timeouts(header_read), &Ending::new()).await;
    };
    let client = async {
        client.write_all(sent).await.unwrap();
        let mut answers = Vec::new();
        client.read_to_end(&mut answers).await.unwrap();
        String::from_utf8(answers).unwrap()
    };
    tokio::join!(server, client).1
}

#[tokio::test]
async fn http2_is_handed_on_untouched() {
    let frames = b"\x00\x00\x00\n\n\r GET\n\n";
    for cut in [1, PREFACE.len(), PREFACE.len() + 3] {
        let bytes = [PREFACE, frames].concat();
        let (mut client, server) = duplex(1024);
        let ending = Ending::new();
        let timeouts = timeouts(Duration::from_secs(60));
        let (first, rest) = bytes.split_at(cut);
        let client = async {
            client.write_all(first).await.unwrap();
            tokio::task::yield_now().await;
            client.write_all(rest).await.unwrap();
            client.shutdown().await.unwrap();
        };
        let (end, ()) = tokio::join!(serve_paths(server, &timeouts, &ending), client);
        let super::super::End::Http2(mut stream) = end else { panic!("{end:?}") };
        let mut seen = Vec::new();
        stream.read_to_end(&mut seen).await.unwrap();
        assert_eq!(seen, bytes);
    }
    let (seen, end) = read_in_every_way(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\rx", &Limits::default()).await;
    assert_eq!((seen, end), (vec![], End::Refused("unsupported_version")));
}

#[tokio::test]
async fn a_head_that_is_late_is_refused_and_none_at_all_is_the_end() {
    let good = str::from_utf8(GOOD).unwrap();
    for (sent, refused) in [("GET / HT", true), ("", false), (&format!("{good}GET"), true), (good, false)] {
        let answers = exchange(sent.as_bytes(), Duration::from_millis(1)).await;
        assert_eq!(answers.ends_with("header_timeout"), refused, "{sent:?}: {answers}");
        assert_eq!(answers.contains("/good"), sent.contains("good"), "{sent:?}: {answers}");
    }
}

#[tokio::test]
async fn answers_come_in_the_order_of_the_requests_and_a_refusal_behind_them() {
    let sent = [GOOD, b"GET /two HTTP/1.1\r\n\r\n", b"\n", GOOD].concat();
    let answers = exchange(&sent, Duration::from_secs(60)).await;
    let bodies: Vec<_> = answers.split("\r\n\r\n").skip(1).collect();
    assert!(bodies[0].starts_with("/good"), "{answers}");
    assert!(bodies[1].starts_with("/two"), "{answers}");
    assert_eq!(&bodies[2..], ["malformed_request_line"], "{answers}");
    assert_eq!(answers.matches("connection: close").count(), 1, "{answers}");
}

/// The client goes on sending more than the connection holds, and reads the answer only then.
#[tokio::test]
async fn an_answer_survives_what_the_client_still_sends() {
    let answers = exchange(&[b'\n'; 100_000], Duration::from_secs(60)).await;
    assert!(answers.ends_with("malformed_request_line"), "{answers}");
}

#[tokio::test]
async fn a_body_that_nobody_wants_ends_the_connection_unless_it_is_there() {
    let head = "POST /one HTTP/1.1\r\nContent-Length: 100000\r\n\r\n";
    let answers =
        exchange(format!("{head}{}", "x".repeat(100_000)).as_bytes(), Duration::from_secs(60)).await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 1, "{answers}");
    let small =
        "POST /one HTTP/1.1\r\nContent-Length: 2\r\n\r\nxxGET /two HTTP/1.1\r\nConnection: close\r\n\r\n";
    let answers = exchange(small.as_bytes(), Duration::from_secs(60)).await;
    assert!(answers.contains("/one") && answers.ends_with("/two"), "{answers}");
}

#[tokio::test]
async fn a_gateway_that_stops_ends_connections_between_requests() {
    let (mut client, server) = duplex(1024);
    let ending = Ending::new();
    let timeouts = timeouts(Duration::from_secs(60));
    let client = async {
        client.write_all(GOOD).await.unwrap();
        let mut seen = vec![0; 10];
        client.read_exact(&mut seen).await.unwrap();
        ending.stop.cancel();
        client.read_to_end(&mut seen).await.unwrap();
        assert!(seen.ends_with(b"/good"));
    };
    tokio::join!(serve_paths(server, &timeouts, &ending), client);
}

#[tokio::test]
async fn a_gateway_that_leaves_ends_connections_with_the_answer_to_the_next_request() {
    let (mut client, server) = duplex(1024);
    let ending = Ending::new();
    let timeouts = timeouts(Duration::from_secs(60));
    let client = async {
        client.write_all(GOOD).await.unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"/good") {
            client.read_buf(&mut seen).await.unwrap();
        }
        assert!(!str::from_utf8(&seen).unwrap().contains("connection: close"));
        ending.leaving.cancel();
        // Whatever the gateway does on its own, it does before it is asked again.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        client.write_all(GOOD).await.unwrap();
        let mut seen = String::new();
        client.read_to_string(&mut seen).await.unwrap();
        assert!(seen.contains("connection: close") && seen.ends_with("/good"), "{seen}");
    };
    tokio::join!(serve_paths(server, &timeouts, &ending), client);
}
