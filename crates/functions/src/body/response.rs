//! The body of a function's answer.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};

use super::idle::IdleTimer;
use crate::error::ResponseBodyError;
use crate::http1::{Connection, Upgraded};
use crate::process::Place;

/// The body of a function's answer, trailers included. It fails when the function breaks off or is
/// silent for too long.
pub struct ResponseBody(Kind);

enum Kind {
    Bytes(Bytes),
    Http1 {
        connection: Box<Connection>,
        idle: IdleTimer,
    },
    Http2 {
        stream: Incoming,
        idle: IdleTimer,
    },
    /// That of a process, which has room for another request when it has ended.
    Process(Box<(ResponseBody, Place)>),
    /// That has to end until an alarm.
    Limited(Box<(ResponseBody, Pin<Box<Sleep>>)>),
    Upgraded(Box<Upgraded>),
}

impl ResponseBody {
    /// No body.
    pub fn empty() -> Self {
        Self(Kind::Bytes(Bytes::new()))
    }

    /// What is still to come on a connection.
    pub(crate) fn http1(connection: Box<Connection>, idle: Duration) -> Self {
        let mut body = Self(Kind::Http1 { connection, idle: IdleTimer::new(idle) });
        body.finish_if_complete();
        body
    }

    pub(crate) fn http2(stream: Incoming, idle: Duration) -> Self {
        Self(Kind::Http2 { stream, idle: IdleTimer::new(idle) })
    }

    pub(crate) fn upgraded(connection: Upgraded) -> Self {
        Self(Kind::Upgraded(Box::new(connection)))
    }

    /// Holds a place on an instance until it has ended.
    pub(crate) fn holding(self, place: Place) -> Self {
        match self.0 {
            Kind::Upgraded(connection) => Self::upgraded(connection.holding(place)),
            _ if self.is_end_stream() => self,
            _ => Self(Kind::Process(Box::new((self, place)))),
        }
    }

    /// Fails when it has not ended at `deadline`. A changed protocol has no end that is waited for.
    pub(crate) fn until(self, deadline: Instant) -> Self {
        if self.is_end_stream() {
            return self;
        }
        Self(Kind::Limited(Box::new((self, Box::pin(sleep_until(deadline))))))
    }

    /// The function's side of the connection, when the answer is 101 (Switching Protocols).
    pub fn into_upgraded(self) -> Option<Upgraded> {
        match self.0 {
            Kind::Upgraded(connection) => Some(*connection),
            _ => None,
        }
    }

    /// Lets go of the connection as soon as nothing is left to read, so that the next request finds it.
    fn finish_if_complete(&mut self) {
        if matches!(&self.0, Kind::Http1 { connection, .. } if connection.is_complete())
            && let Kind::Http1 { connection, .. } = std::mem::replace(&mut self.0, Kind::Bytes(Bytes::new()))
        {
            connection.finish();
        }
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
        let (piece, idle) = match &mut self.0 {
            Kind::Upgraded(_) => return Poll::Ready(None),
            Kind::Bytes(bytes) if bytes.is_empty() => return Poll::Ready(None),
            Kind::Bytes(bytes) => return Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Kind::Limited(limited) => {
                let (body, alarm) = &mut **limited;
                if alarm.as_mut().poll(context).is_ready() {
                    self.0 = Kind::Bytes(Bytes::new());
                    return Poll::Ready(Some(Err(ResponseBodyError::TooLong)));
                }
                return Pin::new(body).poll_frame(context);
            }
            Kind::Process(held) => {
                let piece = Pin::new(&mut held.0).poll_frame(context);
                if let Poll::Ready(Some(Err(ResponseBodyError::Broken(_)))) = &piece {
                    held.1.doubt();
                }
                if held.0.is_end_stream() {
                    self.0 = Kind::Bytes(Bytes::new());
                }
                return piece;
            }
            Kind::Http1 { connection, idle } => (connection.poll_piece(context), idle),
            Kind::Http2 { stream, idle } => {
                let piece = Pin::new(stream).poll_frame(context);
                (piece.map_err(|error| ResponseBodyError::Broken(Arc::new(error))), idle)
            }
        };
        if piece.is_pending() {
            return idle.poll_elapsed(context).map(|()| Some(Err(ResponseBodyError::Timeout)));
        }
        idle.stop();
        self.finish_if_complete();
        piece
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Bytes(bytes) => bytes.is_empty(),
            Kind::Http1 { connection, .. } => connection.is_complete(),
            Kind::Http2 { stream, .. } => stream.is_end_stream(),
            Kind::Process(held) => held.0.is_end_stream(),
            Kind::Limited(limited) => limited.0.is_end_stream(),
            Kind::Upgraded(_) => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Bytes(bytes) => SizeHint::with_exact(u64::try_from(bytes.len()).unwrap_or(u64::MAX)),
            Kind::Http1 { connection, .. } => connection.size_hint(),
            Kind::Http2 { stream, .. } => stream.size_hint(),
            Kind::Process(held) => held.0.size_hint(),
            Kind::Limited(limited) => limited.0.size_hint(),
            Kind::Upgraded(_) => SizeHint::with_exact(0),
        }
    }
}
