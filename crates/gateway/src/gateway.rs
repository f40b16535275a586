//! What all connections share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use claimgate_config::Snapshot;
use claimgate_config::snapshot::Domain;
use claimgate_remote_keys::RemoteKeySources;
use claimgate_tls::Certificates;
use prometheus_client::metrics::counter::Counter;

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
    /// What its domains are served with over HTTPS, which changes meanwhile too.
    pub certificates: Certificates,
    /// Differs from that of every other.
    pub(crate) generation: u64,
    /// Counters of accepted requests by domain, each found when it is first needed.
    accepted: Vec<OnceLock<Counter>>,
}

impl Serving {
    /// A configuration, the keys of its remote sources and the certificates of its domains.
    pub fn new(snapshot: Snapshot, remote_keys: RemoteKeySources, certificates: Certificates) -> Self {
        static GENERATIONS: AtomicU64 = AtomicU64::new(0);
        let accepted = std::iter::repeat_with(OnceLock::new).take(snapshot.domains.len()).collect();
        let generation = GENERATIONS.fetch_add(1, Ordering::Relaxed);
        Self { snapshot, remote_keys, certificates, generation, accepted }
    }

    /// Counts an accepted request without a look into the table of counters, which all threads share.
    pub(crate) fn count_accepted(&self, domain: &Domain, metrics: &Metrics) {
        if let Some(counter) = self.accepted.get(domain.number) {
            counter.get_or_init(|| metrics.requests(&domain.name, "accepted", "")).inc();
        }
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
