//! What is counted of processes. The label `function` takes the names of the configuration.

use std::sync::atomic::AtomicI64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

type CounterFamily = Family<FunctionLabel, Counter>;
type GaugeFamily = Family<FunctionLabel, Gauge<i64, AtomicI64>>;

/// The counters of all process functions.
#[derive(Debug, Default, Clone)]
pub struct ProcessMetrics {
    instances: GaugeFamily,
    waiting: GaugeFamily,
    starts: CounterFamily,
    start_failures: CounterFamily,
    crashes: CounterFamily,
    dropped_lines: CounterFamily,
    dropped_bytes: CounterFamily,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FunctionLabel {
    function: String,
}

/// The counters of one function.
#[derive(Debug, Clone)]
pub(super) struct FunctionMetrics {
    pub(super) instances: Gauge<i64, AtomicI64>,
    pub(super) waiting: Gauge<i64, AtomicI64>,
    pub(super) starts: Counter,
    pub(super) start_failures: Counter,
    pub(super) crashes: Counter,
    pub(super) dropped_lines: Counter,
    pub(super) dropped_bytes: Counter,
}

impl ProcessMetrics {
    /// Names the metrics in a registry.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("function");
        registry.register(
            "instances",
            "Processes of a function, those that start and stop included",
            self.instances.clone(),
        );
        registry.register(
            "waiting_requests",
            "Requests that wait for room on an instance of a function",
            self.waiting.clone(),
        );
        registry.register("cold_starts", "Instances of a function that were started", self.starts.clone());
        registry.register(
            "start_failures",
            "Instances of a function that did not become ready",
            self.start_failures.clone(),
        );
        registry.register(
            "crashes",
            "Instances of a function that were ready and ended by themselves",
            self.crashes.clone(),
        );
        registry.register(
            "output_dropped_lines",
            "Lines of a function's output that were not logged, as there were too many",
            self.dropped_lines.clone(),
        );
        registry.register(
            "output_dropped_bytes",
            "Bytes of a function's output that were not logged, as there were too many",
            self.dropped_bytes.clone(),
        );
    }

    pub(super) fn of(&self, function: &str) -> FunctionMetrics {
        let label = FunctionLabel { function: function.to_owned() };
        FunctionMetrics {
            instances: self.instances.get_or_create_owned(&label),
            waiting: self.waiting.get_or_create_owned(&label),
            starts: self.starts.get_or_create_owned(&label),
            start_failures: self.start_failures.get_or_create_owned(&label),
            crashes: self.crashes.get_or_create_owned(&label),
            dropped_lines: self.dropped_lines.get_or_create_owned(&label),
            dropped_bytes: self.dropped_bytes.get_or_create_owned(&label),
        }
    }
}
