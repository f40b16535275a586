//! How soon a function that does not work is started again.

use std::time::{Duration, Instant};

/// Starts that follow a failed one at once: a process may have been killed, or have met a passing trouble.
const TRIES_AT_ONCE: u32 = 2;

const LEAST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_secs(60);

/// Counts the instances in a row that ended without having answered a request.
#[derive(Debug, Default)]
pub(super) struct BackOff {
    failures: u32,
    until: Option<Instant>,
}

impl BackOff {
    /// To be called when an instance ended that has answered nothing.
    pub(super) fn fail(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        if let Some(doublings) = self.failures.checked_sub(TRIES_AT_ONCE + 1) {
            let delay = LEAST.saturating_mul(2_u32.saturating_pow(doublings)).min(MOST);
            self.until = Some(now + delay);
        }
    }

    /// To be called when an instance has answered a request.
    pub(super) fn succeed(&mut self) {
        *self = Self::default();
    }

    /// How long no instance may be started.
    pub(super) fn remaining(&self, now: Instant) -> Option<Duration> {
        let remaining = self.until?.saturating_duration_since(now);
        (!remaining.is_zero()).then_some(remaining)
    }

    /// Whether the next start is a try, after which it is seen whether there are to be more.
    pub(super) fn is_trying(&self) -> bool {
        self.until.is_some()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_first_failures_cost_nothing_and_the_others_twice_as_much_each() {
        let mut back_off = BackOff::default();
        let now = Instant::now();
        let mut delays = Vec::new();
        for _ in 0..10 {
            back_off.fail(now);
            delays.push(back_off.remaining(now).unwrap_or_default().as_secs());
        }
        assert_eq!(delays, [0, 0, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(back_off.remaining(now + MOST), None);
        assert!(back_off.is_trying());
    }

    #[test]
    fn an_answer_makes_everything_forgotten() {
        let mut back_off = BackOff::default();
        let now = Instant::now();
        for _ in 0..100 {
            back_off.fail(now);
        }
        assert_eq!(back_off.remaining(now).unwrap(), MOST);
        back_off.succeed();
        assert_eq!(back_off.remaining(now), None);
        assert!(!back_off.is_trying());
    }
}
