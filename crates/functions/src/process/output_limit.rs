//! How much of what a function prints is logged.
//!
//! What is beyond is read and dropped, so that the function does not wait, and counted.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::metrics::FunctionMetrics;

/// Lines a second of a function, all instances together.
const LINES: Rate = Rate { per_second: 200, burst: 2000 };

/// Bytes a second of a function, all instances together.
const BYTES: Rate = Rate { per_second: 64 * 1024, burst: 1024 * 1024 };

/// How often it is logged at most how much was dropped.
const NOTICE: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy)]
struct Rate {
    per_second: u64,
    burst: u64,
}

/// The limit of one function.
#[derive(Debug)]
pub(super) struct OutputLimit {
    function: String,
    state: Mutex<State>,
    metrics: FunctionMetrics,
}

#[derive(Debug)]
struct State {
    lines: Allowance,
    bytes: Allowance,
    dropped: Dropped,
    /// Whether a task is going to log what was dropped.
    is_noticed: bool,
}

/// What was not logged since it was last said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Dropped {
    lines: u64,
    bytes: u64,
}

/// What may still be logged: it grows with time, up to a burst.
#[derive(Debug)]
struct Allowance {
    rate: Rate,
    /// In parts of 1/1,000,000.
    left: u64,
    refilled: Instant,
}

const PARTS: u64 = 1_000_000;

impl OutputLimit {
    pub(super) fn new(function: &str, metrics: &FunctionMetrics) -> Self {
        let now = Instant::now();
        let state = State {
            lines: Allowance::full(LINES, now),
            bytes: Allowance::full(BYTES, now),
            dropped: Dropped::default(),
            is_noticed: false,
        };
        Self { function: function.to_owned(), state: Mutex::new(state), metrics: metrics.clone() }
    }

    /// Whether a line of so many bytes is logged. One that is not is counted.
    pub(super) fn admits(self: &Arc<Self>, bytes: usize) -> bool {
        let mut state = self.lock();
        if state.admits(bytes as u64, Instant::now()) {
            return true;
        }
        self.metrics.dropped_lines.inc();
        self.metrics.dropped_bytes.inc_by(bytes as u64);
        if !std::mem::replace(&mut state.is_noticed, true) {
            let limit = Arc::downgrade(self);
            tokio::spawn(async move {
                sleep(NOTICE).await;
                // Where the function is gone, it was said when it went.
                if let Some(limit) = limit.upgrade() {
                    limit.say();
                }
            });
        }
        false
    }

    fn say(&self) {
        let dropped = {
            let mut state = self.lock();
            state.is_noticed = false;
            std::mem::take(&mut state.dropped)
        };
        if dropped != Dropped::default() {
            let Dropped { lines, bytes } = dropped;
            tracing::warn!(
                function = self.function,
                lines,
                bytes,
                "function output dropped: at most {} lines and {} KiB a second of it are logged",
                LINES.per_second,
                BYTES.per_second / 1024
            );
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OutputLimit {
    fn drop(&mut self) {
        self.say();
    }
}

impl State {
    fn admits(&mut self, bytes: u64, now: Instant) -> bool {
        self.lines.refill(now);
        self.bytes.refill(now);
        let is_admitted = self.lines.has(1) && self.bytes.has(bytes);
        if is_admitted {
            self.lines.take(1);
            self.bytes.take(bytes);
        } else {
            self.dropped.lines += 1;
            self.dropped.bytes += bytes;
        }
        is_admitted
    }
}

impl Allowance {
    fn full(rate: Rate, now: Instant) -> Self {
        Self { rate, left: rate.burst * PARTS, refilled: now }
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.refilled).as_micros();
        let passed = u64::try_from(passed).unwrap_or(u64::MAX);
        // A microsecond at a rate of one a second is one part.
        let more = passed.saturating_mul(self.rate.per_second);
        self.left = self.left.saturating_add(more).min(self.rate.burst * PARTS);
        self.refilled += Duration::from_micros(passed);
    }

    fn has(&self, amount: u64) -> bool {
        self.left >= amount * PARTS
    }

    fn take(&mut self, amount: u64) {
        self.left = self.left.saturating_sub(amount * PARTS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(now: Instant) -> State {
        let (lines, bytes) = (Allowance::full(LINES, now), Allowance::full(BYTES, now));
        State { lines, bytes, dropped: Dropped::default(), is_noticed: false }
    }

    fn admitted(state: &mut State, lines: u64, bytes: u64, now: Instant) -> u64 {
        (0..lines).filter(|_| state.admits(bytes, now)).count() as u64
    }

    #[test]
    fn a_burst_and_then_the_rate_are_logged_and_the_rest_is_counted() {
        let start = Instant::now();
        let mut state = state(start);
        assert_eq!(admitted(&mut state, 100_000, 2, start), LINES.burst);
        assert_eq!(state.dropped, Dropped { lines: 98_000, bytes: 196_000 });
        for second in 1..=10 {
            let now = start + Duration::from_secs(second);
            assert_eq!(admitted(&mut state, 100_000, 2, now), LINES.per_second, "{second}");
        }
        let later = start + Duration::from_secs(3600);
        assert_eq!(admitted(&mut state, 100_000, 2, later), LINES.burst);
    }

    #[test]
    fn long_lines_are_bounded_by_their_bytes() {
        let start = Instant::now();
        let mut state = state(start);
        assert_eq!(admitted(&mut state, 1000, 8192, start), BYTES.burst / 8192);
        let now = start + Duration::from_secs(1);
        assert_eq!(admitted(&mut state, 1000, 8192, now), BYTES.per_second / 8192);
    }

    #[test]
    fn time_in_small_pieces_counts_like_time_in_one() {
        let start = Instant::now();
        let mut state = state(start);
        admitted(&mut state, 100_000, 0, start);
        let pieces = (1..=1_000_u64).map(|piece| start + Duration::from_micros(piece * 1_000 + piece % 7));
        let lines: u64 = pieces.map(|now| admitted(&mut state, 10, 0, now)).sum();
        assert_eq!(lines, LINES.per_second);
    }
}
