//! How long an answer may be used before it is fetched again (RFC 9111).

use std::time::Duration;

use ::http::HeaderMap;
use ::http::header::{AGE, CACHE_CONTROL};
use claimgate_config::snapshot::RemoteJwksSettings;

/// What a server says of how long its answer stays as it is: zero when it wants to be asked each time,
/// `None` when it says nothing.
pub fn told(headers: &HeaderMap) -> Option<Duration> {
    let mut max_age = None;
    for line in headers.get_all(CACHE_CONTROL) {
        for directive in line.to_str().unwrap_or_default().split(',') {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            let name = name.trim();
            if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
                return Some(Duration::ZERO);
            }
            if name.eq_ignore_ascii_case("max-age") && max_age.is_none() {
                max_age = seconds(value.trim().trim_matches('"'));
            }
        }
    }
    let age = headers.get(AGE).and_then(|value| seconds(value.to_str().ok()?.trim()));
    max_age.map(|max_age| max_age.saturating_sub(age.unwrap_or_default()))
}

/// How long until the next fetch: what was told, within the configured bounds. Up to a tenth earlier, by
/// `chance` from 0 to 1, so that many gateways do not ask at the same moment.
pub fn until_refresh(told: Option<Duration>, settings: &RemoteJwksSettings, chance: f64) -> Duration {
    let latest = told.unwrap_or(settings.refresh).min(settings.max_refresh);
    latest.mul_f64(1.0 - 0.1 * chance).max(settings.min_refresh)
}

/// RFC 9111, 1.2.2: a number of any size, of which those too large for us mean "very long".
fn seconds(text: &str) -> Option<Duration> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(Duration::from_secs(text.parse().unwrap_or(u64::from(u32::MAX))))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn cache_control_is_read_as_rfc_9111_writes_it() {
        // (Cache-Control, Age, seconds)
        let cases: [(&[&str], Option<&str>, Option<u64>); 17] = [
            (&[], None, None),
            (&[""], None, None),
            (&["max-age=300"], None, Some(300)),
            (&["public, max-age=300, must-revalidate"], None, Some(300)),
            (&["MAX-AGE = 300"], None, Some(300)),
            (&["max-age=\"300\""], None, Some(300)),
            (&["public", "max-age=300"], None, Some(300)),
            (&["max-age=300, max-age=1"], None, Some(300)),
            (&["max-age=300"], Some("100"), Some(200)),
            (&["max-age=300"], Some("400"), Some(0)),
            (&["max-age=300"], Some("x"), Some(300)),
            (&["max-age=99999999999999999999"], None, Some(4_294_967_295)),
            (&["max-age=-1"], None, None),
            (&["max-age"], None, None),
            (&["max-age=300, no-store"], None, Some(0)),
            (&["no-cache"], None, Some(0)),
            (&["s-maxage=300, private"], None, None),
        ];
        for (lines, age, right) in cases {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(CACHE_CONTROL, line.parse().unwrap());
            }
            if let Some(age) = age {
                headers.insert(AGE, age.parse().unwrap());
            }
            assert_eq!(told(&headers), right.map(Duration::from_secs), "{lines:?} {age:?}");
        }
    }

    #[test]
    fn the_configured_bounds_hold() {
        let settings = RemoteJwksSettings::default();
        // (told, at the latest, at the earliest)
        let cases = [
            (None, 600, 540),
            (Some(0), 60, 60),
            (Some(61), 61, 60),
            (Some(100), 100, 90),
            (Some(3600), 3600, 3240),
            (Some(u64::MAX), 3600, 3240),
        ];
        for (told, latest, earliest) in cases {
            let until = |chance| until_refresh(told.map(Duration::from_secs), &settings, chance).as_secs();
            assert_eq!((until(0.0), until(1.0)), (latest, earliest), "{told:?}");
        }
    }
}
