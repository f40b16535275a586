//! Begins the export of spans.

use std::env;

use anyhow::{Context, anyhow};
use claimgate_config::environment;
use claimgate_config::snapshot::{Function, FunctionTarget, Source, TracingSettings};
use claimgate_functions::Functions;
use claimgate_gateway::Metrics;
use claimgate_gateway::spans::{Collector, HeaderMap, HeaderName, HeaderValue, Spans};
use percent_encoding::percent_decode_str;

/// Credentials for the collector, which are no part of a configuration (OpenTelemetry's specification of
/// the exporter).
const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";

/// The name under which spans are shown.
const SERVICE: &str = "OTEL_SERVICE_NAME";

/// Begins to export, when there is somewhere to export to.
pub fn start(settings: Option<&TracingSettings>, metrics: &Metrics) -> anyhow::Result<Spans> {
    let Some(TracingSettings { collector, base_path, sampled_per_million }) = settings else {
        return Ok(Spans::off());
    };
    let host = collector.authority().map_or("", |authority| authority.as_str());
    let target = FunctionTarget::Url { origin: collector.clone(), base_path: base_path.clone() };
    let credentials = environment::var_os(HEADERS).unwrap_or_default();
    let credentials = credentials.into_string().unwrap_or_default();
    let collector = Collector {
        function: Function { name: "otlpEndpoint".to_owned(), target, source: Source::internal() },
        host: HeaderValue::from_str(host).context("the host of gateway.tracing.otlpEndpoint is not valid")?,
        headers: headers(&credentials)?,
        service: env::var(SERVICE).unwrap_or_else(|_| "claimgate".to_owned()),
    };
    let functions = Functions::new().context("cannot prepare the connection to the collector")?;
    Spans::start(collector, functions, *sampled_per_million, metrics.spans())
        .context("cannot start the export of spans")
}

/// `name=value` with commas between them; values are percent-encoded.
fn headers(text: &str) -> anyhow::Result<HeaderMap> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            // Not quoted: it may be a password.
            let wrong = || anyhow!("{HEADERS} has to be name=value, with commas in between");
            let (name, value) = pair.split_once('=').ok_or_else(wrong)?;
            let value: Vec<u8> = percent_decode_str(value.trim()).collect();
            let mut value = HeaderValue::from_bytes(&value).map_err(|_| wrong())?;
            value.set_sensitive(true);
            Ok((name.trim().parse::<HeaderName>().map_err(|_| wrong())?, value))
        })
        .collect()
}
