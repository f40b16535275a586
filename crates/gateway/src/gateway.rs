//! What all connections share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use claimgate_config::Snapshot;
use claimgate_remote_keys::RemoteKeySources;

use crate::metrics::Metrics;

/// What is served now, and what is counted.
#[derive(Debug)]
pub struct Gateway {
    serving: ArcSwap<Serving>,
    metrics: Metrics,
}

/// What a request is served with, from its start to its end.
#[derive(Debug)]
pub struct Serving {
    /// The configuration.
    pub snapshot: Snapshot,
    /// The keys of its [`remote_key_sources`](Snapshot::remote_key_sources), which change meanwhile.
    pub remote_keys: RemoteKeySources,
    /// Differs from that of every other.
    pub(crate) generation: u64,
}

impl Serving {
    /// A configuration and the keys of its remote sources.
    pub fn new(snapshot: Snapshot, remote_keys: RemoteKeySources) -> Self {
        static GENERATIONS: AtomicU64 = AtomicU64::new(0);
        Self { snapshot, remote_keys, generation: GENERATIONS.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Gateway {
    /// A gateway that serves this until it is given another.
    pub fn new(serving: Serving, metrics: Metrics) -> Self {
        Self { serving: ArcSwap::from_pointee(serving), metrics }
    }

    /// What requests are served with now.
    pub fn serving(&self) -> Arc<Serving> {
        self.serving.load_full()
    }

    /// Serves requests that arrive from now on with another configuration.
    pub fn replace(&self, serving: Serving) {
        self.serving.store(Arc::new(serving));
    }

    /// The gateway's counters.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}
