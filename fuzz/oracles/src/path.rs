//! No reading of a forwarded path leads where its check was skipped, or out of its route's folder unnoticed.
//!
//! Input: a path.

use claimgate_config::snapshot::{AuthenticationScope, PathPattern};
use claimgate_gateway::path::RequestPath;

use crate::models::text::percent_decoded;
use crate::unread::overlong_decoded;

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
            assert!(!is_admin(reading), "{raw} is read as {reading}");
        }
    }
    if !path.may_leave_its_folder() {
        for reading in &readings {
            assert!(reading.split('/').all(|segment| segment != ".."), "{raw} is read as {reading}");
        }
    }
}

/// As routers read it that compare without case, without a slash at the end, or without a format.
fn is_admin(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let without_slash = path.strip_suffix('/').unwrap_or(&path);
    let without_format = match without_slash.rsplit_once('.') {
        Some((start, format)) if !format.contains('/') => start,
        _ => without_slash,
    };
    path.starts_with("/admin/") || without_slash == "/admin" || without_format == "/admin"
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

/// What functions may make of a path: decoded up to four times, overlong UTF-8 too or not, then `\` taken for `/`
/// or not, parameters of segments dropped or not, slashes merged or not, dot segments resolved or not.
fn readings(path: &str) -> Vec<String> {
    let mut readings = Vec::new();
    let mut decoded = path.as_bytes().to_vec();
    for _ in 0..=4 {
        for bytes in [decoded.clone(), overlong_decoded(&decoded)] {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let slashed = text.replace('\\', "/");
            for text in [without_parameters(&text), without_parameters(&slashed), text, slashed] {
                readings.push(resolved(&text));
                readings.push(merged(&text));
                readings.push(resolved(&merged(&text)));
                readings.push(merged(&resolved(&text)));
                readings.push(text);
            }
        }
        decoded = percent_decoded(&decoded);
    }
    readings
}

/// Each segment up to its `;`.
fn without_parameters(path: &str) -> String {
    path.split('/').map(|segment| segment.split(';').next().unwrap_or_default()).collect::<Vec<_>>().join("/")
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
