#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod properties;
mod streams;

use std::collections::VecDeque;
use std::future::poll_fn;

use super::*;

const HEADER_READ: Duration = Duration::from_secs(60);

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

#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    /// More could come.
    Open,
    /// The client ended the connection.
    Ended,
    /// Refused for this reason, as the request of this number.
    Refused(&'static str, u64),
    Broken,
}

fn client(pieces: &[&[u8]], limits: Limits) -> StrictHttp1<Client> {
    let pieces = pieces.iter().filter(|piece| !piece.is_empty()).map(|piece| piece.to_vec()).collect();
    StrictHttp1::new(Client { pieces, stays: true }, limits, HEADER_READ)
}

/// Reads as hyper would, with a buffer of some size, and gives what it would see.
async fn read(stream: &mut StrictHttp1<Client>, room: usize) -> (Vec<u8>, End) {
    let mut seen = Vec::new();
    let end = loop {
        let mut space = vec![0; room];
        let mut out = ReadBuf::new(&mut space);
        match poll_fn(|cx| Poll::Ready(Pin::new(&mut *stream).poll_read(cx, &mut out))).await {
            Poll::Pending => break End::Open,
            Poll::Ready(Err(_)) => break End::Broken,
            Poll::Ready(Ok(())) if out.filled().is_empty() => break End::Ended,
            Poll::Ready(Ok(())) => seen.extend_from_slice(out.filled()),
        }
    };
    match stream.served().refusal() {
        Some((number, refusal)) => {
            assert_eq!(end, End::Open, "the answer to what was refused must not be cut off");
            let seen = seen.strip_suffix(STAND_IN).expect("a stand-in");
            (seen.to_vec(), End::Refused(refusal.reason(), number))
        }
        None => (seen, end),
    }
}

/// What hyper would see, which must be the same however the bytes are cut.
async fn read_in_every_way(bytes: &[u8], limits: &Limits) -> (Vec<u8>, End) {
    let whole = read(&mut client(&[bytes], limits.clone()), 8192).await;
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    for room in [1, 24, 8192] {
        assert_eq!(read(&mut client(&single, limits.clone()), room).await, whole, "byte by byte");
    }
    for middle in 1..bytes.len() {
        let (one, two) = bytes.split_at(middle);
        let cut = read(&mut client(&[one, two], limits.clone()), 8192).await;
        assert_eq!(cut, whole, "cut behind {:?}", String::from_utf8_lossy(one));
    }
    whole
}

const GOOD: &[u8] = b"GET /good HTTP/1.1\r\nHost: a\r\n\r\n";

/// Requests with `GOOD` around them.
async fn between_good_ones(bytes: &[u8]) -> (Vec<u8>, End) {
    let (seen, end) = read_in_every_way(&[GOOD, bytes, GOOD].concat(), &Limits::default()).await;
    (seen.strip_prefix(GOOD).unwrap().to_vec(), end)
}

#[tokio::test]
async fn sound_requests_pass_as_they_are() {
    let requests: &[&[u8]] = &[
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.0\r\nHost: a\r\n\r\n",
        b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http://a.example/b?c HTTP/1.1\r\nHost: a.example\r\n\r\n",
        b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n",
        b"M-SEARCH!#$%&'*+.^_`|~ /a?b=%20|[] HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /é HTTP/1.1\r\nHost: a\r\nX: \té\"\t \r\nY:\r\nZ:z\r\n\r\n".as_bytes(),
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n\r\n\0\r\n",
        b"POST / HTTP/1.1\r\ncontent-length:\t05 \r\n\r\n12345",
        b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        b"POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\n1",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding:\tChunkeD \r\n\r\n5\r\n\r\n0\r\n\r\n00A\r\n0123456789\r\n0000000000000000\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;a;b=\"\t\xff\"\r\nx\r\n0;c\r\nX-T: 1\r\nY:\r\n\r\n",
    ];
    for request in requests {
        let (seen, end) = between_good_ones(request).await;
        let expected = [request, GOOD].concat();
        assert_eq!((seen, end), (expected, End::Open), "{}", String::from_utf8_lossy(request));
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
        let expected = (vec![], End::Refused(reason, 2));
        assert_eq!(between_good_ones(request).await, expected, "{}", String::from_utf8_lossy(request));
    }
}

#[tokio::test]
async fn malformed_bodies_break_off_where_they_are_malformed() {
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
        let rest = String::from_utf8_lossy(rest);
        assert_eq!(between_good_ones(&request).await, ([head, *sound].concat(), End::Broken), "{rest}");
    }
}

#[tokio::test]
async fn limits_are_exact_and_hold_before_the_line_ends() {
    let limits = Limits { request_line_bytes: 30, header_bytes: 40, header_fields: 3, ..Limits::default() };
    let refused = |reason| End::Refused(reason, 1);
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
        let (_, end) = read(
            &mut client(
                &[head.as_bytes(), body.as_bytes()],
                Limits { request_line_bytes: 60, ..limits.clone() },
            ),
            8192,
        )
        .await;
        assert_eq!(end, expected, "{body}");
    }
    // A target that no URI holds is refused here even when it is within the limit.
    let request = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(65_534));
    let wide = Limits { request_line_bytes: 100_000, ..Limits::default() };
    let (_, end) = read(&mut client(&[request.as_bytes()], wide), 8192).await;
    assert_eq!(end, refused("target_too_long"));
}
