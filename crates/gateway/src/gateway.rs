//! What all connections share.

use std::sync::Arc;

use arc_swap::ArcSwap;
use claimgate_config::Snapshot;

use crate::metrics::Metrics;

/// The configuration that is served now, and what is counted.
#[derive(Debug)]
pub struct Gateway {
    snapshot: ArcSwap<Snapshot>,
    metrics: Metrics,
}

impl Gateway {
    /// A gateway that serves a snapshot until it is given another.
    pub fn new(snapshot: Snapshot) -> Self {
        Self { snapshot: ArcSwap::from_pointee(snapshot), metrics: Metrics::default() }
    }

    /// The snapshot that requests are served with now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Serves requests that arrive from now on with another snapshot.
    pub fn replace_snapshot(&self, snapshot: Snapshot) {
        self.snapshot.store(Arc::new(snapshot));
    }

    /// The gateway's counters.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}
