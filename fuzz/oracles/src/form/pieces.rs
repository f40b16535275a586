//! Bodies that arrive in pieces.

use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use claimgate_functions::{BrokenBody, RequestBody};
use http_body::{Body, Frame};

/// A body in pieces of so many bytes: the first two, and the others.
pub fn of(body: &[u8], length: usize) -> ([Bytes; 2], RequestBody) {
    let mut pieces: VecDeque<Bytes> = body.chunks(length).map(Bytes::copy_from_slice).collect();
    let mut first = || pieces.pop_front().unwrap_or_default();
    ([first(), first()], RequestBody::stream(Pieces(pieces)))
}

/// All of a body that does not wait for anything, or `None` when it breaks off.
pub fn joined(body: RequestBody) -> Option<Vec<u8>> {
    let mut body = pin!(body);
    let mut joined = Vec::new();
    let mut context = Context::from_waker(Waker::noop());
    loop {
        match body.as_mut().poll_frame(&mut context) {
            Poll::Ready(Some(frame)) => joined.extend(frame.ok()?.into_data().ok()?),
            Poll::Ready(None) => return Some(joined),
            Poll::Pending => panic!("the body waits"),
        }
    }
}

struct Pieces(VecDeque<Bytes>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = BrokenBody;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenBody>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }
}

/// What is between separators.
pub fn split<'t>(text: &'t [u8], separator: &[u8]) -> Vec<&'t [u8]> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.windows(separator.len()).position(|window| window == separator) {
        pieces.push(&rest[..at]);
        rest = &rest[at + separator.len()..];
    }
    pieces.push(rest);
    pieces
}
