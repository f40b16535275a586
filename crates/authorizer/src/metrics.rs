//! What can be counted.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Default)]
pub(crate) struct Metrics {
    pub(crate) argon2_runs: Counter,
    pub(crate) published_keys: Gauge,
    token_requests: Family<TokenRequest, Counter>,
    reloads: Family<Reload, Gauge>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TokenRequest {
    outcome: &'static str,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reload {
    what: &'static str,
}

impl Metrics {
    pub(crate) fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix("claimgate_authorizer");
        registry.register(
            "argon2_runs",
            "Passwords that were hashed to verify them",
            self.argon2_runs.clone(),
        );
        registry.register("published_keys", "Keys in jwks.json", self.published_keys.clone());
        registry.register(
            "token_requests",
            "Requests for tokens by outcome and reason",
            self.token_requests.clone(),
        );
        registry.register(
            "last_reload_good",
            "Whether the last change of users, keys or tls was taken over",
            self.reloads.clone(),
        );
        registry
    }

    pub(crate) fn count_token_request(&self, outcome: &'static str, reason: &'static str) {
        self.token_requests.get_or_create(&TokenRequest { outcome, reason }).inc();
    }

    pub(crate) fn note_reload(&self, what: &'static str, is_good: bool) {
        self.reloads.get_or_create(&Reload { what }).set(i64::from(is_good));
    }
}
