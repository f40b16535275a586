#![allow(clippy::unwrap_used)]
use futures_util::stream;

use super::*;

const MIB: usize = 1024 * 1024;

/// A body that comes in pieces, whose length is not known before.
fn chunked(pieces: usize, bytes: usize) -> Body {
    let piece = Bytes::from(vec![b'x'; bytes]);
    Body::from_stream(stream::iter((0..pieces).map(move |_| Ok::<_, std::io::Error>(piece.clone()))))
}

async fn status(bodies: &Bodies, body: Body, most_bytes: usize) -> Result<Held, StatusCode> {
    bodies.read(body, most_bytes, |_| {}).await.map_err(|error| error.status)
}

#[tokio::test]
async fn a_body_is_whole_and_seen_piece_by_piece() {
    let mut seen = 0;
    let held =
        Bodies::default().read(chunked(100, 1000), 100_000, |piece| seen += piece.len()).await.unwrap();
    assert_eq!((held.bytes.len(), seen), (100_000, 100_000));
}

#[tokio::test]
async fn the_limit_is_exact_with_and_without_a_length() {
    let bodies = Bodies::default();
    for (bytes, expected) in [(1000, Ok(())), (1001, Err(StatusCode::PAYLOAD_TOO_LARGE))] {
        for body in [Body::from(vec![b'x'; bytes]), chunked(bytes, 1)] {
            assert_eq!(status(&bodies, body, 1000).await.map(drop), expected);
        }
    }
}

#[tokio::test]
async fn bodies_share_the_memory_and_give_it_back() {
    let bodies = Bodies::default();
    let mut held = Vec::new();
    for _ in 0..HELD_AT_ONCE / (16 * MIB) {
        held.push(status(&bodies, chunked(256, 64 * 1024), 64 * MIB).await.unwrap());
    }
    for body in [Body::from("x"), chunked(1, 1)] {
        assert_eq!(status(&bodies, body, MIB).await.unwrap_err(), StatusCode::SERVICE_UNAVAILABLE);
    }
    assert!(status(&bodies, Body::empty(), MIB).await.is_ok());
    held.pop();
    assert!(status(&bodies, chunked(16, MIB), 64 * MIB).await.is_ok());
    drop(held);
    assert_eq!(bodies.0.available_permits(), HELD_AT_ONCE);
}

#[tokio::test]
async fn a_body_that_is_refused_leaves_nothing_behind() {
    let bodies = Bodies::default();
    assert!(status(&bodies, chunked(10, 1000), 9_999).await.is_err());
    let broken = stream::iter([Ok(Bytes::from_static(b"x")), Err(std::io::Error::other("broken"))]);
    assert_eq!(status(&bodies, Body::from_stream(broken), 10).await.unwrap_err(), StatusCode::BAD_REQUEST);
    assert_eq!(bodies.0.available_permits(), HELD_AT_ONCE);
}
