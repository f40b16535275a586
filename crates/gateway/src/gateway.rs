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
    rows: HeldRows,
}

/// Where requests are counted, by the number of their domain. Dropping it releases the rows.
#[derive(Debug)]
struct HeldRows {
    domains: Vec<DomainRows>,
    requests: Arc<Requests>,
}

#[derive(Debug, Default)]
struct DomainRows {
    without_route: Option<Row>,
    /// By the number of the route.
    routes: Vec<Row>,
}

/// Which requests of a domain are counted apart from those of others; beyond `limits.countedRoutes` not all are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// All.
    Yes,
    /// Those of some routes.
    InPart,
    /// None.
    No,
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
        let rows = HeldRows::of(&snapshot, metrics);
        let generation = GENERATIONS.fetch_add(1, Ordering::Relaxed);
        Self { snapshot, remote_keys, certificates, processes, generation, rows }
    }

    /// Where a request is counted.
    pub(crate) fn row(&self, domain: Option<&Domain>, route: Option<&Route>) -> Row {
        let Some(domain) = domain else {
            return Row::NO_DOMAIN;
        };
        let row = self.rows.domains.get(domain.number).and_then(|rows| match route {
            Some(route) => rows.routes.get(route.number),
            None => rows.without_route.as_ref(),
        });
        row.copied().unwrap_or(Row::OTHERS)
    }

    fn rows_not_counted(&self) -> usize {
        self.rows.all().filter(|row| *row == Row::OTHERS).count()
    }

    /// Whether the requests of a domain are counted apart from those of others.
    pub fn counted(&self, domain: &Domain) -> Counted {
        let rows: Vec<Row> =
            self.rows.domains.get(domain.number).map(|rows| rows.all().collect()).unwrap_or_default();
        match rows.iter().filter(|row| **row != Row::OTHERS).count() {
            0 => Counted::No,
            counted if counted < rows.len() => Counted::InPart,
            _ => Counted::Yes,
        }
    }
}

impl HeldRows {
    fn of(snapshot: &Snapshot, metrics: &Metrics) -> Self {
        let mut left = snapshot.gateway.limits.counted_routes;
        // By number, so that it does not depend on chance which ones are within the limit.
        let mut numbered = vec![None; snapshot.domains.numbers()];
        for domain in snapshot.domains.iter() {
            if let Some(place) = numbered.get_mut(domain.number) {
                *place = Some(domain);
            }
        }
        let mut hold = |labels| {
            if left == 0 {
                return Row::OTHERS;
            }
            left -= 1;
            metrics.requests().hold(labels)
        };
        let rows = |domain: Option<&Arc<Domain>>| {
            domain.map(|domain| DomainRows::of(domain, &mut hold)).unwrap_or_default()
        };
        let domains = numbered.into_iter().map(rows).collect();
        Self { domains, requests: Arc::clone(metrics.requests()) }
    }

    fn all(&self) -> impl Iterator<Item = Row> {
        self.domains.iter().flat_map(DomainRows::all)
    }
}

impl Drop for HeldRows {
    fn drop(&mut self) {
        self.requests.release(self.all());
    }
}

impl DomainRows {
    fn all(&self) -> impl Iterator<Item = Row> {
        self.routes.iter().chain(&self.without_route).copied()
    }

    fn of(domain: &Domain, hold: &mut impl FnMut(RowLabels) -> Row) -> Self {
        let mut row = |route: &str, function: &str| {
            let [domain, route, function] = [&domain.name, route, function].map(str::to_owned);
            hold(RowLabels { domain, route, function })
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
        metrics.note_serving(serving.generation, serving.rows_not_counted());
        Self { serving: ArcSwap::from_pointee(serving), metrics, access_log, spans }
    }

    /// What requests are served with now.
    pub fn serving(&self) -> Arc<Serving> {
        self.serving.load_full()
    }

    /// Serves requests that arrive from now on with another configuration.
    pub fn replace(&self, serving: Serving) {
        self.metrics.note_serving(serving.generation, serving.rows_not_counted());
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
