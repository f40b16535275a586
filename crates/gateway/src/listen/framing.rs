//! Reads HTTP/1.1 strictly in front of hyper, whose parser forgives what a gateway must not: two lengths
//! of one body, line ends of LF alone, and the like (RFC 9112, 11.2).
//!
//! Nothing reaches hyper before it was judged. A head is held back until it is there whole; a body
//! passes as it comes. In place of a head that is refused, hyper is given a plain request that ends the
//! connection, and [`Served`] answers that with the refusal: so the answer, its log line and its order
//! behind the answers to earlier requests are made as for every other request.

mod chunked;
mod head;
mod messages;
mod served;
#[cfg(test)]
mod tests;

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use claimgate_config::snapshot::Limits;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};
use tokio_util::io::poll_read_buf;

use crate::refusal::Refusal;
use messages::{Messages, Verdict};
pub use served::Served;

/// Room that is made for each read of a head, in bytes.
const READ: usize = 4096;

/// What hyper reads in place of a head that was refused. Without a Host it is no request that the
/// gateway would forward, whatever came of it.
const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n";

/// How long and how much of a client's unread bytes are discarded after the last answer. A socket that
/// is closed over unread bytes resets the connection, and that can take the answer from the client
/// (RFC 9112, 9.6).
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 16 * 1024 * 1024;

/// A client's stream of which hyper sees only what is sound.
///
/// HTTP/2 with prior knowledge and, after an answer 101, WebSocket pass untouched. What a client sends
/// between its request for a WebSocket and the answer to it waits for that answer: then it is part of
/// the WebSocket, or else the next request.
///
/// A malformed request behind a good one in the pipeline is answered after it. When the body of a
/// request is malformed, reading it fails, and no request behind it is served.
#[derive(Debug)]
pub struct StrictHttp1<S> {
    stream: S,
    served: Served,
    messages: Messages,
    /// What was read and is not handed on.
    buffer: BytesMut,
    /// So much of the buffer passed judgement.
    sound: usize,
    /// When the connection's first head must be there; hyper itself waits for the later ones.
    first_head: Option<Pin<Box<Sleep>>>,
    linger: Option<Linger>,
}

#[derive(Debug)]
struct Linger {
    until: Pin<Box<Sleep>>,
    bytes: usize,
}

impl<S> StrictHttp1<S> {
    /// Judges a stream. `header_read` is the time until the first head must be there.
    pub fn new(stream: S, limits: Limits, header_read: Duration) -> Self {
        Self {
            stream,
            served: Served::default(),
            messages: Messages::new(limits),
            buffer: BytesMut::new(),
            sound: 0,
            first_head: Some(Box::pin(sleep(header_read))),
            linger: None,
        }
    }

    /// What must answer the connection's requests.
    pub fn served(&self) -> Served {
        self.served.clone()
    }

    fn hand_on(&mut self, out: &mut ReadBuf<'_>) {
        let length = self.sound.min(out.remaining());
        out.put_slice(self.buffer.get(..length).unwrap_or_default());
        self.buffer.advance(length);
        self.sound -= length;
        if self.buffer.is_empty() && self.messages.is_through() {
            self.buffer = BytesMut::new();
        }
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.served.note_refusal(self.messages.heads() + 1, refusal);
        self.buffer.clear();
        self.buffer.extend_from_slice(STAND_IN);
        self.sound = STAND_IN.len();
    }

    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        let late = self.first_head.as_mut().is_some_and(|deadline| deadline.as_mut().poll(cx).is_ready());
        if late {
            self.first_head = None;
        }
        late
    }
}

impl<S: AsyncRead + Unpin> StrictHttp1<S> {
    /// Reads into the buffer, and gives how much.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.buffer.reserve(READ);
        poll_read_buf(Pin::new(&mut self.stream), cx, &mut self.buffer)
    }

    /// Reads past the buffer, which is empty, and gives how much was read; what is not sound, or not
    /// yet, goes to the buffer after all.
    fn poll_read_past(&mut self, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<usize>> {
        let before = out.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, out))?;
        let read = out.filled().get(before..).unwrap_or_default();
        let length = read.len();
        let sound = match self.messages.judge(read) {
            Verdict::Pass(sound) => sound,
            _ => 0,
        };
        self.buffer.extend_from_slice(read.get(sound..).unwrap_or_default());
        out.set_filled(before + sound);
        Poll::Ready(Ok(length))
    }

    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(linger) = &mut self.linger else { return Poll::Ready(()) };
        let mut space = [0; 8 * 1024];
        while linger.bytes > 0 {
            let mut discarded = ReadBuf::new(&mut space);
            match Pin::new(&mut self.stream).poll_read(cx, &mut discarded) {
                Poll::Pending => return linger.until.as_mut().poll(cx),
                Poll::Ready(Ok(())) if !discarded.filled().is_empty() => {
                    linger.bytes = linger.bytes.saturating_sub(discarded.filled().len());
                }
                Poll::Ready(_) => break,
            }
        }
        Poll::Ready(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for StrictHttp1<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = out.filled().len();
        while out.remaining() > 0 {
            if this.sound > 0 {
                this.hand_on(out);
                return Poll::Ready(Ok(()));
            }
            if let Some(number) = this.messages.asked_to_switch()
                && let Some(switched) = this.served.switches(number, cx.waker())
            {
                this.messages.answered(switched);
            }
            match this.messages.judge(&this.buffer) {
                Verdict::Pass(length) => {
                    this.sound = length;
                    this.first_head = None;
                }
                Verdict::More if this.messages.is_streaming() => {
                    let read = ready!(this.poll_read_past(cx, out))?;
                    if read == 0 || out.filled().len() > before {
                        return Poll::Ready(Ok(()));
                    }
                }
                Verdict::More => match this.poll_fill(cx)? {
                    Poll::Ready(0) => return Poll::Ready(Ok(())),
                    Poll::Ready(_) => {}
                    Poll::Pending if !this.is_late(cx) => return Poll::Pending,
                    Poll::Pending if this.buffer.is_empty() => this.messages.end(),
                    Poll::Pending => {
                        this.messages.refuse();
                        this.refuse(Refusal::Late);
                    }
                },
                Verdict::Hold if this.buffer.is_empty() => {
                    // The end of the connection must not wait for the answer.
                    if ready!(this.poll_fill(cx))? == 0 {
                        return Poll::Ready(Ok(()));
                    }
                }
                Verdict::Hold => return Poll::Pending,
                Verdict::Refuse(refusal) => this.refuse(refusal),
                Verdict::Break => return Poll::Ready(Err(malformed_body())),
                Verdict::Nothing => return Poll::Pending,
                Verdict::End => return Poll::Ready(Ok(())),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for StrictHttp1<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            if this.messages.is_between() && this.buffer.is_empty() || this.messages.is_through() {
                return Poll::Ready(Ok(()));
            }
            this.linger = Some(Linger { until: Box::pin(sleep(LINGER)), bytes: LINGER_BYTES });
        }
        this.poll_discard(cx).map(Ok)
    }
}

fn malformed_body() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the chunked body is malformed")
}
