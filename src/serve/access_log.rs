//! Begins the access log of a configuration.

use anyhow::Context;
use claimgate_config::snapshot::{AccessLogFormat, AccessLogOutput, AccessLogSettings};
use claimgate_gateway::Metrics;
use claimgate_gateway::access_log::{AccessLog, Format, Output};

use crate::logging;

/// Begins the access log; `log_format` is that of the other lines on standard error. `CLAIMGATE_LOG` picks
/// the lines that go there.
pub fn start(
    settings: &AccessLogSettings,
    log_format: logging::Format,
    metrics: &Metrics,
) -> anyhow::Result<AccessLog> {
    let output = match &settings.output {
        AccessLogOutput::None => return Ok(AccessLog::off()),
        AccessLogOutput::Log if !is_enabled() => return Ok(AccessLog::off()),
        AccessLogOutput::Log => Output::stream(std::io::stderr()),
        AccessLogOutput::Stdout => Output::stream(std::io::stdout()),
        AccessLogOutput::File(path) => Output::file(path),
    };
    let output = output.with_context(|| match &settings.output {
        AccessLogOutput::File(path) => format!("cannot open the access log {}", path.display()),
        _ => "cannot open the access log".to_owned(),
    })?;
    let format = match (settings.format, &settings.output, log_format) {
        (AccessLogFormat::Text, _, _) => Format::Text,
        (AccessLogFormat::Default, AccessLogOutput::Log, logging::Format::Text) => Format::Text,
        _ => Format::Json,
    };
    AccessLog::start(output, format, metrics.access_log()).context("cannot start the access log")
}

fn is_enabled() -> bool {
    tracing::enabled!(target: "claimgate_gateway::access_log", tracing::Level::INFO)
}
