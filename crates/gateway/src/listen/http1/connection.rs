//! What a client sends on one connection: requests one after the other, each with its body.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use claimgate_config::snapshot::Limits;
use claimgate_functions::{RequestBody, Upgraded};

use super::body::ClientBody;
use super::chunked::Chunked;
use super::head::{Body, Complete, Head, Parts, Trailers};
use crate::listen::Stream;
use crate::refusal::Refusal;

/// Room that is made for a read, in bytes, when less than `LEAST_ROOM` is left: most heads fit whole.
const ROOM: usize = 8 * 1024;
const LEAST_ROOM: usize = 1024;

/// Room for a read of a long body, in bytes.
const ROOM_FOR_BODY: usize = 64 * 1024;

/// What a client that knows beforehand to speak HTTP/2 sends first (RFC 9113, 3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// What a client sends next.
#[derive(Debug)]
pub enum Received {
    /// A request, of which all but the body is there.
    Request(Box<(Parts, Complete)>),
    /// What is no request. Nobody can say where the next one would begin.
    Refused(Refusal),
    /// A client that speaks HTTP/2.
    Http2,
    /// The client's end of the connection.
    End,
}

/// A connection as the one who serves it and the body of its request share it.
#[derive(Clone)]
pub struct Connection(Arc<Mutex<State>>);

struct State {
    stream: Box<dyn Stream>,
    limits: Limits,
    /// What has arrived and was not taken yet.
    arrived: BytesMut,
    /// Whether anything but empty lines was taken.
    is_begun: bool,
    head: Head,
    incoming: Incoming,
    /// What is to be written before the client sends the body.
    go_ahead: &'static [u8],
}

/// What is to come of a request's body.
#[derive(Debug)]
enum Incoming {
    /// Nothing; a head comes next.
    Nothing,
    /// So many bytes, at least one.
    Length(u64),
    Chunked(Chunked),
    Trailers(Trailers),
    /// It is malformed or broke off.
    Broken,
}

impl Connection {
    pub fn new(stream: Box<dyn Stream>, limits: Limits) -> Self {
        Self(Arc::new(Mutex::new(State {
            stream,
            limits,
            arrived: BytesMut::new(),
            is_begun: false,
            head: Head::default(),
            incoming: Incoming::Nothing,
            go_ahead: b"",
        })))
    }

    /// Waits for a request. The body of the one before must be complete.
    pub fn poll_request(&self, cx: &mut Context<'_>) -> Poll<Received> {
        let mut state = self.state();
        loop {
            match state.take_head() {
                Ok(None) => {}
                Ok(Some(received)) => return Poll::Ready(received),
                Err(refusal) => return Poll::Ready(Received::Refused(refusal)),
            }
            match ready!(state.poll_fill(cx, ROOM)) {
                Ok(0) | Err(_) => return Poll::Ready(Received::End),
                Ok(_) => {}
            }
        }
    }

    /// Whether nothing of a next request has arrived.
    pub fn is_between_requests(&self) -> bool {
        let state = self.state();
        matches!(state.incoming, Incoming::Nothing) && state.arrived.is_empty()
    }

    /// The body of the request that was received.
    pub fn body(&self, complete: &Complete) -> RequestBody {
        let length = match complete.body {
            Body::Length(0) => return RequestBody::empty(),
            Body::Length(length) => Some(length),
            Body::Chunked => None,
        };
        RequestBody::stream(ClientBody::new(self.clone(), length))
    }

