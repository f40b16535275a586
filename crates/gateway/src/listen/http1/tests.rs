#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod answers;
mod connections;
mod properties;

use std::collections::VecDeque;
use std::io;

use http_body::Body as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use claimgate_functions::Response;

use super::*;

/// A client that sends pieces and then nothing more, or ends.
struct Client {
    pieces: VecDeque<Vec<u8>>,
    stays: bool,
}

impl AsyncRead for Client {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.pieces.pop_front() {
            None if self.stays => return Poll::Pending,
            None => {}
            Some(mut piece) => {
                let rest = piece.split_off(piece.len().min(out.remaining()));
                out.put_slice(&piece);
                if !rest.is_empty() {
                    self.pieces.push_front(rest);
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Client {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    /// More could come.
    Open,
    /// The client ended the connection.
    Ended,
    /// Refused for this reason.
    Refused(&'static str),
    /// In the middle of a body.
    Broken,
    Http2,
}

fn client(pieces: &[&[u8]], limits: Limits) -> Connection {
    let pieces = pieces.iter().filter(|piece| !piece.is_empty()).map(|piece| piece.to_vec()).collect();
    Connection::new(Box::new(Client { pieces, stays: true }), limits)
}

/// Reads requests, each as its method, target, fields and body would be written again, as far as they come.
async fn read(connection: Connection) -> (Vec<String>, End) {
    let mut seen = Vec::new();
    loop {
        let received = poll_fn(|cx| Poll::Ready(connection.poll_request(cx))).await;
        let (parts, head) = match received {
            Poll::Pending => return (seen, End::Open),
            Poll::Ready(Received::End) => return (seen, End::Ended),
            Poll::Ready(Received::Refused(refusal)) => return (seen, End::Refused(refusal.reason())),
            Poll::Ready(Received::Http2) => return (seen, End::Http2),
            Poll::Ready(Received::Request(request)) => *request,
        };
        let mut text = format!("{} {} {:?}", parts.method, parts.uri, parts.version);
        for (name, value) in parts.fields.iter() {
            text += &format!("|{}:{}", name.escape_ascii(), value.escape_ascii());
        }
        text += "|";
        let mut body = connection.body(&head);
        let end = loop {
            match poll_fn(|cx| Poll::Ready(Pin::new(&mut body).poll_frame(cx))).await {
                Poll::Pending => break Some(End::Open),
                Poll::Ready(None) => break None,
                Poll::Ready(Some(Err(_))) => break Some(End::Broken),
                Poll::Ready(Some(Ok(frame))) => {
                    text += &frame.into_data().unwrap().escape_ascii().to_string();
                }
            }
        };
        seen.push(text);
        if let Some(end) = end {
            return (seen, end);
        }
        assert!(connection.finish_request(), "a body that was read is complete");
    }
}

/// What is read, which must be the same however the bytes are cut.
async fn read_in_every_way(bytes: &[u8], limits: &Limits) -> (Vec<String>, End) {
    let whole = read(client(&[bytes], limits.clone())).await;
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(read(client(&single, limits.clone())).await, whole, "byte by byte");
    for middle in 1..bytes.len() {
        let (one, two) = bytes.split_at(middle);
        let cut = read(client(&[one, two], limits.clone())).await;
        assert_eq!(cut, whole, "cut behind {:?}", String::from_utf8_lossy(one));
    }
    whole
}

const GOOD: &[u8] = b"GET /good HTTP/1.1\r\nHost: a\r\n\r\n";
const SEEN_GOOD: &str = "GET /good HTTP/1.1|host:a|";

/// What is read of requests with `GOOD` around them.
async fn between_good_ones(bytes: &[u8]) -> (Vec<String>, End) {
    let (mut seen, end) = read_in_every_way(&[GOOD, bytes, GOOD].concat(), &Limits::default()).await;
    assert_eq!(seen.remove(0), SEEN_GOOD);
    (seen, end)
}

#[tokio::test]
async fn sound_requests_are_read_as_they_are() {
    let table: &[(&str, &[u8])] = &[
        ("GET / HTTP/1.1|", b"GET / HTTP/1.1\r\n\r\n"),
        ("GET / HTTP/1.0|host:a|", b"GET / HTTP/1.0\r\nHost: a\r\n\r\n"),
        ("GET / HTTP/1.1|host:a|", b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("GET / HTTP/1.1|host:a|", b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("OPTIONS * HTTP/1.1|", b"OPTIONS * HTTP/1.1\r\n\r\n"),
        ("GET http://a.example/b?c HTTP/1.1|", b"GET http://a.example/b?c HTTP/1.1\r\n\r\n"),
        ("CONNECT a.example:443 HTTP/1.1|", b"CONNECT a.example:443 HTTP/1.1\r\n\r\n"),
        (
            "M-SEARCH!#$%&'*+.^_`|~ /a?b=%20|[] HTTP/1.1|",
            b"M-SEARCH!#$%&'*+.^_`|~ /a?b=%20|[] HTTP/1.1\r\n\r\n",
        ),
        (
            r#"GET /é HTTP/1.1|x:\xc3\xa9\"|y:|z:z|z:Z|"#,
            "GET /é HTTP/1.1\r\nX: \té\"\t \r\nY:\r\nZ:z\r\nz: Z\r\n\r\n".as_bytes(),
        ),
        (
            r"POST / HTTP/1.1|content-length:5|\r\n\x00\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n\r\n\0\r\n",
        ),
        ("POST / HTTP/1.1|content-length:05|12345", b"POST / HTTP/1.1\r\ncontent-length:\t05 \r\n\r\n12345"),
        ("POST / HTTP/1.1|content-length:0|", b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
        ("POST / HTTP/1.0|content-length:1|1", b"POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\n1"),
        (
            "POST / HTTP/1.1|transfer-encoding:chunked|",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        (
            r"POST / HTTP/1.1|transfer-encoding:ChunkeD|\r\n0\r\n0123456789",
            b"POST / HTTP/1.1\r\ntransfer-encoding:\tChunkeD \r\n\r\n5\r\n\r\n0\r\n\r\n00A\r\n0123456789\r\n0000000000000000\r\n\r\n",
        ),
        (
            "POST / HTTP/1.1|transfer-encoding:chunked|x",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;a;b=\"\t\xff\"\r\nx\r\n0;c\r\nX-T: 1\r\nY:\r\n\r\n",
        ),
    ];
    for (expected, request) in table {
        let seen = between_good_ones(request).await;
        let expected = (vec![(*expected).to_owned(), SEEN_GOOD.to_owned()], End::Open);
        assert_eq!(seen, expected, "{}", String::from_utf8_lossy(request));
    }
}

#[tokio::test]
async fn malformed_heads_are_refused_and_nothing_behind_them_is_read() {
    let table: &[(&str, &[u8])] = &[
        ("malformed_request_line", b"\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
        ("malformed_request_line", b" GET / HTTP/1.1\r\n\r\n"),
        ("malformed_request_line", b"GET  / HTTP/1.1\r\n\r\n"),
        ("malformed_request_line", b"GET /  HTTP/1.1\r\n\r\n"),
        ("malformed_request_line", b"GET / HTTP/1.1 \r\n\r\n"),
        ("malformed_request_line", b"GET / HTTP/1.1 x\r\n\r\n"),
        ("malformed_request_line", b"GET\t/\tHTTP/1.1\r\n\r\n"),
        ("malformed_request_line", b"GET /a b HTTP/1.1\r\n\r\n"),
        ("malformed_request_line", b"GET /\r\n\r\n"),
        ("malformed_request_line", b"GET HTTP/1.1\r\n\r\n"),
        ("malformed_request_line", b"G(T / HTTP/1.1\r\n\r\n"),
        ("malformed_request_line", b"GET /\x00 HTTP/1.1\r\n\r\n"),
        ("malformed_request_line", b"GET /\x7f HTTP/1.1\r\n\r\n"),
        ("malformed_request_line", b"GET /<> HTTP/1.1\r\n\r\n"),
        ("malformed_request_line", b"GET /\xff HTTP/1.1\r\n\r\n"),
        ("malformed_request_line", b"GET http:// HTTP/1.1\r\n\r\n"),
        ("malformed_request_line", b"GET / http/1.1\r\n\r\n"),
        ("malformed_request_line", b"GET / HTTP/1.10\r\n\r\n"),
        ("malformed_request_line", b"\x16\x03\x01\x02\x00\x01"),
        ("malformed_request_line", b"\nGET / HTTP/1.1\r\n\r\n"),
        ("unsupported_version", b"GET / HTTP/1.2\r\n\r\n"),
        ("unsupported_version", b"GET / HTTP/0.9\r\n\r\n"),
        ("unsupported_version", b"GET / HTTP/3.0\r\n\r\n"),
        ("unsupported_version", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        ("malformed_line_end", b"GET / HTTP/1.1\nHost: a\r\n\r\n"),
        ("malformed_line_end", b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"),
        ("malformed_line_end", b"GET / HTTP/1.1\r\nHost: a\r\n\n"),
        ("malformed_line_end", b"GET / HTTP/1.1\n\n"),
        ("malformed_line_end", b"GET /\r HTTP/1.1\r\n\r\n"),
        ("malformed_line_end", b"GET / HTTP/1.1\r\r\n\r\n"),
        ("malformed_line_end", b"\rGET / HTTP/1.1\r\n\r\n"),
        ("malformed_line_end", b"GET / HTTP/1.1\r\nX: a\rb\r\n\r\n"),
        ("malformed_line_end", b"GET / HTTP/1.1\r\nX: a\r\r\n\r\n"),
        ("folded_header_field", b"GET / HTTP/1.1\r\n X: 1\r\n\r\n"),
        ("folded_header_field", b"GET / HTTP/1.1\r\nX: 1\r\n\ty\r\n\r\n"),
        ("folded_header_field", b"GET / HTTP/1.1\r\nX: 1\r\n \r\n\r\n"),
        ("malformed_header_field", b"GET / HTTP/1.1\r\nX : 1\r\n\r\n"),
        ("malformed_header_field", b"GET / HTTP/1.1\r\nX Y: 1\r\n\r\n"),
        ("malformed_header_field", b"GET / HTTP/1.1\r\n: 1\r\n\r\n"),
        ("malformed_header_field", b"GET / HTTP/1.1\r\nX\r\n\r\n"),
        ("malformed_header_field", b"GET / HTTP/1.1\r\nX\x00: 1\r\n\r\n"),
        ("malformed_header_field", b"GET / HTTP/1.1\r\nX\xff: 1\r\n\r\n"),
        ("malformed_header_field", b"GET / HTTP/1.1\r\nX: \x00\r\n\r\n"),
        ("malformed_header_field", b"GET / HTTP/1.1\r\nX: \x07\r\n\r\n"),
        ("malformed_header_field", b"GET / HTTP/1.1\r\nX: \x7f\r\n\r\n"),
        ("malformed_header_field", b"POST / HTTP/1.1\r\nTransfer-Encoding: \x0bchunked\r\n\r\n"),
        ("ambiguous_length", b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("ambiguous_length", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"),
        ("ambiguous_length", b"POST / HTTP/1.1\r\nContent-Length: 5\r\ncontent-length: 5\r\n\r\n"),
        ("invalid_content_length", b"POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\n"),
        ("invalid_content_length", b"POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\n"),
        ("invalid_content_length", b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n"),
        ("invalid_content_length", b"POST / HTTP/1.1\r\nContent-Length: 0x5\r\n\r\n"),
        ("invalid_content_length", b"POST / HTTP/1.1\r\nContent-Length: 1_0\r\n\r\n"),
        ("invalid_content_length", b"POST / HTTP/1.1\r\nContent-Length: \r\n\r\n"),
        ("invalid_content_length", b"POST / HTTP/1.1\r\nContent-Length: 00000000000000000005\r\n\r\n"),
        ("invalid_transfer_encoding", b"POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\n\r\n"),
        ("invalid_transfer_encoding", b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
        ("invalid_transfer_encoding", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked,\r\n\r\n"),
        ("invalid_transfer_encoding", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked;q=1\r\n\r\n"),
        ("invalid_transfer_encoding", b"POST / HTTP/1.1\r\nTransfer-Encoding: \"chunked\"\r\n\r\n"),
        ("invalid_transfer_encoding", b"POST / HTTP/1.1\r\nTransfer-Encoding:\r\n\r\n"),
        (
            "invalid_transfer_encoding",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        ),
        ("invalid_transfer_encoding", b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ];
    for (reason, request) in table {
        let expected = (vec![], End::Refused(reason));
        assert_eq!(between_good_ones(request).await, expected, "{}", String::from_utf8_lossy(request));
    }
}

#[tokio::test]
async fn malformed_bodies_break_off() {
    let table: &[(&[u8], &[u8])] = &[
        (b"", b"x\r\n"),
        (b"", b"-5\r\nhello\r\n"),
        (b"", b"+5\r\nhello\r\n"),
        (b"", b" 5\r\nhello\r\n"),
        (b"0", b"x5\r\nhello\r\n"),
        (b"5", b" \r\nhello\r\n"),
        (b"5", b"\nhello\r\n"),
        (b"", b"\r\nhello\r\n"),
        (b"", b";a\r\nhello\r\n"),
        (b"5\r", b"\r\nhello\r\n"),
        (b"5;a", b"\nb\r\nhello\r\n"),
        (b"5;a\r", b"b\r\nhello\r\n"),
        (b"5;a", b"\x00\r\nhello\r\n"),
        (b"0000000000000005", b"0\r\nhello\r\n"),
        (b"4\r\nhell", b"o\r\n0\r\n\r\n"),
        (b"6\r\nhello\r", b"\n0\r\n\r\n"),
        (b"5\r\nhello", b"\n0\r\n\r\n"),
        (b"5\r\nhello\r", b"0\r\n\r\n"),
        (b"0\r\n", b"\n"),
        (b"0\r\n", b"X-T: 1\nY: 2\r\n\r\n"),
        (b"0\r\n", b"X-T : 1\r\n\r\n"),
        (b"0\r\n", b"X-T: 1\r\n folded\r\n\r\n"),
        (b"0\r\n", b"Content-Length: 1\r\n\r\n"),
        (b"0\r\n", b"Transfer-Encoding: chunked\r\n\r\n"),
        // The end of the body is missing.
        (b"0\r\n", b"GET / HTTP/1.1\r\n\r\n"),
    ];
    let head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (sound, rest) in table {
        let request = [head.as_slice(), sound, rest].concat();
        let (_, end) = between_good_ones(&request).await;
        assert_eq!(end, End::Broken, "{}", String::from_utf8_lossy(rest));
    }
}

#[tokio::test]
async fn limits_are_exact_and_hold_before_the_line_ends() {
    let limits = Limits { request_line_bytes: 30, header_bytes: 40, header_fields: 3, ..Limits::default() };
    let refused = End::Refused;
    let table: &[(End, String)] = &[
        (End::Open, format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(16))),
        (refused("target_too_long"), format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(17))),
        (refused("target_too_long"), "G".repeat(32)),
        (End::Open, format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "a".repeat(35))),
        (refused("header_too_large"), format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "a".repeat(36))),
        (refused("header_too_large"), format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(39))),
        (refused("header_too_large"), format!("GET / HTTP/1.1\r\nX: {0}\r\nX: {0}\r\n\r\n", "a".repeat(16))),
        (End::Open, format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(3))),
        (refused("header_too_large"), format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(4))),
    ];
    for (expected, request) in table {
        let (_, end) = read_in_every_way(request.as_bytes(), &limits).await;
        assert_eq!(end, *expected, "{request}");
    }
    // Trailers and chunk extensions are bounded too.
    let head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    let limits = Limits { header_bytes: 60, ..limits };
    for (expected, body) in [
        (End::Open, format!("0\r\nX: {}\r\n\r\n", "a".repeat(55))),
        (End::Broken, format!("0\r\nX: {}\r\n\r\n", "a".repeat(56))),
        (End::Broken, format!("0\r\n{}\r\n", "x: y\r\n".repeat(4))),
        (End::Open, format!("0;{}\r\n\r\n", "a".repeat(4095))),
        (End::Broken, format!("0;{}", "a".repeat(4096))),
    ] {
        let limits = Limits { request_line_bytes: 60, ..limits.clone() };
        let (_, end) = read(client(&[head.as_bytes(), body.as_bytes()], limits)).await;
        assert_eq!(end, expected, "{body}");
    }
    // A target that no URI holds is refused here even when it is within the limit.
    let request = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(65_534));
    let wide = Limits { request_line_bytes: 100_000, ..Limits::default() };
    let (_, end) = read(client(&[request.as_bytes()], wide)).await;
    assert_eq!(end, refused("target_too_long"));
}
