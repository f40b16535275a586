//! What is counted. The label `domain` takes the names of the configuration.

use std::sync::atomic::AtomicI64;
use std::time::SystemTime;

use claimgate_config::certificate::Certificate;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The counters of TLS.
#[derive(Debug, Default, Clone)]
pub struct Metrics {
    handshakes: Family<ResultLabel, Counter>,
    updates: Family<UpdateLabels, Counter>,
    not_after: Family<DomainLabel, Gauge<i64, AtomicI64>>,
    is_current: Family<DomainLabel, Gauge<i64, AtomicI64>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DomainLabel {
    domain: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UpdateLabels {
    domain: String,
    result: &'static str,
}

impl Metrics {
    /// Names the metrics in a registry.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("tls");
        registry.register(
            "handshakes",
            "TLS handshakes by result (completed, resumed, no_server_name, unknown_server_name, no_certificate, acme_challenge, timeout, failed)",
            self.handshakes.clone(),
        );
        registry.register(
            "certificate_updates",
            "Certificates that were to be taken over, by domain and result (good, refused)",
            self.updates.clone(),
        );
        registry.register(
            "certificate_not_after_timestamp_seconds",
            "When a domain's certificate expires, in seconds since the Unix epoch",
            self.not_after.clone(),
        );
        registry.register(
            "certificate_is_current",
            "1 when a domain's certificate is the one that was read last, 0 when the last good one stays because of an error",
            self.is_current.clone(),
        );
    }

    /// Counts a handshake.
    pub fn count_handshake(&self, result: &'static str) {
        self.handshakes.get_or_create(&ResultLabel { result }).inc();
    }

    pub(crate) fn count_update(&self, domain: &str, is_good: bool) {
        let result = if is_good { "good" } else { "refused" };
        self.updates.get_or_create(&UpdateLabels { domain: domain.to_owned(), result }).inc();
        self.note_current(domain, is_good);
    }

    /// Notes the certificate that a domain has now.
    pub(crate) fn note_certificate(&self, domain: &str, certificate: &Certificate) {
        let not_after = certificate.not_after().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let gauge = self.not_after.get_or_create_owned(&DomainLabel { domain: domain.to_owned() });
        gauge.set(i64::try_from(not_after.as_secs()).unwrap_or(i64::MAX));
        self.note_current(domain, true);
    }

    /// Forgets all certificates, some of which may no longer be configured; counters stay.
    pub(crate) fn forget_certificates(&self) {
        self.not_after.clear();
        self.is_current.clear();
    }

    fn note_current(&self, domain: &str, is_current: bool) {
        let label = DomainLabel { domain: domain.to_owned() };
        self.is_current.get_or_create_owned(&label).set(is_current.into());
    }
}
