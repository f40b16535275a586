//! The numbers of requests, for whoever draws them: all threads together, one entry a route.

use std::collections::BTreeMap;

use super::Metrics;
use super::histogram::Total;
use super::refused::{self, RefusedAt};
use super::requests::{RowCounts, RowLabels};

/// What was counted of a route since it is configured, or of a domain's requests without a route. No number ever
/// falls, but for those of a route that was removed and comes again.
#[derive(Debug, Clone, Default)]
pub struct RowTraffic {
    /// What it is of.
    pub labels: RowLabels,
    /// How long accepted requests took.
    pub accepted: Total,
    /// How long refused requests took.
    pub refused: Total,
    /// How long requests took that failed.
    pub failed: Total,
    /// Preflight requests, and those whose client left.
    pub others: u64,
    /// How long tokens took to be found and verified.
    pub verification: Total,
    /// How often requests were refused or failed for each reason.
    pub by_reason: BTreeMap<&'static str, u64>,
}

impl Metrics {
    /// The numbers of everything that had requests.
    pub fn traffic(&self) -> Vec<RowTraffic> {
        let mut rows: BTreeMap<RowLabels, RowTraffic> = BTreeMap::new();
        for (labels, counts) in self.requests().numbers() {
            rows.entry(labels).or_default().add(&counts);
        }
        rows.into_iter().map(|(labels, row)| RowTraffic { labels, ..row }).collect()
    }

    /// The latest requests that were refused or failed, the latest first; some hundreds at most.
    pub fn latest_refused(&self) -> Vec<RefusedAt> {
        let workers = self.requests().workers();
        let threads = workers.iter().map(|worker| worker.latest_refused());
        refused::merge(threads, |row| self.requests().labels_of(row))
    }
}

impl RowTraffic {
    fn add(&mut self, counts: &RowCounts) {
        self.accepted.add(&Total::of(&counts.accepted));
        self.verification.add(&Total::of(&counts.verification));
        self.others += counts.preflights.value() + counts.clients_left.value();
        let rejected = counts.rejected();
        self.refused.add(&Total::of(&rejected.refused));
        self.failed.add(&Total::of(&rejected.failed));
        for (_, reason, count) in &rejected.by_reason {
            *self.by_reason.entry(reason).or_default() += count;
        }
    }
}
