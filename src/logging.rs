//! Log lines on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// How log lines are written.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum Format {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Starts logging, and gives the form of its lines. `CLAIMGATE_LOG` picks levels, as `debug` or
/// `claimgate_gateway=debug,info`.
pub fn start(format: Option<Format>) -> Format {
    let is_terminal = std::io::stderr().is_terminal();
    let format = format.unwrap_or(if is_terminal { Format::Text } else { Format::Json });
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .with_env_var("CLAIMGATE_LOG")
        .from_env_lossy();
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(is_terminal);
    match format {
        Format::Json => {
            lines.json().flatten_event(true).with_current_span(false).with_span_list(false).init()
        }
        Format::Text => lines.with_target(false).init(),
    }
    format
}
