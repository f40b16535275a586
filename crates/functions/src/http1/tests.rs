//! What an answer's head and body are taken for.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use bytes::BytesMut;
use http::header::CONTENT_LENGTH;
use http::{HeaderName, Method};

use super::framing::{Decoded, Framing};
use super::head;

/// (method, fields after the status line, framing or part of the error, content-length handed on)
const HEADS: &[(&str, &str, &str, Option<&str>)] = &[
    ("GET", "200 OK\r\ncontent-length: 3\r\n", "Length(3)", Some("3")),
    ("GET", "200 OK\r\ncontent-length: 0\r\n", "End", Some("0")),
    ("GET", "200 OK\r\ncontent-length: 3\r\ncontent-length: 3\r\n", "Length(3)", Some("3")),
    ("GET", "200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n", "more than one length", None),
    ("GET", "200 OK\r\ncontent-length: 3, 3\r\n", "more than one length", None),
    ("GET", "200 OK\r\ncontent-length: +3\r\n", "more than one length", None),
    ("GET", "200 OK\r\ncontent-length: 99999999999999999999\r\n", "more than one length", None),
    ("GET", "200 OK\r\n", "UntilClose", None),
    ("GET", "200 OK\r\ntransfer-encoding: chunked\r\n", "Chunked(Size)", None),
    ("GET", "200 OK\r\ntransfer-encoding: gzip, Chunked\r\n", "Chunked(Size)", None),
    ("GET", "200 OK\r\ntransfer-encoding: chunked, gzip\r\n", "UntilClose", None),
    ("GET", "200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n", "Chunked(Size)", None),
    ("HEAD", "200 OK\r\ncontent-length: 3\r\n", "End", Some("3")),
    ("HEAD", "200 OK\r\ntransfer-encoding: chunked\r\n", "End", None),
    ("GET", "204 No Content\r\ncontent-length: 3\r\n", "End", Some("3")),
    ("GET", "304 Not Modified\r\ncontent-length: 3\r\n", "End", Some("3")),
    ("GET", "099 Early\r\n", "between 100 and 999", None),
    ("GET", "200 OK\r\nname with space: x\r\n", "malformed", None),
    ("GET", "200 OK\r\nx: a\r\n folded\r\n", "malformed", None),
];

#[test]
fn the_head_tells_where_the_body_ends() {
    for (method, fields, expected, length) in HEADS {
        let mut read = BytesMut::from(format!("HTTP/1.1 {fields}\r\nbody").as_str());
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        match head::take(&mut read, &method) {
            Ok(head) => {
                let head = head.unwrap();
                assert_eq!(format!("{:?}", head.framing), *expected, "{fields}");
                let handed_on = head.answer.fields.get_all(&CONTENT_LENGTH).collect::<Vec<_>>();
                assert_eq!(
                    handed_on,
                    length.iter().map(|length| length.as_bytes()).collect::<Vec<_>>(),
                    "{fields}"
                );
                assert_eq!(&read[..], b"body", "{fields}");
            }
            Err(error) => assert!(error.to_string().contains(expected), "{fields}: {error}"),
        }
    }
}

#[test]
fn a_connection_is_kept_as_version_and_header_say() {
    for (line, is_kept) in [
        ("HTTP/1.1 200 OK\r\n", true),
        ("HTTP/1.1 200 OK\r\nconnection: close\r\n", false),
        ("HTTP/1.1 200 OK\r\nconnection: x, CLOSE\r\n", false),
        ("HTTP/1.0 200 OK\r\n", false),
        ("HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n", true),
    ] {
        let mut read = BytesMut::from(format!("{line}content-length: 0\r\n\r\n").as_str());
        assert_eq!(head::take(&mut read, &Method::GET).unwrap().unwrap().is_kept, is_kept, "{line}");
    }
}

#[test]
fn a_head_is_taken_when_it_is_whole_and_not_before() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx: \xc3\xa4\r\n\r\n";
    for end in 0..head.len() {
        let mut read = BytesMut::from(&head[..end]);
        assert!(head::take(&mut read, &Method::GET).unwrap().is_none(), "{end}");
        assert_eq!(read.len(), end);
    }
    let taken = head::take(&mut BytesMut::from(&head[..]), &Method::GET).unwrap().unwrap();
    assert_eq!(taken.answer.fields.get(&HeaderName::from_static("x")), Some("ä".as_bytes()));
}

#[test]
fn a_head_without_end_is_too_large() {
    let endless = format!("HTTP/1.1 200 OK\r\nx: {}", "x".repeat(256 * 1024));
    let error = head::take(&mut BytesMut::from(endless.as_str()), &Method::GET).unwrap_err();
    assert_eq!(error.to_string(), "the head of the answer is larger than 256 KiB");
}

/// (chunked body, what it holds with its trailers, or the error)
const CHUNKED: &[(&str, &str)] = &[
    ("3\r\nabc\r\n0\r\n\r\n", "abc"),
    ("3;x=y\r\nabc\r\n00A\r\n0123456789\r\n000\r\n\r\n", "abc0123456789"),
    ("0\r\n\r\n", ""),
    ("1\r\na\r\n0\r\ngrpc-status: 0\r\n\r\n", "a grpc-status=0"),
    ("x\r\n", "the size of a chunk is malformed"),
    ("-1\r\na\r\n", "the size of a chunk is malformed"),
    ("11111111111111111\r\n", "the size of a chunk is malformed"),
    ("3\r\nabcd\r\n", "a chunk does not end where its size says"),
    ("3\r\nabc\n0\r\n\r\n", "a chunk does not end where its size says"),
    ("0\r\nno field\r\n\r\n", "the trailers are malformed or too long"),
];

#[test]
fn chunks_are_read_however_they_arrive() {
    for (body, expected) in CHUNKED {
        for first in 0..=body.len() {
            let (start, rest) = body.split_at(first);
            assert_eq!(decode(&[start, rest]), *expected, "{body:?} after {first}");
        }
        let bytes: Vec<&str> = body.split("").collect();
        assert_eq!(decode(&bytes), *expected, "{body:?}");
    }
}

#[test]
fn what_follows_the_body_stays() {
    for (mut framing, body, follows) in [
        (Framing::length(3), "abcHTTP", "HTTP"),
        (Framing::chunked(), "1\r\na\r\n0\r\n\r\nHTTP", "HTTP"),
        (Framing::UntilClose, "abcHTTP", ""),
    ] {
        let mut read = BytesMut::from(body);
        while let Decoded::Data(_) = framing.decode(&mut read).unwrap() {}
        assert_eq!(&read[..], follows.as_bytes());
    }
}

fn decode(pieces: &[&str]) -> String {
    let (mut framing, mut read, mut found) = (Framing::chunked(), BytesMut::new(), String::new());
    for piece in pieces {
        read.extend_from_slice(piece.as_bytes());
        loop {
            match framing.decode(&mut read) {
                Ok(Decoded::Data(data)) => found.push_str(std::str::from_utf8(&data).unwrap()),
                Ok(Decoded::Trailers(trailers)) => {
                    for (name, value) in &trailers {
                        found.push_str(&format!(" {name}={}", value.to_str().unwrap()));
                    }
                }
                Ok(Decoded::More | Decoded::End) => break,
                Err(error) => return error.to_string(),
            }
        }
    }
    assert_eq!(framing, Framing::End, "{pieces:?}");
    found
}
