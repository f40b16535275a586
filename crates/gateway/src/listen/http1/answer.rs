//! An answer on its way to the client.

use std::io;
use std::io::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use claimgate_functions::{Fields, Response, ResponseBody, ResponseBodyError};
use http::header::{CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING};
use http::{HeaderMap, Method, StatusCode, Version};
use http_body::Body;
use tokio::time::{Sleep, sleep};

use super::connection::Connection;
use super::date;
use super::head::Complete;

/// A piece up to this size, in bytes, is copied behind what goes out before it, so that both are one write
/// of one slice.
const SMALL: usize = 4 * 1024;

/// What the answer has to know of its request.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Its method.
    pub method: Method,
    /// What its head said of the connection.
    pub head: Complete,
}

/// An answer that is being sent.
#[derive(Debug)]
pub struct Answer {
    /// The head, then the lines around chunks, and small pieces.
    text: BytesMut,
    piece: Bytes,
    /// What follows the piece.
    end: &'static [u8],
    /// `None` when all of it was taken.
    body: Option<ResponseBody>,
    framing: Framing,
    takes_trailers: bool,
    is_kept: bool,
    failure: Option<ResponseBodyError>,
    idle: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

/// How the client finds the end of the body (RFC 9112, 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// So many bytes are still to come.
    Length(u64),
    Chunked,
    UntilClose,
}

/// Why an answer did not reach the client whole.
#[derive(Debug, thiserror::Error)]
pub enum Unsent {
    /// The function broke off.
    #[error("the answer of the function broke off")]
    Body(#[from] ResponseBodyError),
    /// The function's body is not as long as its header said.
    #[error("the answer's body has another length than its header says")]
    Length,
    /// The client broke off.
    #[error("the client takes no more")]
    Client(#[from] io::Error),
    /// The client took nothing for `timeouts.idle`.
    #[error("the client stalled")]
    Stalled,
}

impl Unsent {
    /// A stable word for log and metric, where it is the function's fault.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Body(error) => Some(error.reason()),
            Self::Length => Some("response_body_length"),
            Self::Client(_) | Self::Stalled => None,
        }
    }
}

impl Answer {
    /// Writes the head into `text`, which is empty; `may_be_kept` tells whether the connection may serve
    /// another request after this one.
    pub fn new(
        response: Response,
        asked: &Asked,
        may_be_kept: bool,
        mut text: BytesMut,
        idle: Duration,
    ) -> Self {
        let Response { status, mut fields, body } = response;
        let has_body = !(asked.method == Method::HEAD
            || status.is_informational()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED));
        let framing = match body.size_hint().exact() {
            _ if !has_body => Framing::Length(0),
            Some(length) => Framing::Length(length),
            None if asked.head.version == Version::HTTP_11 => Framing::Chunked,
            None => Framing::UntilClose,
        };
        let closes = fields.get(&CONNECTION).is_some_and(|value| value == b"close");
        fields.remove(&CONNECTION);
        let is_kept = may_be_kept && asked.head.is_kept && !closes && framing != Framing::UntilClose;
        if status.is_informational() || status == StatusCode::NO_CONTENT {
            // RFC 9110, 8.6.
            fields.remove(&CONTENT_LENGTH);
        }
        head(&mut text, status, &fields, (has_body, framing), (asked.head.version, is_kept));
        let body = (has_body && framing != Framing::Length(0)).then_some(body);
        Self {
            text,
            piece: Bytes::new(),
            end: b"",
            body,
            framing,
            takes_trailers: asked.head.takes_trailers,
            is_kept,
            failure: None,
            idle,
            stalled: None,
        }
    }

    /// Whether the client was told that the connection may serve another request.
    pub fn is_kept(&self) -> bool {
        self.is_kept
    }

    /// The memory of the text, for the next answer.
    pub fn into_text(self) -> BytesMut {
        self.text
    }

    /// Sends as much as there is and as the client takes; ready when that is all.
    pub fn poll_send(&mut self, connection: &Connection, cx: &mut Context<'_>) -> Poll<Result<(), Unsent>> {
        loop {
            let is_owed = self.take_piece(cx);
            while let Some(left) = self.unwritten() {
                let written = match connection.poll_write(cx, left.as_slice()) {
                    Poll::Ready(written) => written?,
                    Poll::Pending => {
                        let idle = self.idle;
                        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(idle)));
                        ready!(stalled.as_mut().poll(cx));
                        return Poll::Ready(Err(Unsent::Stalled));
                    }
                };
                self.stalled = None;
                self.advance(written);
            }
            if let Some(failure) = self.failure.take() {
                return Poll::Ready(Err(failure.into()));
            }
            if self.body.is_none() {
                ready!(connection.poll_flush(cx))?;
                let is_whole = !matches!(self.framing, Framing::Length(1..));
                return Poll::Ready(if is_whole { Ok(()) } else { Err(Unsent::Length) });
            }
            if is_owed {
                ready!(connection.poll_flush(cx))?;
                return Poll::Pending;
            }
        }
    }

    /// Takes the next piece of the body, if everything before it was written, or nothing but the head is
    /// unwritten. Tells whether the function owes it.
    fn take_piece(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(body) = &mut self.body else { return false };
        if !self.piece.is_empty() || !self.end.is_empty() {
            return false;
        }
        let frame = match Pin::new(body).poll_frame(cx) {
            Poll::Pending => return true,
            Poll::Ready(Some(Ok(frame))) => frame,
            Poll::Ready(Some(Err(failure))) => {
                self.body = None;
                // What came before goes out first.
                self.failure = Some(failure);
                return false;
            }
            Poll::Ready(None) => {
                self.complete(&HeaderMap::new());
                return false;
            }
        };
        match frame.into_data() {
            Ok(data) => self.put(data),
            Err(frame) => {
                let trailers = frame.into_trailers().unwrap_or_default();
                self.complete(&trailers);
            }
        }
        false
    }

    fn put(&mut self, data: Bytes) {
        if data.is_empty() {
            return;
        }
        match &mut self.framing {
            Framing::Length(left) => match left.checked_sub(data.len() as u64) {
                Some(rest) => *left = rest,
                // More than the header says: the client would take the rest for the next answer.
                None => {
                    self.body = None;
                    return;
                }
            },
            Framing::Chunked => {
                // A vector of bytes takes all that is written to it.
                let _ = write!((&mut self.text).writer(), "{:x}\r\n", data.len());
            }
            Framing::UntilClose => {}
        }
        if self.framing == Framing::Length(0) {
            self.body = None;
        }
        let end: &[u8] = if self.framing == Framing::Chunked { b"\r\n" } else { b"" };
        if data.len() <= SMALL {
            self.text.put_slice(&data);
            self.text.put_slice(end);
        } else {
            self.piece = data;
            self.end = if end.is_empty() { b"" } else { b"\r\n" };
        }
    }

    fn complete(&mut self, trailers: &HeaderMap) {
        self.body = None;
        if self.framing != Framing::Chunked {
            return;
        }
        self.text.put_slice(b"0\r\n");
        if self.takes_trailers {
            fields(&mut self.text, trailers);
        }
        self.text.put_slice(b"\r\n");
    }

    /// What is to be written, in its order; `None` when there is nothing.
    fn unwritten(&self) -> Option<Slices<'_>> {
        let slices = Slices([&self.text, &self.piece, self.end]);
        (!slices.as_slice().is_empty()).then_some(slices)
    }

    fn advance(&mut self, written: usize) {
        let text = written.min(self.text.len());
        if text == self.text.len() {
            // Keeps the memory, which an advance to the end would give up.
            self.text.clear();
        } else {
            self.text.advance(text);
        }
        let piece = (written - text).min(self.piece.len());
        self.piece.advance(piece);
        self.end = self.end.get(written - text - piece..).unwrap_or_default();
    }
}

