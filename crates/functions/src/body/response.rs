//! The body of a function's answer.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::idle::IdleTimer;
use crate::error::ResponseBodyError;

/// The body of a function's answer, trailers included. It fails when the function breaks off or is
/// silent for too long.
pub struct ResponseBody(Kind);

enum Kind {
    Bytes(Bytes),
    Stream { stream: Incoming, idle: IdleTimer },
}

impl ResponseBody {
    pub(crate) fn streaming(stream: Incoming, idle: Duration) -> Self {
        Self(Kind::Stream { stream, idle: IdleTimer::new(idle) })
    }
}

impl From<Bytes> for ResponseBody {
    fn from(bytes: Bytes) -> Self {
        Self(Kind::Bytes(bytes))
    }
}

impl fmt::Debug for ResponseBody {
    /// Without the content: echo gives back what it received, tokens included.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("ResponseBody").field(&self.size_hint()).finish()
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = ResponseBodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ResponseBodyError>>> {
        match &mut self.0 {
            Kind::Bytes(bytes) if bytes.is_empty() => Poll::Ready(None),
            Kind::Bytes(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Kind::Stream { stream, idle } => match Pin::new(stream).poll_frame(context) {
                Poll::Ready(piece) => {
                    idle.stop();
                    Poll::Ready(piece.map(|piece| piece.map_err(ResponseBodyError::Broken)))
                }
                Poll::Pending => idle.poll_elapsed(context).map(|()| Some(Err(ResponseBodyError::Timeout))),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Bytes(bytes) => bytes.is_empty(),
            Kind::Stream { stream, .. } => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Bytes(bytes) => SizeHint::with_exact(u64::try_from(bytes.len()).unwrap_or(u64::MAX)),
            Kind::Stream { stream, .. } => stream.size_hint(),
        }
    }
}
