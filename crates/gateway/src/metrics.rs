//! What is counted. Labels take values from the configuration and from closed sets of words, never from
//! requests, so that their number is bounded.

use std::sync::atomic::AtomicI64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The gateway's counters.
#[derive(Debug, Default, Clone)]
pub struct Metrics {
    requests: Family<RequestLabels, Counter>,
    claims_not_forwarded: Family<DomainLabel, Counter>,
    loads: Family<LoadLabel, Counter>,
    configuration_is_current: Gauge<i64, AtomicI64>,
    remote_keys: claimgate_remote_keys::Metrics,
    tls: claimgate_tls::Metrics,
    token_cache: TokenCacheMetrics,
    slow_signatures: SlowSignatureMetrics,
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
struct RequestLabels {
    domain: String,
    outcome: &'static str,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DomainLabel {
    domain: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LoadLabel {
    result: &'static str,
}

impl Metrics {
    /// Names the metrics in a registry.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("claimgate");
        registry.register(
            "requests",
            "Requests by custom domain, outcome (accepted, refused, failed) and reason",
            self.requests.clone(),
        );
        registry.register(
            "claims_not_forwarded",
            "Claims that the position they are mapped to cannot carry",
            self.claims_not_forwarded.clone(),
        );
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
            "configuration_loads",
            "Configurations that were read, by result (good, refused)",
            self.loads.clone(),
        );
        registry.register(
            "configuration_is_current",
            "1 when the configuration as it is written is in use, 0 when the last good one stays because of an error",
            self.configuration_is_current.clone(),
        );
        self.remote_keys.register(registry);
        self.tls.register(registry);
    }

    /// The counters of the tokens that were verified before.
    pub(crate) fn token_cache(&self) -> TokenCacheMetrics {
        self.token_cache.clone()
    }

    /// The counters of signatures that are slow to verify.
    pub(crate) fn slow_signatures(&self) -> SlowSignatureMetrics {
        self.slow_signatures.clone()
    }

    /// Counts a request; `domain` is the configured name, or nothing when no domain was found.
    pub(crate) fn count_request(&self, domain: &str, outcome: &'static str, reason: &'static str) {
        self.requests(domain, outcome, reason).inc();
    }

    /// The counter of such requests.
    pub(crate) fn requests(&self, domain: &str, outcome: &'static str, reason: &'static str) -> Counter {
        let labels = RequestLabels { domain: domain.to_owned(), outcome, reason };
        self.requests.get_or_create_owned(&labels)
    }

    pub(crate) fn count_claim_not_forwarded(&self, domain: &str) {
        self.claims_not_forwarded.get_or_create(&DomainLabel { domain: domain.to_owned() }).inc();
    }

    /// The counters of remote keys.
    pub fn remote_keys(&self) -> &claimgate_remote_keys::Metrics {
        &self.remote_keys
    }

    /// The counters of TLS.
    pub fn tls(&self) -> &claimgate_tls::Metrics {
        &self.tls
    }

    /// Notes whether a configuration was taken over.
    pub fn note_configuration(&self, is_good: bool) {
        let result = if is_good { "good" } else { "refused" };
        self.loads.get_or_create(&LoadLabel { result }).inc();
        self.configuration_is_current.set(i64::from(is_good));
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
