//! A limit on silence.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// Measures how long a piece has been awaited. Time in which nobody asks for a piece does not count.
#[derive(Debug)]
pub(crate) struct IdleTimer {
    limit: Duration,
    /// Made when a piece is first awaited: most bodies are there at once.
    alarm: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl IdleTimer {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { limit, alarm: None, waiting: false }
    }

    /// To be called when a piece has come.
    pub(crate) fn stop(&mut self) {
        self.waiting = false;
    }

    /// To be called when no piece is there; ready when the limit has passed since the first such call.
    pub(crate) fn poll_elapsed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let limit = self.limit;
        let alarm = self.alarm.get_or_insert_with(|| {
            self.waiting = true;
            Box::pin(sleep(limit))
        });
        if !self.waiting {
            alarm.as_mut().reset(Instant::now() + limit);
            self.waiting = true;
        }
        ready!(alarm.as_mut().poll(context));
        self.waiting = false;
        Poll::Ready(())
    }
}
