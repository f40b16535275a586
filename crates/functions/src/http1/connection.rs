//! A connection to a function, and the one exchange that is on it.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Method, StatusCode};
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::io::poll_read_buf;

use super::framing::{Decoded, Framing};
use super::head::{self, Answer, Head};
use super::outgoing::{Outgoing, SendError};
use super::pool::{self, Slot};
use crate::connect::Transport;
use crate::error::{InvokeError, RequestBodyError, ResponseBodyError};
use crate::process::Place;

/// Room that is made for a read, in bytes: most answers fit whole.
const READ: usize = 4 * 1024;

/// Room for a read of a long body.
const READ_LONG: usize = 64 * 1024;

/// A connection to a function. It does one exchange after the other; what an exchange leaves behind in
/// any other state than the expected one ends it.
pub(crate) struct Connection {
    stream: Box<dyn Transport>,
    /// Where it waits between two exchanges.
    slot: Slot,
    /// What was read and not taken yet.
    buffer: BytesMut,
    /// `None` when the request was sent.
    outgoing: Option<Outgoing>,
    sent: Option<Instant>,
    /// When the answer is late. It stays with the connection, as one that is only put off costs less than a
    /// new one.
    pub(super) alarm: Pin<Box<Sleep>>,
    method: Method,
    incoming: Framing,
    is_kept: bool,
    failure: Option<ResponseBodyError>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The connection ended; `unsent` is the request when nothing of it was written.
    Closed { error: io::Error, unsent: Option<Box<Outgoing>> },
    /// What came is not HTTP.
    Invalid(head::HeadError),
    /// The function was silent for too long.
    FirstByteTimeout,
    /// The client's body broke off.
    Body(RequestBodyError),
}

impl Connection {
    pub(crate) fn new(stream: Box<dyn Transport>, slot: Slot) -> Self {
        Self {
            stream,
            slot,
            buffer: BytesMut::new(),
            outgoing: None,
            sent: None,
            alarm: Box::pin(sleep(Duration::ZERO)),
            method: Method::GET,
            incoming: Framing::End,
            is_kept: true,
            failure: None,
        }
    }

    /// Whether the function has neither closed the connection nor sent something unasked.
    pub(crate) fn is_idle(&mut self, context: &mut Context<'_>) -> bool {
        let mut byte = [0];
        Pin::new(&mut self.stream).poll_read(context, &mut ReadBuf::new(&mut byte)).is_pending()
    }

    /// Begins an exchange.
    pub(crate) fn begin(&mut self, outgoing: Outgoing, method: &Method) {
        self.outgoing = Some(outgoing);
        self.method = method.clone();
    }

    /// Sends the request, and takes the head of the answer as soon as it is there.
    pub(crate) fn poll_answer(&mut self, context: &mut Context<'_>) -> Poll<Result<Answer, Failure>> {
        let mut broken = None;
        match self.poll_send(context) {
            Poll::Ready(Err(SendError::Body(error))) => return Poll::Ready(Err(Failure::Body(error))),
            // The function may have answered before it closed the connection.
            Poll::Ready(Err(SendError::Write(error))) => broken = Some(error),
            Poll::Ready(Ok(())) | Poll::Pending => {}
        }
        loop {
            match head::take(&mut self.buffer, &self.method) {
                Err(error) => return Poll::Ready(Err(Failure::Invalid(error))),
                Ok(Some(Head { answer, framing, is_kept })) => {
                    if answer.status.is_informational() && answer.status != StatusCode::SWITCHING_PROTOCOLS {
                        continue;
                    }
                    self.incoming = framing;
                    self.is_kept = is_kept && broken.is_none();
                    return Poll::Ready(Ok(answer));
                }
                Ok(None) => {}
            }
            let read = match self.poll_fill(context) {
                Poll::Pending if broken.is_none() => return Poll::Pending,
                Poll::Pending => Ok(0),
                Poll::Ready(read) => read,
            };
            let error = match read {
                Ok(0) => broken.unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => continue,
                Err(error) => error,
            };
            let unsent = self.outgoing.take().filter(|outgoing| !outgoing.is_begun()).map(Box::new);
            return Poll::Ready(Err(Failure::Closed { error, unsent }));
        }
    }

    /// Since when the function has had all that the client has sent; `None` while the client owes the
    /// next piece of the body.
    pub(crate) fn waiting_for_function_since(&self) -> Option<Instant> {
        match &self.outgoing {
            Some(outgoing) => outgoing.waiting_for_function_since(),
            None => self.sent,
        }
    }

