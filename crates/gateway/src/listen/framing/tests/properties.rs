//! Whatever sound requests a client sends, and however they are cut, hyper reads the same bytes.

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

fn body() -> impl Strategy<Value = Vec<u8>> {
    let piece = || proptest::collection::vec(any::<u8>(), 1..40);
    let length =
        piece().prop_map(|body| [format!("Content-Length: {}\r\n\r\n", body.len()).into(), body].concat());
    let chunks = (
        proptest::collection::vec((piece(), "(;[a-z]{1,5}(=\"[a-z ]{0,5}\")?)?"), 0..5),
        "(x-[a-z]: [!-~]{0,9}\r\n){0,3}",
    )
        .prop_map(|(chunks, trailers)| {
            let mut body = b"Transfer-Encoding: chunked\r\n\r\n".to_vec();
            for (chunk, extension) in chunks {
                body.extend_from_slice(format!("{:x}{extension}\r\n", chunk.len()).as_bytes());
                body.extend_from_slice(&chunk);
                body.extend_from_slice(b"\r\n");
            }
            body.extend_from_slice(format!("0\r\n{trailers}\r\n").as_bytes());
            body
        });
    prop_oneof![Just(b"\r\n".to_vec()), length, chunks]
}

fn request() -> impl Strategy<Value = Vec<u8>> {
    (
        "(\r\n){0,2}[A-Z]{1,7} /[a-z0-9?=&%.-]{0,20} HTTP/1\\.[01]\r\n",
        "([A-Za-z0-9-]{1,3}:[ \t]?[ -~]{0,20}\r\n){0,5}",
        body(),
    )
        .prop_filter("HTTP/1.0 knows no chunks", |(line, _, body)| {
            line.ends_with("1.1\r\n") || !body.starts_with(b"Transfer")
        })
        .prop_map(|(line, fields, body)| [line.into_bytes(), fields.into_bytes(), body].concat())
}

proptest! {
    #[test]
    fn sound_requests_pass_byte_for_byte(
        requests in proptest::collection::vec(request(), 1..6),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
        room in 1..200_usize,
    ) {
        let bytes = requests.concat();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (seen, end) = runtime.block_on(async { read(&mut client(&pieces, Limits::default()), room).await });
        prop_assert_eq!((String::from_utf8_lossy(&seen), end), (String::from_utf8_lossy(&bytes), End::Open));
    }

    #[test]
    fn whatever_comes_the_cuts_do_not_matter(
        bytes in proptest::collection::vec(prop_oneof![
            Just(b"\r\n".to_vec()), Just(b"\n".to_vec()), Just(b"\r".to_vec()), Just(b"0\r\n\r\n".to_vec()),
            Just(b"GET / HTTP/1.1\r\n".to_vec()), Just(b"Content-Length: 3\r\n".to_vec()),
            Just(b"Transfer-Encoding: chunked\r\n".to_vec()), Just(b"X: y\r\n".to_vec()), Just(b"3\r\nabc\r\n".to_vec()),
            proptest::collection::vec(any::<u8>(), 1..3),
        ], 0..12),
        room in 1..60_usize,
    ) {
        let bytes = [&b"POST / HTTP/1.1\r\n"[..], &bytes.concat()].concat();
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (whole, cut) = runtime.block_on(async {
            (
                read(&mut client(&[&bytes], Limits::default()), 8192).await,
                read(&mut client(&single, Limits::default()), room).await,
            )
        });
        prop_assert_eq!(whole, cut);
    }
}

/// hyper answers what it refuses itself without a body; so nothing may be left for it to refuse.
fn is_served_by_hyper(bytes: &[u8]) -> bool {
    let service = hyper::service::service_fn(|_| async {
        Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let (mut client, server) = tokio::io::duplex(64 * 1024);
        client.write_all(bytes).await.unwrap();
        client.shutdown().await.unwrap();
        let server = hyper::server::conn::http1::Builder::new()
            .half_close(true)
            .serve_connection(hyper_util::rt::TokioIo::new(server), service);
        let _ = server.await;
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        answer.starts_with(b"HTTP/1.1 200 OK\r\n") || answer.starts_with(b"HTTP/1.0 200 OK\r\n")
    })
}

proptest! {
    #[test]
    fn what_passes_is_a_request_for_hyper_too(
        method in "[A-Za-z!#$%&'*+.^_`|~-]{1,9}",
        target in prop_oneof![
            "/[!-~]{0,8}",
            "[!-~]{1,8}",
            "(http|ftp|x+y)://[!-~]{0,8}(/[!-~]{0,4})?",
            "[a-z.]{1,4}(:[0-9a]{0,6})?",
            "/[\u{80}-\u{7ff}\u{10000}]{1,3}",
            Just("*".to_owned()),
        ],
        raw in proptest::collection::vec(0x80_u8.., 0..3),
        version in "HTTP/1\\.[01]",
        fields in proptest::collection::vec(
            ("([!-9;-~]{1,6}|Host|Connection|Expect|Upgrade|TE|Content-Length|Transfer-Encoding)", "[\t -~\u{80}-\u{ff}]{0,9}|[0-9]{1,20}|[cC]hunked"),
            0..5,
        ),
    ) {
        let mut head = format!("{method} {target}").into_bytes();
        head.extend_from_slice(&raw);
        head.extend_from_slice(format!(" {version}\r\n").as_bytes());
        for (name, value) in fields {
            head.extend_from_slice(format!("{name}:{value}\r\n").as_bytes());
        }
        head.extend_from_slice(b"\r\n");
        if let Ok(Some(complete)) = head::Head::default().read(&head, &Limits::default()) {
            prop_assert_eq!(complete.length, head.len());
            let shown = String::from_utf8_lossy(&head).into_owned();
            prop_assert!(is_served_by_hyper(&head), "{}", shown);
        }
    }
}
