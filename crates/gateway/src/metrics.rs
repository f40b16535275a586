//! What is counted. Labels take values from the configuration and from closed sets of words, never from
//! requests, so that their number is bounded.

mod exposition;
mod histogram;
mod refused;
mod requests;
mod traffic;

pub use histogram::Total;
pub use refused::{Refused, RefusedAt};
pub use requests::{Durations, OpenWebSocket, Requests, Row, RowLabels, WorkerCounts};
pub use traffic::RowTraffic;

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use exposition::Exposition;

/// The gateway's counters.
#[derive(Debug, Default, Clone)]
pub struct Metrics {
    requests: Arc<Requests>,
    loads: Family<LoadLabel, Counter>,
    configuration_is_current: Gauge<i64, AtomicI64>,
    configuration_generation: Gauge<i64, AtomicI64>,
    configuration_loaded_at: Gauge<i64, AtomicI64>,
    routes_not_counted: Gauge<i64, AtomicI64>,
    remote_keys: claimgate_remote_keys::Metrics,
    tls: claimgate_tls::Metrics,
    processes: claimgate_functions::ProcessMetrics,
    token_cache: TokenCacheMetrics,
    slow_signatures: SlowSignatureMetrics,
    access_log: AccessLogMetrics,
    spans: SpanMetrics,
    connections_refused: Counter,
}

/// What is counted of the export of spans, by requests.
#[derive(Debug, Default, Clone)]
pub struct SpanMetrics {
    exported: Counter,
    dropped: Counter,
}

/// What is counted of the access log.
#[derive(Debug, Default, Clone)]
pub struct AccessLogMetrics {
    dropped: Counter,
}

/// What is counted of signatures that are slow to verify, all threads together.
#[derive(Debug, Default, Clone)]
pub struct SlowSignatureMetrics {
    waiting: Gauge<i64, AtomicI64>,
    refused: Counter,
}

/// What is counted of the tokens that were verified before, all threads together.
#[derive(Debug, Default, Clone)]
pub struct TokenCacheMetrics {
    hits: Counter,
    misses: Counter,
    evictions: Counter,
    bytes: Gauge<i64, AtomicI64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LoadLabel {
    result: &'static str,
}

impl Metrics {
    /// Names the metrics in a registry.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("claimgate");
        registry.register_collector(Box::new(Exposition(Arc::clone(&self.requests))));
        let cache = &self.token_cache;
        registry.register(
            "token_cache_hits",
            "Tokens that were not verified again, as they had been before",
            cache.hits.clone(),
        );
        registry.register("token_cache_misses", "Tokens that were looked for in vain", cache.misses.clone());
        registry.register("token_cache_evictions", "Tokens that had to make room", cache.evictions.clone());
        registry.register("token_cache_bytes", "Memory that verified tokens take", cache.bytes.clone());
        registry.register(
            "slow_signatures_waiting",
            "Signatures that are slow to verify and wait for it",
            self.slow_signatures.waiting.clone(),
        );
        registry.register(
            "slow_signatures_refused",
            "Requests that were refused because too many slow signatures waited",
            self.slow_signatures.refused.clone(),
        );
        registry.register(
            "access_log_lines_dropped",
            "Lines of the access log that were lost, as they were written too slowly or could not be",
            self.access_log.dropped.clone(),
        );
        registry.register(
            "connections_refused",
            "Connections that were closed at once, as limits.connections were open",
            self.connections_refused.clone(),
        );
        let spans = &self.spans;
        registry.register(
            "spans_exported",
            "Sampled requests that a collector has taken",
            spans.exported.clone(),
        );
        registry.register(
            "spans_dropped",
            "Sampled requests that were lost, as the collector was too slow or did not take them",
            spans.dropped.clone(),
        );
        registry.register(
            "configuration_loads",
            "Configurations that were read, by result (good, refused)",
            self.loads.clone(),
        );
        registry.register(
            "configuration_is_current",
            "1 when the configuration as it is written is in use, 0 when the last good one stays because of an error",
            self.configuration_is_current.clone(),
        );
        registry.register(
            "configuration_generation",
            "Number of the configuration in use; every one that is taken over has a higher one",
            self.configuration_generation.clone(),
        );
        registry.register(
            "configuration_loaded_timestamp_seconds",
            "When the configuration in use was taken over, in seconds since the Unix epoch",
            self.configuration_loaded_at.clone(),
        );
        registry.register(
            "routes_not_counted",
            "Routes and domains beyond limits.countedRoutes, whose requests are counted together as (others)",
            self.routes_not_counted.clone(),
        );
        self.remote_keys.register(registry);
        self.tls.register(registry);
        self.processes.register(registry);
    }

