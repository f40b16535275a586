//! What all connections share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use claimgate_config::Snapshot;
use claimgate_config::snapshot::{Domain, Route};
use claimgate_functions::ProcessFunctions;
use claimgate_remote_keys::RemoteKeySources;
use claimgate_tls::Certificates;

use crate::access_log::AccessLog;
use crate::metrics::{Metrics, Requests, Row, RowLabels};
use crate::spans::Spans;

/// What is served now, and what is counted.
#[derive(Debug)]
pub struct Gateway {
    serving: ArcSwap<Serving>,
    metrics: Metrics,
    access_log: AccessLog,
    spans: Spans,
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
    /// Its functions that are processes.
    pub processes: ProcessFunctions,
    /// Differs from that of every other.
    pub(crate) generation: u64,
    /// Where requests are counted, by the number of their domain.
    rows: Vec<DomainRows>,
}

#[derive(Debug, Default)]
struct DomainRows {
    without_route: Option<Row>,
    /// By the number of the route.
    routes: Vec<Row>,
}

impl Serving {
    /// A configuration, the keys of its remote sources, the certificates of its domains and its functions that
    /// are processes.
    pub fn new(
        snapshot: Snapshot,
        remote_keys: RemoteKeySources,
        certificates: Certificates,
        processes: ProcessFunctions,
        metrics: &Metrics,
    ) -> Self {
        static GENERATIONS: AtomicU64 = AtomicU64::new(1);
        let mut rows = Vec::new();
        rows.resize_with(snapshot.domains.numbers(), DomainRows::default);
        for domain in snapshot.domains.iter() {
            if let Some(row) = rows.get_mut(domain.number) {
                *row = DomainRows::of(domain, metrics.requests());
            }
        }
        let generation = GENERATIONS.fetch_add(1, Ordering::Relaxed);
        Self { snapshot, remote_keys, certificates, processes, generation, rows }
    }

    /// Where a request is counted.
    pub(crate) fn row(&self, domain: Option<&Domain>, route: Option<&Route>) -> Row {
        let Some(domain) = domain else {
            return Row::NO_DOMAIN;
        };
        let row = self.rows.get(domain.number).and_then(|rows| match route {
            Some(route) => rows.routes.get(route.number),
            None => rows.without_route.as_ref(),
        });
        row.copied().unwrap_or(Row::OTHERS)
    }
}

impl DomainRows {
    fn of(domain: &Domain, requests: &Requests) -> Self {
        let row = |route: &str, function: &str| {
            let [domain, route, function] = [&domain.name, route, function].map(str::to_owned);
            requests.row(RowLabels { domain, route, function })
        };
        let mut routes: Vec<_> = domain.routes.iter().collect();
        routes.sort_unstable_by_key(|route| route.number);
        Self {
            without_route: Some(row("", "")),
            routes: routes.into_iter().map(|route| row(&route.path, &route.function.name)).collect(),
        }
    }
}

impl Gateway {
    /// A gateway that serves this until it is given another.
    pub fn new(serving: Serving, metrics: Metrics, access_log: AccessLog, spans: Spans) -> Self {
        metrics.note_generation(serving.generation);
        Self { serving: ArcSwap::from_pointee(serving), metrics, access_log, spans }
    }

    /// What requests are served with now.
    pub fn serving(&self) -> Arc<Serving> {
        self.serving.load_full()
    }

    /// Serves requests that arrive from now on with another configuration.
    pub fn replace(&self, serving: Serving) {
        self.metrics.note_generation(serving.generation);
        self.serving.store(Arc::new(serving));
    }

    /// Where requests are logged.
    pub fn access_log(&self) -> &AccessLog {
        &self.access_log
    }

    /// Where the spans of sampled requests go.
    pub fn spans(&self) -> &Spans {
        &self.spans
    }

    /// The gateway's counters.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}
