//! The body of a client's request.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::connection::Connection;

/// Reads a body off its connection when it is asked for the next piece, and not before.
pub struct ClientBody {
    connection: Connection,
    /// How much is to come, where the client said so.
    left: Option<u64>,
    is_complete: bool,
}

impl ClientBody {
    pub fn new(connection: Connection, length: Option<u64>) -> Self {
        Self { connection, left: length, is_complete: length == Some(0) }
    }
}

impl Body for ClientBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.is_complete {
            return Poll::Ready(None);
        }
        let piece = ready!(self.connection.poll_body(cx));
        match &piece {
            None | Some(Err(_)) => self.is_complete = true,
            Some(Ok(piece)) => {
                if let Some(left) = &mut self.left {
                    *left = left.saturating_sub(piece.len() as u64);
                    self.is_complete = *left == 0;
                }
            }
        }
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.is_complete
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
