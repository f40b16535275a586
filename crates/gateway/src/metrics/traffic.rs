//! The numbers of requests, for whoever draws them: all threads together, one entry a route.

use std::collections::BTreeMap;

use super::Metrics;
use super::histogram::Total;
use super::refused::{self, RefusedAt};
use super::requests::{RowCounts, RowLabels};

/// What was counted of a route since the gateway has started, or of a domain's requests without a route.
/// No number ever falls.
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
        let workers = self.requests().workers();
        let mut rows: BTreeMap<usize, RowTraffic> = BTreeMap::new();
        for (position, counts) in workers.iter().flat_map(|worker| worker.rows()) {
            rows.entry(position).or_default().add(counts);
        }
        // After the numbers: a row has its labels before anything is counted in it.
        let labels = self.requests().labels();
        let labelled = rows.into_iter().filter_map(|(position, mut row)| {
            row.labels = labels.get(position)?.clone();
            Some(row)
        });
        labelled.collect()
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
