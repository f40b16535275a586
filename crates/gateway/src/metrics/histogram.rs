//! A histogram of durations that one thread writes and others read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the buckets, in nanoseconds: from an answer out of memory to the longest timeouts. One
/// more bucket takes what is longer.
const BOUNDS: [u64; 18] = [
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
    60_000_000_000,
];

/// A number that one thread alone writes, so that no write has to be atomic with the read before it.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    pub fn add(&self, more: u64) {
        self.0.store(self.value().wrapping_add(more), Ordering::Relaxed);
    }

    pub fn subtract(&self, less: u64) {
        self.0.store(self.value().wrapping_sub(less), Ordering::Relaxed);
    }

    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How often durations fell into each bucket; written by one thread alone.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [Count; BOUNDS.len() + 1],
    nanoseconds: Count,
}

impl Histogram {
    pub fn record(&self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        // Most durations are short.
        let bucket = BOUNDS.iter().position(|bound| nanoseconds <= *bound).unwrap_or(BOUNDS.len());
        if let Some(bucket) = self.buckets.get(bucket) {
            bucket.add(1);
        }
        self.nanoseconds.add(nanoseconds);
    }
}

/// What histograms of several threads hold together.
#[derive(Debug, Clone, Default)]
pub struct Total {
    buckets: [u64; BOUNDS.len() + 1],
    nanoseconds: u64,
}

impl Total {
    /// What one histogram holds now.
    pub(super) fn of(histogram: &Histogram) -> Self {
        Self {
            buckets: std::array::from_fn(|bucket| histogram.buckets.get(bucket).map_or(0, Count::value)),
            nanoseconds: histogram.nanoseconds.value(),
        }
    }

    /// Adds what others hold.
    pub fn add(&mut self, other: &Total) {
        for (total, more) in self.buckets.iter_mut().zip(other.buckets) {
            *total += more;
        }
        self.nanoseconds = self.nanoseconds.wrapping_add(other.nanoseconds);
    }

    /// What came since an earlier look at the same histograms.
    pub fn since(&self, earlier: &Total) -> Self {
        let mut since = self.clone();
        for (bucket, before) in since.buckets.iter_mut().zip(earlier.buckets) {
            *bucket = bucket.saturating_sub(before);
        }
        since.nanoseconds = self.nanoseconds.wrapping_sub(earlier.nanoseconds);
        since
    }

    /// The duration that a share of all durations is not longer than, in seconds: as exact as the buckets are.
    /// `None` when there are no durations.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let rank = share * count as f64;
        let mut below = 0.0;
        let mut lower = 0.0;
        for (upper, in_bucket) in BOUNDS.into_iter().zip(self.buckets) {
            let upper = Duration::from_nanos(upper).as_secs_f64();
            if in_bucket > 0 && below + in_bucket as f64 >= rank {
                return Some(lower + (upper - lower) * ((rank - below) / in_bucket as f64).clamp(0.0, 1.0));
            }
            below += in_bucket as f64;
            lower = upper;
        }
        Some(lower)
    }

    /// How many durations there are.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Their sum, in seconds.
    pub fn seconds(&self) -> f64 {
        Duration::from_nanos(self.nanoseconds).as_secs_f64()
    }

    /// The upper bound of each bucket in seconds, and how many are in that bucket alone.
    pub fn buckets(&self) -> Vec<(f64, u64)> {
        let bounds = BOUNDS.iter().map(|bound| Duration::from_nanos(*bound).as_secs_f64());
        // The encoder's way of writing infinity.
        bounds.chain([f64::MAX]).zip(self.buckets).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let histogram = Histogram::default();
        for nanoseconds in [0, 50_000, 50_001, 60_000_000_000, 60_000_000_001] {
            histogram.record(Duration::from_nanos(nanoseconds));
        }
        let mut total = Total::of(&histogram);
        total.add(&Total::of(&histogram));
        let buckets = total.buckets();
        assert_eq!(buckets[..3], [(0.000_05, 4), (0.000_1, 2), (0.000_25, 0)]);
        assert_eq!(buckets[17..], [(60.0, 2), (f64::MAX, 2)]);
        assert_eq!(total.count(), 10);
        assert!((total.seconds() - 240.000_2).abs() < 1e-3, "{}", total.seconds());
    }

    #[test]
    fn quantiles_lie_within_the_bucket() {
        let histogram = Histogram::default();
        assert_eq!(Total::of(&histogram).quantile(0.5), None);
        let before = Total::of(&histogram);
        for _ in 0..90 {
            histogram.record(Duration::from_micros(80));
        }
        for _ in 0..10 {
            histogram.record(Duration::from_secs(100));
        }
        let total = Total::of(&histogram).since(&before);
        let half = total.quantile(0.5).unwrap_or_default();
        assert!((0.000_05..=0.000_1).contains(&half), "{half}");
        assert_eq!(total.quantile(0.99), Some(60.0));
        assert_eq!(Total::of(&histogram).since(&total).count(), 0);
    }
}
