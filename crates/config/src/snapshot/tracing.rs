//! Where spans are exported to.
use http::Uri;

/// `gateway.tracing`: how requests are traced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TracingSettings {
    /// `otlpEndpoint`: scheme and authority of the collector, with the path `/`.
    pub collector: Uri,
    /// The path of `otlpEndpoint`, put before OTLP's own; it never ends with a slash.
    pub base_path: String,
    /// `sampleRatio`: how many of a million requests are sampled whose client has not decided it.
    pub sampled_per_million: u32,
}