    /// The counters of the tokens that were verified before.
    pub(crate) fn token_cache(&self) -> TokenCacheMetrics {
        self.token_cache.clone()
    }

    /// The counters of signatures that are slow to verify.
    pub(crate) fn slow_signatures(&self) -> SlowSignatureMetrics {
        self.slow_signatures.clone()
    }

    /// The counters of the access log.
    pub fn access_log(&self) -> AccessLogMetrics {
        self.access_log.clone()
    }

    /// The counters of the export of spans.
    pub fn spans(&self) -> SpanMetrics {
        self.spans.clone()
    }

    /// The numbers of requests and connections.
    pub(crate) fn requests(&self) -> &Arc<Requests> {
        &self.requests
    }

    /// Counts a connection for which there was no place.
    pub(crate) fn count_refused_connection(&self) {
        self.connections_refused.inc();
    }

    /// The counters of remote keys.
    pub fn remote_keys(&self) -> &claimgate_remote_keys::Metrics {
        &self.remote_keys
    }

    /// The counters of TLS.
    pub fn tls(&self) -> &claimgate_tls::Metrics {
        &self.tls
    }

    /// The counters of functions that are processes.
    pub fn processes(&self) -> &claimgate_functions::ProcessMetrics {
        &self.processes
    }

    /// Notes whether a configuration was taken over.
    pub fn note_configuration(&self, is_good: bool) {
        let result = if is_good { "good" } else { "refused" };
        self.loads.get_or_create(&LoadLabel { result }).inc();
        self.configuration_is_current.set(i64::from(is_good));
    }

    /// Notes which configuration is in use from now on.
    pub(crate) fn note_serving(&self, generation: u64, rows_not_counted: usize) {
        self.routes_not_counted.set(i64::try_from(rows_not_counted).unwrap_or(i64::MAX));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.configuration_generation.set(i64::try_from(generation).unwrap_or(i64::MAX));
        self.configuration_loaded_at.set(i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
    }
}

impl AccessLogMetrics {
    pub(crate) fn count_dropped(&self, lines: u64) {
        self.dropped.inc_by(lines);
    }
}

impl SpanMetrics {
    pub(crate) fn count_exported(&self, requests: u64) {
        self.exported.inc_by(requests);
    }

    pub(crate) fn count_dropped(&self, requests: u64) {
        self.dropped.inc_by(requests);
    }
}

impl SlowSignatureMetrics {
    pub(crate) fn note_waiting(&self) {
        self.waiting.inc();
    }

    /// Notes that one does not wait any more.
    pub(crate) fn note_taken(&self) {
        self.waiting.dec();
    }

    pub(crate) fn count_refused(&self) {
        self.refused.inc();
    }

    /// How many wait and were refused.
    #[cfg(test)]
    pub(crate) fn values(&self) -> (i64, u64) {
        (self.waiting.get(), self.refused.get())
    }
}

impl TokenCacheMetrics {
    pub(crate) fn count_look_up(&self, is_hit: bool) {
        let count = if is_hit { &self.hits } else { &self.misses };
        count.inc();
    }

    pub(crate) fn count_eviction(&self) {
        self.evictions.inc();
    }

    /// Notes that a cache has other bytes than before.
    pub(crate) fn note_growth(&self, before: u64, after: u64) {
        self.bytes.inc_by(after.cast_signed() - before.cast_signed());
    }
}
