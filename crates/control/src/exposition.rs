//! The two text formats of metrics.

use std::fmt;

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Writes all metrics: as OpenMetrics to who asks for that, as Prometheus does, and else in its older format.
/// Gives the content type and the text.
pub fn write(registry: &Registry, headers: &HeaderMap) -> Result<(&'static str, String), fmt::Error> {
    let mut text = String::new();
    encode(&mut text, registry)?;
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if accept.contains("application/openmetrics-text") {
        return Ok((OPEN_METRICS, text));
    }
    Ok((PROMETHEUS, older(&text)))
}

/// The same in the older format, where a counter is called as its samples are, and nothing marks the end.
fn older(text: &str) -> String {
    let mut older = String::with_capacity(text.len());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line == "# EOF" {
            continue;
        }
        // The line before that with the type has the help.
        let type_line = if line.starts_with("# HELP ") { lines.peek().copied() } else { Some(line) };
        let is_counter =
            type_line.is_some_and(|line| line.starts_with("# TYPE ") && line.ends_with(" counter"));
        match line.splitn(4, ' ').collect::<Vec<_>>().as_slice() {
            [_, what, name, rest] if is_counter => {
                older.push_str(&format!("# {what} {name}_total {rest}\n"));
            }
            _ => {
                older.push_str(line);
                older.push('\n');
            }
        }
    }
    older
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_have_the_names_of_their_samples() {
        let text = "# HELP a_b Some help.\n# TYPE a_b counter\na_b_total{x=\"# TYPE y counter\"} 1\n\
                    # HELP c More.\n# TYPE c gauge\nc 2\n# EOF\n";
        let expected = "# HELP a_b_total Some help.\n# TYPE a_b_total counter\na_b_total{x=\"# TYPE y counter\"} 1\n\
                        # HELP c More.\n# TYPE c gauge\nc 2\n";
        assert_eq!(older(text), expected);
    }
}
