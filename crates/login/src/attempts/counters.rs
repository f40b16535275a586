//! Failures by name in a table of fixed size (a count-min sketch).
//!
//! A name has one counter in each row, chosen by a hash whose key nobody knows; it is refused when all
//! of its counters say so. A map of names would have to be bounded and so to forget some: whoever
//! floods it could choose which, and so end a lock-out of his own. Here nothing is ever pushed out. A
//! flood can only raise counters that others share, which errs on the side of refusing, and to share
//! all of them by chance takes hundreds of thousands of failures within `forget_after`.
use std::hash::{BuildHasher, Hash, RandomState};
use std::time::Duration;

use super::AttemptPolicy;

const ROWS: usize = 4;
/// 65,536 counters a row, so that the four rows take all bits of a hash and 6 MiB.
const ROW_BITS: u32 = 16;

/// The wait for an attempt that others are in the way of, which are under way.
const SHORTLY: Duration = Duration::from_secs(1);

pub(super) struct Counters {
    policy: AttemptPolicy,
    row_bits: u32,
    hasher: RandomState,
    rows: [Vec<Counter>; ROWS],
}

/// Where the counters of a name are, in each row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slots([usize; ROWS]);

#[derive(Clone, Default)]
struct Counter {
    failures: u32,
    under_way: u32,
    last_failure: Duration,
}

impl Counters {
    pub(super) fn new(policy: AttemptPolicy) -> Self {
        Self::with_row_bits(policy, ROW_BITS)
    }

    /// `row_bits` are 16 at most.
    pub(super) fn with_row_bits(policy: AttemptPolicy, row_bits: u32) -> Self {
        let row = vec![Counter::default(); 1 << row_bits];
        let rows = std::array::from_fn(|_| row.clone());
        Self { policy, row_bits, hasher: RandomState::new(), rows }
    }

    pub(super) fn slots(&self, name: &impl Hash) -> Slots {
        let mut hash = self.hasher.hash_one(name);
        Slots([(); ROWS].map(|()| {
            let slot = hash & ((1 << self.row_bits) - 1);
            hash >>= ROW_BITS;
            usize::try_from(slot).unwrap_or(0)
        }))
    }

    /// How long an attempt has to wait from now on; zero when it is allowed.
    pub(super) fn wait(&self, slots: Slots, now: Duration) -> Duration {
        let counters = self.rows.iter().zip(slots.0).filter_map(|(row, slot)| row.get(slot));
        counters.map(|counter| counter.wait(&self.policy, now)).min().unwrap_or_default()
    }

    /// An attempt is under way.
    pub(super) fn begin(&mut self, slots: Slots) {
        self.each(slots, |counter| counter.under_way = counter.under_way.saturating_add(1));
    }

    /// It is no longer.
    pub(super) fn end(&mut self, slots: Slots) {
        self.each(slots, |counter| counter.under_way = counter.under_way.saturating_sub(1));
    }

    /// It failed.
    pub(super) fn fail(&mut self, slots: Slots, now: Duration) {
        let forget_after = self.policy.forget_after;
        self.each(slots, |counter| {
            counter.failures = counter.failures_at(now, forget_after).saturating_add(1);
            // Attempts end in another order than they began.
            counter.last_failure = counter.last_failure.max(now);
        });
    }

    /// Forgets the failures of a name, but not those that others have added to its counters.
    pub(super) fn forgive(&mut self, slots: Slots, now: Duration) {
        let forget_after = self.policy.forget_after;
        let counters = self.rows.iter().zip(slots.0).filter_map(|(row, slot)| row.get(slot));
        let own = counters.map(|counter| counter.failures_at(now, forget_after)).min().unwrap_or(0);
        self.each(slots, |counter| counter.failures = counter.failures.saturating_sub(own));
    }

    fn each(&mut self, slots: Slots, change: impl Fn(&mut Counter)) {
        self.rows.iter_mut().zip(slots.0).filter_map(|(row, slot)| row.get_mut(slot)).for_each(change);
    }
}

impl Counter {
    fn failures_at(&self, now: Duration, forget_after: Duration) -> u32 {
        if now.saturating_sub(self.last_failure) > forget_after { 0 } else { self.failures }
    }

    fn wait(&self, policy: &AttemptPolicy, now: Duration) -> Duration {
        let failures = self.failures_at(now, policy.forget_after);
        let wait = (self.last_failure + policy.delay_after(failures)).saturating_sub(now);
        if failures == 0 || wait.is_zero() {
            // Guesses that are sent at once must not get past the lock-out together.
            let too_many = failures.saturating_add(self.under_way) >= policy.lock_out_after;
            return if too_many && self.under_way > 0 { SHORTLY } else { Duration::ZERO };
        }
        wait
    }
}
