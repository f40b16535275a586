//! No reading of a forwarded path leads where its check was skipped.
//!
//! Input: a path.

use claimgate_config::snapshot::{AuthenticationScope, PathPattern};
use claimgate_gateway::path::RequestPath;

use crate::lenient::percent_decoded;

/// Checks one input.
pub fn check(data: &[u8]) {
    let Ok(raw) = std::str::from_utf8(data) else { return };
    let Ok(path) = RequestPath::parse(raw) else { return };
    let canonical = path.canonical();
    assert!(canonical.starts_with('/') && canonical.is_ascii());
    assert!(canonical.split('/').all(|segment| segment != "." && segment != ".."), "dots in {canonical}");
    for form in [canonical, path.forwarded()] {
        let again = RequestPath::parse(form).expect("what was accepted is accepted again");
        assert_eq!(again.canonical(), canonical, "{form}");
    }

    let readings = readings(path.forwarded());
    if !path.need_of_token(&whitelist()).is_there() {
        for reading in &readings {
            assert!(reading.starts_with("/public/") || reading == "/open", "{raw} is read as {reading}");
        }
    }
    if !path.need_of_token(&blacklist()).is_there() {
        for reading in &readings {
            assert!(!reading.starts_with("/admin/") && reading != "/admin", "{raw} is read as {reading}");
        }
    }
}

fn whitelist() -> AuthenticationScope {
    AuthenticationScope::AllExcept(vec![
        PathPattern::Prefix("/public/".into()),
        PathPattern::Exact("/open".into()),
    ])
}

fn blacklist() -> AuthenticationScope {
    AuthenticationScope::Only(vec![
        PathPattern::Prefix("/admin/".into()),
        PathPattern::Exact("/admin".into()),
    ])
}

/// What functions may make of a path: decoded up to four times, then `\` taken for `/` or not, slashes
/// merged or not, dot segments resolved or not.
fn readings(path: &str) -> Vec<String> {
    let mut readings = Vec::new();
    let mut decoded = path.as_bytes().to_vec();
    for _ in 0..=4 {
        let text = String::from_utf8_lossy(&decoded).into_owned();
        for text in [text.replace('\\', "/"), text] {
            readings.push(resolved(&text));
            readings.push(merged(&text));
            readings.push(resolved(&merged(&text)));
            readings.push(merged(&resolved(&text)));
            readings.push(text);
        }
        decoded = percent_decoded(&decoded);
    }
    readings
}

fn merged(path: &str) -> String {
    let mut merged = path.to_owned();
    while merged.contains("//") {
        merged = merged.replace("//", "/");
    }
    merged
}

/// Dot segments resolved, as RFC 3986, 5.2.4, has it.
fn resolved(path: &str) -> String {
    let mut segments = Vec::new();
    let mut parts = path.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        match part {
            ".." => {
                segments.pop();
            }
            "." => {}
            _ => segments.push(part),
        }
        if parts.peek().is_none() && matches!(part, "." | "..") {
            segments.push("");
        }
    }
    format!("/{}", segments.join("/"))
}
