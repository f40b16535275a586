//! What is counted. The label `source` takes the values of the configuration.

use std::sync::atomic::AtomicI64;
use std::time::SystemTime;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The counters of all sources.
#[derive(Debug, Default, Clone)]
pub struct Metrics {
    fetches: Family<ResultLabels, Counter>,
    waits: Family<ResultLabels, Counter>,
    last_success: Family<SourceLabel, Gauge<i64, AtomicI64>>,
    keys: Family<SourceLabel, Gauge<i64, AtomicI64>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    source: String,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceLabel {
    source: String,
}

impl Metrics {
    /// Names the metrics in a registry.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("remote_keys");
        registry.register(
            "fetches",
            "Fetches of a key set by result: changed, unchanged, or why it failed",
            self.fetches.clone(),
        );
        registry.register(
            "waits",
            "Requests that waited for a fetch, by whether it brought other keys (changed, unchanged)",
            self.waits.clone(),
        );
        registry.register(
            "last_success_timestamp_seconds",
            "When a key set was fetched last, in seconds since the Unix epoch",
            self.last_success.clone(),
        );
        registry.register("usable", "Keys that tokens are verified with", self.keys.clone());
    }

    pub(crate) fn count_fetch(&self, source: &str, result: &'static str) {
        self.fetches.get_or_create(&ResultLabels { source: source.to_owned(), result }).inc();
    }

    pub(crate) fn count_wait(&self, source: &str, is_changed: bool) {
        let result = if is_changed { "changed" } else { "unchanged" };
        self.waits.get_or_create(&ResultLabels { source: source.to_owned(), result }).inc();
    }

    /// Notes what a source has now.
    pub(crate) fn note_keys(&self, source: &str, keys: usize, fetched_at: Option<SystemTime>) {
        let label = SourceLabel { source: source.to_owned() };
        self.keys.get_or_create(&label).set(i64::try_from(keys).unwrap_or(i64::MAX));
        if let Some(since) = fetched_at.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok()) {
            self.last_success.get_or_create(&label).set(i64::try_from(since.as_secs()).unwrap_or(i64::MAX));
        }
    }

    /// Forgets what a source has, once it is no longer configured; its counters stay.
    pub(crate) fn forget(&self, source: &str) {
        let label = SourceLabel { source: source.to_owned() };
        self.keys.remove(&label);
        self.last_success.remove(&label);
    }
}
