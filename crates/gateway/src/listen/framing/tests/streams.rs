//! What passes untouched, what waits, and how a connection ends.

use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use super::*;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const UPGRADE: &[u8] = b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";

#[tokio::test]
async fn http2_passes_untouched() {
    let bytes = [PREFACE, b"\x00\x00\x00\n\n\r GET\n\n"].concat();
    assert_eq!(read_in_every_way(&bytes, &Limits::default()).await, (bytes, End::Open));
    let almost = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\rx";
    let (seen, end) = read_in_every_way(almost, &Limits::default()).await;
    assert_eq!((seen, end), (vec![], End::Refused("unsupported_version", 1)));
}

#[tokio::test]
async fn what_follows_the_request_for_a_websocket_waits_for_the_answer() {
    let frames: &[u8] = b"\x81\x00\n\n\x00no request";
    let with_body =
        [&b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\n"[..], b"ab"].concat();
    for request in [UPGRADE, &with_body] {
        for room in [1, 8192] {
            let mut stream = client(&[GOOD, request, frames], Limits::default());
            let before = [GOOD, request].concat();
            stream.served().note_answer(1, http::StatusCode::OK);
            assert_eq!(read(&mut stream, room).await, (before.clone(), End::Open));
            stream.served().note_answer(2, http::StatusCode::SWITCHING_PROTOCOLS);
            assert_eq!(read(&mut stream, room).await, (frames.to_vec(), End::Open));

            let mut stream = client(&[GOOD, request, GOOD, frames], Limits::default());
            stream.served().note_answer(1, http::StatusCode::OK);
            assert_eq!(read(&mut stream, room).await, (before, End::Open));
            stream.served().note_answer(2, http::StatusCode::OK);
            let expected = (GOOD.to_vec(), End::Refused("malformed_request_line", 4));
            assert_eq!(read(&mut stream, room).await, expected);
        }
    }
}

#[tokio::test]
async fn the_end_of_the_connection_does_not_wait_for_the_answer() {
    let mut stream = client(&[UPGRADE], Limits::default());
    stream.stream.stays = false;
    assert_eq!(read(&mut stream, 8192).await, (UPGRADE.to_vec(), End::Ended));
}

#[tokio::test]
async fn an_end_within_a_head_is_an_end() {
    let mut stream = client(&[GOOD, b"GET / HTTP/1.1\r\nHost:"], Limits::default());
    stream.stream.stays = false;
    assert_eq!(read(&mut stream, 8192).await, (GOOD.to_vec(), End::Ended));
}

#[tokio::test]
async fn a_first_head_that_is_late_is_refused_and_none_at_all_is_the_end() {
    for (sent, refused) in [(&b"GET / HT"[..], true), (b"", false)] {
        let (mut client, server) = duplex(1024);
        client.write_all(sent).await.unwrap();
        let mut stream = StrictHttp1::new(server, Limits::default(), Duration::from_millis(1));
        let mut seen = [0; 100];
        let length = stream.read(&mut seen).await.unwrap();
        assert_eq!(&seen[..length], if refused { STAND_IN } else { b"" });
        assert_eq!(stream.served().refusal(), refused.then_some((1, Refusal::Late)));
        if !refused {
            assert_eq!(stream.read(&mut seen).await.unwrap(), 0);
        }
    }
}

#[tokio::test]
async fn a_head_in_time_sets_no_limit_to_what_follows() {
    let (mut client, server) = duplex(1024);
    client.write_all(GOOD).await.unwrap();
    let mut stream = StrictHttp1::new(server, Limits::default(), Duration::from_millis(1));
    let mut seen = [0; 100];
    assert_eq!(stream.read(&mut seen).await.unwrap(), GOOD.len());
    tokio::time::sleep(Duration::from_millis(5)).await;
    client.write_all(GOOD).await.unwrap();
    assert_eq!(stream.read(&mut seen).await.unwrap(), GOOD.len());
}

/// The client goes on sending more than the connection holds, and reads the answer only then.
#[tokio::test]
async fn an_answer_survives_what_the_client_still_sends() {
    let (mut client, server) = duplex(1024);
    let mut stream = StrictHttp1::new(server, Limits::default(), HEADER_READ);
    let server = async move {
        let mut seen = [0; 100];
        assert_eq!(stream.read(&mut seen).await.unwrap(), STAND_IN.len());
        stream.write_all(b"answer").await.unwrap();
        stream.shutdown().await.unwrap();
    };
    let client = async move {
        client.write_all(&[b'\n'; 100_000]).await.unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, b"answer");
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn a_connection_between_requests_ends_at_once() {
    let (mut client, server) = duplex(1024);
    client.write_all(GOOD).await.unwrap();
    let mut stream = StrictHttp1::new(server, Limits::default(), HEADER_READ);
    let mut seen = [0; 100];
    assert_eq!(stream.read(&mut seen).await.unwrap(), GOOD.len());
    let ended = poll_fn(|cx| Poll::Ready(Pin::new(&mut stream).poll_shutdown(cx))).await;
    assert!(ended.is_ready());
}