/// Text, piece, and end of an answer.
struct Slices<'a>([&'a [u8]; 3]);

impl<'a> Slices<'a> {
    /// Without the empty ones around those that are not.
    fn as_slice(&self) -> &[&'a [u8]] {
        let first = self.0.iter().position(|slice| !slice.is_empty()).unwrap_or(self.0.len());
        let end = self.0.iter().rposition(|slice| !slice.is_empty()).map_or(first, |last| last + 1);
        self.0.get(first..end).unwrap_or_default()
    }
}

fn head(
    text: &mut BytesMut,
    status: StatusCode,
    header: &Fields,
    (has_body, framing): (bool, Framing),
    (version, is_kept): (Version, bool),
) {
    text.reserve(header.lines_length() + 256);
    text.put_slice(b"HTTP/1.1 ");
    text.put_slice(status.as_str().as_bytes());
    text.put_slice(b" ");
    text.put_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    text.put_slice(b"\r\n");
    // What frames the body is told of the body that there is; were it another one, the client would
    // take the rest of it for the next answer.
    header.write_where(text, |name| name != b"transfer-encoding" && !(has_body && name == b"content-length"));
    match framing {
        Framing::Length(length) if has_body => {
            field(text, CONTENT_LENGTH.as_str(), itoa::Buffer::new().format(length).as_bytes());
        }
        Framing::Chunked => text.put_slice(b"transfer-encoding: chunked\r\n"),
        _ => {}
    }
    if !header.contains(&DATE) {
        date::write(text);
    }
    if status == StatusCode::SWITCHING_PROTOCOLS {
        text.put_slice(b"connection: upgrade\r\n");
    } else if !is_kept {
        text.put_slice(b"connection: close\r\n");
    } else if version == Version::HTTP_10 {
        text.put_slice(b"connection: keep-alive\r\n");
    }
    text.put_slice(b"\r\n");
}

fn fields(text: &mut BytesMut, headers: &HeaderMap) {
    for (name, value) in headers {
        // RFC 9110, 6.5.1: no trailer may frame the message.
        if *name != CONTENT_LENGTH && *name != TRANSFER_ENCODING {
            field(text, name.as_str(), value.as_bytes());
        }
    }
}

fn field(text: &mut BytesMut, name: &str, value: &[u8]) {
    text.put_slice(name.as_bytes());
    text.put_slice(b": ");
    text.put_slice(value);
    text.put_slice(b"\r\n");
}
