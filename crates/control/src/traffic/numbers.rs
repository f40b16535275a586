//! What happened in a time.

use std::collections::BTreeMap;

use claimgate_gateway::{RowTraffic, Total};

/// Requests of a time, or of the whole life of the gateway.
#[derive(Debug, Clone, Default)]
pub struct Numbers {
    /// A function answered.
    pub accepted: u64,
    /// For the client's fault none did.
    pub refused: u64,
    /// For the function's fault none did.
    pub failed: u64,
    /// Preflight requests, and those whose client left.
    pub others: u64,
    /// How long those took that were accepted, refused or failed.
    pub durations: Total,
    /// How long tokens took to be found and verified, all together, in seconds.
    pub verification: f64,
    /// How many were refused or failed for each reason.
    pub by_reason: BTreeMap<&'static str, u64>,
}

impl Numbers {
    /// The numbers of a route.
    pub(super) fn of(row: &RowTraffic) -> Self {
        let mut durations = row.accepted.clone();
        durations.add(&row.refused);
        durations.add(&row.failed);
        Self {
            accepted: row.accepted.count(),
            refused: row.refused.count(),
            failed: row.failed.count(),
            others: row.others,
            durations,
            verification: row.verification.seconds(),
            by_reason: row.by_reason.clone(),
        }
    }

    pub(super) fn sum(numbers: &[Self]) -> Self {
        let mut sum = Self::default();
        for more in numbers {
            sum.add(more);
        }
        sum
    }

    pub(super) fn add(&mut self, more: &Self) {
        self.accepted += more.accepted;
        self.refused += more.refused;
        self.failed += more.failed;
        self.others += more.others;
        self.durations.add(&more.durations);
        self.verification += more.verification;
        for (reason, count) in &more.by_reason {
            *self.by_reason.entry(reason).or_default() += count;
        }
    }

    /// Whether these are new counters, because some are lower than before.
    pub(super) fn is_behind(&self, earlier: &Self) -> bool {
        let pairs = [
            (self.accepted, earlier.accepted),
            (self.refused, earlier.refused),
            (self.failed, earlier.failed),
            (self.others, earlier.others),
        ];
        pairs.iter().any(|(now, before)| now < before)
    }

    /// What came since an earlier look at the same counters.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        let more = |now: u64, before: u64| now.saturating_sub(before);
        let by_reason = self.by_reason.iter().filter_map(|(reason, count)| {
            let count = more(*count, earlier.by_reason.get(reason).copied().unwrap_or_default());
            (count > 0).then_some((*reason, count))
        });
        Self {
            accepted: more(self.accepted, earlier.accepted),
            refused: more(self.refused, earlier.refused),
            failed: more(self.failed, earlier.failed),
            others: more(self.others, earlier.others),
            durations: self.durations.since(&earlier.durations),
            verification: (self.verification - earlier.verification).max(0.0),
            by_reason: by_reason.collect(),
        }
    }

    /// All of them.
    pub fn requests(&self) -> u64 {
        self.accepted + self.refused + self.failed + self.others
    }

    /// The part of the requests' time that went into verification, from 0 to 1.
    pub fn verification_share(&self) -> Option<f64> {
        let whole = self.durations.seconds();
        (whole > 0.0).then(|| (self.verification / whole).min(1.0))
    }
}