    /// Waits for the next piece of the body; `None` is its end.
    pub fn poll_body(&self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let mut state = self.state();
        loop {
            match state.take_piece() {
                Err(error) => {
                    state.incoming = Incoming::Broken;
                    return Poll::Ready(Some(Err(error)));
                }
                Ok(Some(piece)) => return Poll::Ready(Some(Ok(piece))),
                Ok(None) if state.is_body_complete() => return Poll::Ready(None),
                Ok(None) => {}
            }
            while !state.go_ahead.is_empty() {
                let State { stream, go_ahead, .. } = &mut *state;
                let written = ready!(Pin::new(&mut **stream).poll_write(cx, go_ahead));
                match written {
                    Ok(written) if written > 0 => *go_ahead = go_ahead.get(written..).unwrap_or_default(),
                    _ => *go_ahead = b"",
                }
            }
            let room = if matches!(state.incoming, Incoming::Length(left) if left <= ROOM as u64) {
                ROOM
            } else {
                ROOM_FOR_BODY
            };
            match ready!(state.poll_fill(cx, room)) {
                Ok(0) => {
                    state.incoming = Incoming::Broken;
                    return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
                }
                Ok(_) => {}
                Err(error) => {
                    state.incoming = Incoming::Broken;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }

    /// Whether the client has left while it waits for an answer. What it sends meanwhile is kept, up to
    /// a bound.
    pub fn poll_gone(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if !state.is_body_complete() || !state.arrived.is_empty() {
            return Poll::Pending;
        }
        match ready!(state.poll_fill(cx, ROOM)) {
            Ok(0) | Err(_) => Poll::Ready(()),
            Ok(_) => Poll::Pending,
        }
    }

    /// Whether the next request may be read: what is left of this one's body, which the function did not
    /// want, is there and is passed over.
    pub fn finish_request(&self) -> bool {
        let mut state = self.state();
        while matches!(state.take_piece(), Ok(Some(_))) {}
        state.go_ahead = b"";
        state.is_body_complete()
    }

    /// Writes what it can of some slices.
    pub fn poll_write(&self, cx: &mut Context<'_>, slices: &[&[u8]]) -> Poll<io::Result<usize>> {
        let mut state = self.state();
        let stream = Pin::new(&mut *state.stream);
        let written = match slices {
            // Of one slice the kernel makes less than of a list of them.
            [slice] => ready!(stream.poll_write(cx, slice))?,
            _ => {
                let mut list = [IoSlice::new(&[]); 3];
                for (entry, slice) in list.iter_mut().zip(slices) {
                    *entry = IoSlice::new(slice);
                }
                ready!(stream.poll_write_vectored(cx, &list))?
            }
        };
        Poll::Ready(if written == 0 { Err(io::ErrorKind::WriteZero.into()) } else { Ok(written) })
    }

    pub fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.state().stream).poll_flush(cx)
    }

    /// Tells the client that nothing more comes.
    pub fn poll_shutdown(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.state().stream).poll_shutdown(cx)
    }

    /// Reads and forgets; gives the number of bytes.
    pub fn poll_discard(&self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut state = self.state();
        state.arrived.clear();
        state.poll_fill(cx, ROOM_FOR_BODY)
    }

    /// The stream with what was read of it and not taken; `None` while a body is still held.
    pub fn into_stream(self) -> Option<Upgraded> {
        let state = Arc::into_inner(self.0)?.into_inner().unwrap_or_else(PoisonError::into_inner);
        Some(Upgraded::new(state.arrived.freeze(), state.stream))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Connection {
    /// Without what was read, which may hold tokens.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl State {
    fn poll_fill(&mut self, cx: &mut Context<'_>, room: usize) -> Poll<io::Result<usize>> {
        if self.arrived.capacity() - self.arrived.len() < LEAST_ROOM.min(room) || room > ROOM {
            self.arrived.reserve(room);
        }
        tokio_util::io::poll_read_buf(Pin::new(&mut *self.stream), cx, &mut self.arrived)
    }

    fn take_head(&mut self) -> Result<Option<Received>, Refusal> {
        if self.arrived.is_empty() {
            return Ok(None);
        }
        if !self.is_begun {
            if self.arrived.starts_with(HTTP2_PREFACE) {
                return Ok(Some(Received::Http2));
            }
            if HTTP2_PREFACE.starts_with(&self.arrived) {
                return Ok(None);
            }
        }
        let Some(complete) = self.head.read(&self.arrived, &self.limits)? else { return Ok(None) };
        self.is_begun = true;
        let text = self.arrived.split_to(complete.length).freeze();
        let parts = self.head.take(&text)?;
        self.incoming = match complete.body {
            Body::Length(0) => Incoming::Nothing,
            Body::Length(length) => Incoming::Length(length),
            Body::Chunked => Incoming::Chunked(Chunked::default()),
        };
        self.go_ahead = if complete.expects_continue { CONTINUE } else { b"" };
        Ok(Some(Received::Request(Box::new((parts, complete)))))
    }

    /// The next piece of the body, if it has arrived.
    fn take_piece(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            match &mut self.incoming {
                Incoming::Nothing => return Ok(None),
                Incoming::Broken => return Err(malformed_body()),
                _ if self.arrived.is_empty() => return Ok(None),
                Incoming::Length(left) => {
                    let length = usize::try_from(*left).unwrap_or(usize::MAX).min(self.arrived.len());
                    *left -= length as u64;
                    if *left == 0 {
                        self.incoming = Incoming::Nothing;
                    }
                    return Ok(Some(self.arrived.split_to(length).freeze()));
                }
                Incoming::Chunked(chunked) => {
                    let piece = chunked.take(&mut self.arrived).map_err(|_| malformed_body())?;
                    if *chunked == Chunked::Last {
                        self.incoming = Incoming::Trailers(Trailers::default());
                    } else {
                        return Ok(piece);
                    }
                }
                Incoming::Trailers(trailers) => {
                    let length = trailers.read(&self.arrived, &self.limits).map_err(|_| malformed_body())?;
                    let Some(length) = length else { return Ok(None) };
                    // Nobody is told them.
                    self.arrived.advance(length);
                    self.incoming = Incoming::Nothing;
                }
            }
        }
    }

    fn is_body_complete(&self) -> bool {
        matches!(self.incoming, Incoming::Nothing)
    }
}

fn malformed_body() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the chunked body is malformed")
}
