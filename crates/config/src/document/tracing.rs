//! `gateway.tracing`.
use http::Uri;
use http::uri::PathAndQuery;

use crate::place::{Written, quoted};
use crate::reader::{Field, Object};
use crate::report::Report;
use crate::snapshot::TracingSettings;
use crate::yaml::Value;

/// Reads `gateway.tracing`; `None` when nothing is traced.
pub(super) fn read(gateway: &mut Object<'_>, report: &mut Report) -> Option<TracingSettings> {
    let mut object = gateway.field("tracing")?.object("an object with otlpEndpoint", report)?;
    let endpoint = object.required("otlpEndpoint", RIGHT, report);
    let endpoint = endpoint.and_then(|field| read_endpoint(&field, report));
    let ratio = object.field("sampleRatio").map_or(Some(MILLION), |field| read_ratio(&field, report));
    object.finish(report);
    let (collector, base_path) = endpoint?;
    Some(TracingSettings { collector, base_path, sampled_per_million: ratio? })
}

const RIGHT: &str = "the URL of an OTLP collector, as http://127.0.0.1:4318";

fn read_endpoint(field: &Field<'_>, report: &mut Report) -> Option<(Uri, String)> {
    let Written { value: url, place } = field.text(RIGHT, report)?;
    match parse_endpoint(url) {
        Ok(endpoint) => Some(endpoint),
        Err(why) => {
            report.error(&place, why);
            None
        }
    }
}

fn parse_endpoint(url: &str) -> Result<(Uri, String), String> {
    let wrong = || format!("expected {RIGHT}");
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    let mut parts = uri.into_parts();
    let (Some(scheme), Some(authority)) = (&parts.scheme, &parts.authority) else {
        return Err(wrong());
    };
    if authority.as_str().contains('@') {
        // Not quoted: it holds a password.
        return Err("the URL has no user name and password; credentials are headers, \
                    which OTEL_EXPORTER_OTLP_HEADERS gives"
            .to_owned());
    }
    if !["http", "https"].contains(&scheme.as_str()) {
        return Err(format!("{}; the scheme {} is not supported", wrong(), quoted(scheme.as_str())));
    }
    let path = parts.path_and_query.replace(PathAndQuery::from_static("/"));
    if url.contains('#') || path.as_ref().is_some_and(|path| path.query().is_some()) {
        return Err("the URL has no query and no fragment; leave out what begins with ? or #".to_owned());
    }
    let base_path = path.as_ref().map_or("", PathAndQuery::path).trim_end_matches('/').to_owned();
    if base_path.ends_with("/v1/traces") {
        return Err("leave out /v1/traces, which is added".to_owned());
    }
    Ok((Uri::from_parts(parts).map_err(|_| wrong())?, base_path))
}

const MILLION: u32 = 1_000_000;

/// A ratio in millionths.
fn read_ratio(field: &Field<'_>, report: &mut Report) -> Option<u32> {
    let right = "a number from 0 to 1";
    let Value::Number(literal) = &field.node.value else {
        return field.wrong_type(right, report);
    };
    match literal.parse::<f64>() {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => Some((ratio * f64::from(MILLION)).round() as u32),
        _ => field.wrong_type(right, report),
    }
}
