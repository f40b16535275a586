//! The body of a request to a function.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;

/// Why the body of a request ends early.
pub type BrokenBody = Box<dyn std::error::Error + Send + Sync>;

/// The body of a request, from the client to the function.
///
/// Trailers of the client's request are dropped: a client could put a header there that only the
/// gateway may set. The length stays known when the client told it.
pub struct RequestBody(Kind);

enum Kind {
    Empty,
    Bytes(Bytes),
    Stream(Pin<Box<dyn Body<Data = Bytes, Error = BrokenBody> + Send>>),
}

impl RequestBody {
    /// No body.
    pub fn empty() -> Self {
        Self(Kind::Empty)
    }

    /// What a client sends piece by piece.
    pub fn stream<B>(stream: B) -> Self
    where
        B: Body<Data = Bytes, Error: Into<BrokenBody>> + Send + 'static,
    {
        if stream.is_end_stream() {
            return Self(Kind::Empty);
        }
        Self(Kind::Stream(Box::pin(stream.map_err(Into::into))))
    }
}

impl From<Bytes> for RequestBody {
    fn from(bytes: Bytes) -> Self {
        Self(if bytes.is_empty() { Kind::Empty } else { Kind::Bytes(bytes) })
    }
}

impl fmt::Debug for RequestBody {
    /// Without the content, which may hold a token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("RequestBody").field(&self.size_hint()).finish()
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BrokenBody;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenBody>>> {
        match &mut self.0 {
            Kind::Empty => Poll::Ready(None),
            Kind::Bytes(bytes) => {
                let bytes = std::mem::take(bytes);
                self.0 = Kind::Empty;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Kind::Stream(stream) => loop {
                match ready!(stream.as_mut().poll_frame(context)) {
                    Some(Ok(frame)) if !frame.is_data() => {}
                    piece => return Poll::Ready(piece),
                }
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Bytes(_) => false,
            Kind::Stream(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Bytes(bytes) => SizeHint::with_exact(u64::try_from(bytes.len()).unwrap_or(u64::MAX)),
            Kind::Stream(stream) => stream.size_hint(),
        }
    }
}
