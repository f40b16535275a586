//! Bodies of requests: bounded in bytes and time, each and in all.
//!
//! A body is read when it is known who sends it. Of what an unknown client sends no more is kept than a form of
//! the sign-in; the rest is read past, so that the client gets its answer rather than a connection that is reset.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::StatusCode;
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::answer::ErrorAnswer;

/// The most that is kept of a body whose sender is not known.
pub const UNKNOWN_SENDER: usize = 64 * 1024;

/// What all bodies may take that are held at one time: two of the largest.
const HELD_AT_ONCE: usize = 128 * 1024 * 1024;

/// A body that takes longer does not come from a program that works.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// How much of a body that is not wanted is read past, and for how long.
const READ_PAST: usize = 2 * 1024 * 1024;
const READ_PAST_TIMEOUT: Duration = Duration::from_secs(2);

/// The least that is asked for when the length of a body is not known before.
const FIRST_PIECE: usize = 16 * 1024;

/// The memory for bodies, which all requests share.
#[derive(Debug, Clone)]
pub struct Bodies(Arc<Semaphore>);

/// A body, and its share of the memory until that is dropped.
#[derive(Debug)]
pub struct Held {
    /// The whole body.
    pub bytes: Bytes,
    /// Its share.
    pub memory: Share,
}

/// A share of the memory for bodies.
#[derive(Debug)]
pub struct Share(
    #[expect(dead_code, reason = "it is given back when it is dropped")] Option<OwnedSemaphorePermit>,
);

/// A body that is being read.
struct Reading {
    bytes: Vec<u8>,
    share: Option<OwnedSemaphorePermit>,
    most_bytes: usize,
}

impl Default for Bodies {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(HELD_AT_ONCE)))
    }
}

impl Bodies {
    /// The whole body, whether its length was sent before or it comes in chunks; `seen` gets each piece.
    ///
    /// # Errors
    ///
    /// When it is too large, does not come in time, or there is no memory for it at the moment.
    pub async fn read(
        &self,
        mut body: Body,
        most_bytes: usize,
        seen: impl FnMut(&[u8]) + Send,
    ) -> Result<Held, ErrorAnswer> {
        let read = match timeout(READ_TIMEOUT, self.pieces(&mut body, most_bytes, seen)).await {
            Ok(read) => read,
            Err(_) => {
                let message = "the body of the request did not come in time";
                return Err(ErrorAnswer::new(StatusCode::REQUEST_TIMEOUT, "RequestTimeout", message));
            }
        };
        if read.is_err() {
            read_past(body).await;
        }
        read
    }

    async fn pieces(
        &self,
        body: &mut Body,
        most_bytes: usize,
        mut seen: impl FnMut(&[u8]) + Send,
    ) -> Result<Held, ErrorAnswer> {
        let mut reading = Reading { bytes: Vec::new(), share: None, most_bytes };
        if let Some(length) = body.size_hint().exact() {
            self.make_room(&mut reading, usize::try_from(length).unwrap_or(usize::MAX))?;
        }
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| ErrorAnswer::invalid("the body of the request broke off"))?;
            let Ok(piece) = frame.into_data() else { continue };
            self.make_room(&mut reading, piece.len())?;
            seen(&piece);
            reading.bytes.extend_from_slice(&piece);
        }
        Ok(Held { bytes: reading.bytes.into(), memory: Share(reading.share) })
    }

    /// Takes memory for so many bytes more, at least as much again as there is, so that a body is seldom moved.
    fn make_room(&self, reading: &mut Reading, more: usize) -> Result<(), ErrorAnswer> {
        let Reading { bytes, share, most_bytes } = reading;
        let needed = bytes.len().saturating_add(more);
        if needed > *most_bytes {
            let message = format!("the body is larger than {most_bytes} bytes");
            return Err(ErrorAnswer::new(StatusCode::PAYLOAD_TOO_LARGE, "EntityTooLarge", message));
        }
        let room = share.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        if needed <= room {
            return Ok(());
        }
        let grown = if room == 0 { needed } else { needed.max(2 * room).max(FIRST_PIECE).min(*most_bytes) };
        let added = u32::try_from(grown - room).unwrap_or(u32::MAX);
        let Ok(permit) = Arc::clone(&self.0).try_acquire_many_owned(added) else {
            let message = "too many large requests are being read at this moment; try again";
            return Err(ErrorAnswer::new(StatusCode::SERVICE_UNAVAILABLE, "ResourceThrottled", message));
        };
        match share {
            Some(share) => share.merge(permit),
            None => *share = Some(permit),
        }
        bytes.reserve_exact(grown - bytes.len());
        Ok(())
    }
}

/// Reads on without keeping anything. A connection that is closed over unread bytes is reset, which can take the
/// answer from a client that still sends.
pub async fn read_past(mut body: Body) {
    let reading = async {
        let mut left = READ_PAST;
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                return;
            }
        }
    };
    // What is left then ends with the connection.
    let _ = timeout(READ_PAST_TIMEOUT, reading).await;
}

#[cfg(test)]
mod tests;