    /// Takes the next piece of the answer, and sends what is left of the request meanwhile.
    pub(crate) fn poll_piece(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ResponseBodyError>>> {
        if let Some(failure) = self.failure.take() {
            return Poll::Ready(Some(Err(failure)));
        }
        let piece = self.poll_next_piece(context);
        if let Poll::Ready(Some(Err(failure))) = piece {
            // Told a turn later, as the client's connection is dropped then: what came before goes out first.
            self.failure = Some(failure);
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        piece
    }

    fn poll_next_piece(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ResponseBodyError>>> {
        match self.poll_send(context) {
            Poll::Ready(Err(SendError::Body(error))) => return broken(error),
            // The rest of the answer may have arrived already.
            Poll::Ready(Err(SendError::Write(_))) => self.is_kept = false,
            Poll::Ready(Ok(())) | Poll::Pending => {}
        }
        loop {
            match self.incoming.decode(&mut self.buffer) {
                Err(error) => return broken(error),
                Ok(Decoded::Data(data)) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Ok(Decoded::Trailers(trailers)) => return Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
                Ok(Decoded::End) => return Poll::Ready(None),
                Ok(Decoded::More) => {}
            }
            match ready!(self.poll_fill(context)) {
                Ok(0) if self.incoming == Framing::UntilClose => {
                    self.incoming = Framing::End;
                    self.is_kept = false;
                }
                Ok(0) => return broken(io::Error::from(io::ErrorKind::UnexpectedEof)),
                Ok(_) => {}
                Err(error) => return broken(error),
            }
        }
    }

    /// Whether the answer is complete.
    pub(crate) fn is_complete(&self) -> bool {
        self.incoming == Framing::End
    }

    /// How much of the answer is still to come.
    pub(crate) fn size_hint(&self) -> SizeHint {
        match self.incoming {
            Framing::End => SizeHint::with_exact(0),
            Framing::Length(left) => SizeHint::with_exact(left),
            Framing::Chunked(_) | Framing::UntilClose => SizeHint::default(),
        }
    }

    /// Ends a complete exchange: keeps the connection, if it can carry another one. A function may answer
    /// before it has read the whole request; the rest is still sent to it.
    pub(crate) fn finish(mut self: Box<Self>) {
        let mut context = Context::from_waker(std::task::Waker::noop());
        match self.poll_send(&mut context) {
            Poll::Ready(Ok(())) if self.is_kept && self.buffer.is_empty() => {
                let slot = Slot::clone(&self.slot);
                pool::put(&slot, self);
            }
            Poll::Ready(_) => {}
            Poll::Pending => {
                tokio::spawn(
                    async move { std::future::poll_fn(|context| self.poll_send(context)).await.is_ok() },
                );
            }
        }
    }

    /// The connection, when the function has switched protocols.
    pub(crate) fn into_upgraded(self) -> Upgraded {
        Upgraded { early: self.buffer.freeze(), stream: self.stream, _place: None }
    }

    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let room = match self.incoming {
            Framing::Length(left) if left > READ as u64 => READ_LONG,
            Framing::Chunked(_) | Framing::UntilClose => READ_LONG / 4,
            _ => READ,
        };
        self.buffer.reserve(room);
        poll_read_buf(Pin::new(&mut self.stream), context, &mut self.buffer)
    }

    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let Some(outgoing) = &mut self.outgoing else {
            return Poll::Ready(Ok(()));
        };
        let sent = ready!(outgoing.poll_send(&mut self.stream, context));
        if sent.is_ok() {
            self.sent = outgoing.waiting_for_function_since();
            self.outgoing = None;
        }
        Poll::Ready(sent)
    }
}

impl fmt::Debug for Connection {
    /// Without what was read or is sent, which may hold tokens.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl From<Failure> for InvokeError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Closed { error, .. } => Self::Closed(Arc::new(error)),
            Failure::Invalid(error) => Self::InvalidAnswer(Arc::new(error)),
            Failure::FirstByteTimeout => Self::FirstByteTimeout,
            Failure::Body(error) => Self::RequestBody(error),
        }
    }
}

fn broken<T>(
    error: impl std::error::Error + Send + Sync + 'static,
) -> Poll<Option<Result<T, ResponseBodyError>>> {
    Poll::Ready(Some(Err(ResponseBodyError::Broken(Arc::new(error)))))
}

/// One side of a connection that speaks another protocol from now on.
pub struct Upgraded {
    /// What was read before the protocol changed, and belongs to the new one.
    early: Bytes,
    stream: Box<dyn Transport>,
    /// The place on an instance of a process function that it takes.
    _place: Option<Place>,
}

impl Upgraded {
    /// A stream that begins with `early`, which was read off it before.
    pub fn new(early: Bytes, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self { early, stream: Box::new(stream), _place: None }
    }

    /// Holds a place on an instance until it ends.
    pub(crate) fn holding(self, place: Place) -> Self {
        Self { _place: Some(place), ..self }
    }
}

impl fmt::Debug for Upgraded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Upgraded").finish_non_exhaustive()
    }
}

impl AsyncRead for Upgraded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.early.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, out);
        }
        let length = self.early.len().min(out.remaining());
        out.put_slice(&self.early.split_to(length));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Upgraded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
