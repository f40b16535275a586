//! A request on its way to a function.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http_body::Body;
use tokio::io::AsyncWrite;
use tokio::time::Instant;

use crate::body::idle::IdleTimer;
use crate::body::request::RequestBody;
use crate::error::RequestBodyError;

/// What is still to be sent of a request.
#[derive(Debug)]
pub(crate) struct Outgoing {
    head: Bytes,
    /// The line with the size of the chunk that `piece` is.
    size: Bytes,
    piece: Bytes,
    /// What follows the piece.
    end: &'static [u8],
    /// `None` when all of it was taken.
    body: Option<RequestBody>,
    framing: BodyFraming,
    is_begun: bool,
    idle: IdleTimer,
    waiting_for_function_since: Option<Instant>,
}

/// How the head that was written says that the body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyFraming {
    /// After so many bytes.
    Length(u64),
    /// With the last chunk.
    Chunked,
}

/// Why a request cannot be sent to its end.
#[derive(Debug)]
pub(crate) enum SendError {
    /// The client's body broke off.
    Body(RequestBodyError),
    /// The function takes no more of it.
    Write(io::Error),
}

/// What there is to send.
enum Next {
    Piece,
    /// Nothing before the client sends more.
    Owed,
    /// Nothing but what was taken before.
    Complete,
}

impl Outgoing {
    pub(crate) fn new(
        head: Bytes,
        body: RequestBody,
        framing: BodyFraming,
        idle: Duration,
        now: Instant,
    ) -> Self {
        Self {
            head,
            size: Bytes::new(),
            piece: Bytes::new(),
            end: b"",
            body: (framing != BodyFraming::Length(0)).then_some(body),
            framing,
            is_begun: false,
            idle: IdleTimer::new(idle),
            waiting_for_function_since: Some(now),
        }
    }

    /// Whether a byte of it was written.
    pub(crate) fn is_begun(&self) -> bool {
        self.is_begun
    }

    /// Since when the function has had all that the client has sent; `None` while the client owes the
    /// next piece of the body.
    pub(crate) fn waiting_for_function_since(&self) -> Option<Instant> {
        self.waiting_for_function_since
    }

    /// Writes as much as there is and as the function takes; ready when that is all of the request.
    pub(crate) fn poll_send<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), SendError>> {
        loop {
            // Before anything is written, so that a body that is there goes out together with the head.
            let next = self.take_piece(context).map_err(SendError::Body)?;
            while self.has_unwritten() {
                let written = ready!(self.poll_write(stream, context)).map_err(SendError::Write)?;
                self.advance(written);
            }
            if let Next::Piece = next {
                continue;
            }
            ready!(Pin::new(&mut *stream).poll_flush(context)).map_err(SendError::Write)?;
            return match next {
                Next::Complete => Poll::Ready(Ok(())),
                _ => Poll::Pending,
            };
        }
    }

    /// Takes the next piece of the body, unless one is still being written.
    fn take_piece(&mut self, context: &mut Context<'_>) -> Result<Next, RequestBodyError> {
        if !self.piece.is_empty() || !self.end.is_empty() {
            return Ok(Next::Piece);
        }
        let Some(body) = &mut self.body else {
            return Ok(Next::Complete);
        };
        let data = loop {
            match Pin::new(&mut *body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => break data,
                    _ => {}
                },
                Poll::Ready(Some(Err(error))) => return Err(RequestBodyError::Broken(Arc::from(error))),
                Poll::Ready(None) => return self.complete(),
                Poll::Pending => {
                    self.waiting_for_function_since = None;
                    return match self.idle.poll_elapsed(context) {
                        Poll::Ready(()) => Err(RequestBodyError::Timeout),
                        Poll::Pending => Ok(Next::Owed),
                    };
                }
            }
        };
        self.idle.stop();
        self.waiting_for_function_since = Some(Instant::now());
        match &mut self.framing {
            BodyFraming::Chunked => {
                self.size = Bytes::from(format!("{:x}\r\n", data.len()));
                self.end = b"\r\n";
            }
            BodyFraming::Length(left) => {
                *left = left.checked_sub(data.len() as u64).ok_or_else(wrong_length)?;
                if *left == 0 {
                    self.body = None;
                }
            }
        }
        self.piece = data;
        Ok(Next::Piece)
    }

    fn complete(&mut self) -> Result<Next, RequestBodyError> {
        self.body = None;
        match self.framing {
            BodyFraming::Chunked => self.size = Bytes::from_static(b"0\r\n\r\n"),
            BodyFraming::Length(0) => {}
            BodyFraming::Length(_) => return Err(wrong_length()),
        }
        self.waiting_for_function_since = Some(Instant::now());
        Ok(Next::Complete)
    }

    fn has_unwritten(&self) -> bool {
        !(self.head.is_empty() && self.size.is_empty() && self.piece.is_empty() && self.end.is_empty())
    }

    fn poll_write<S: AsyncWrite + Unpin>(
        &self,
        stream: &mut S,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let stream = Pin::new(stream);
        let written = if self.size.is_empty() && self.piece.is_empty() && self.end.is_empty() {
            // Of one slice the kernel makes less than of a list of them.
            ready!(stream.poll_write(context, &self.head))?
        } else {
            let slices = [&self.head, &self.size, &self.piece, self.end].map(IoSlice::new);
            ready!(stream.poll_write_vectored(context, &slices))?
        };
        Poll::Ready(if written == 0 { Err(io::ErrorKind::WriteZero.into()) } else { Ok(written) })
    }

    fn advance(&mut self, mut written: usize) {
        self.is_begun = true;
        for part in [&mut self.head, &mut self.size, &mut self.piece] {
            let length = written.min(part.len());
            part.advance(length);
            written -= length;
        }
        self.end = self.end.get(written..).unwrap_or_default();
    }
}

/// The body that a client sent is not as long as its header said.
fn wrong_length() -> RequestBodyError {
    RequestBodyError::Broken(Arc::new(io::Error::other("the body has another length than its header says")))
}
