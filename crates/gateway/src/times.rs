//! Times of tokens in words.

use std::time::Duration;

use time::OffsetDateTime;

/// A date in UTC as RFC 3339 writes it; `None` after the year 9999.
fn utc(seconds: f64) -> Option<String> {
    // Fractions of a second say nothing to a reader.
    let date = OffsetDateTime::from_unix_timestamp(seconds.floor() as i64).ok()?;
    let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
    let (hour, minute, second) = (date.hour(), date.minute(), date.second());
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
}

/// What a claim says at a time, as `expired 3 minutes ago`; `None` for claims that are no times.
pub fn in_words(claim: &str, seconds: f64, now: Duration) -> Option<String> {
    let distance = seconds - now.as_secs_f64();
    let length = length(distance.abs());
    // `exp` equal to now is past, `nbf` equal to now has come (RFC 7519 section 4.1).
    let words = match (claim, distance > 0.0) {
        ("exp", true) => format!("expires in {length}"),
        ("exp", false) => format!("expired {length} ago"),
        ("nbf", true) => format!("valid in {length}"),
        ("nbf", false) => format!("valid since {length}"),
        ("iat", true) => format!("issued in {length}, by a clock that is ahead"),
        ("iat", false) => format!("issued {length} ago"),
        _ => return None,
    };
    Some(match utc(seconds) {
        Some(date) => format!("{date}, {words}"),
        None => format!("{words} (are these milliseconds?)"),
    })
}

/// A length of time in its largest unit, rounded down.
fn length(seconds: f64) -> String {
    const UNITS: [(u64, &str); 4] = [(365 * 86400, "year"), (86400, "day"), (3600, "hour"), (60, "minute")];
    let seconds = seconds as u64;
    let (size, unit) = UNITS.into_iter().find(|(size, _)| seconds >= *size).unwrap_or((1, "second"));
    let count = seconds / size;
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_words() {
        let now = Duration::from_secs(1_700_000_000);
        for (claim, seconds, words) in [
            ("exp", 1_700_003_599.0, "2023-11-14T23:13:19Z, expires in 59 minutes"),
            ("exp", 1_700_000_000.0, "2023-11-14T22:13:20Z, expired 0 seconds ago"),
            ("exp", 1_699_999_939.5, "2023-11-14T22:12:19Z, expired 1 minute ago"),
            ("exp", 0.0, "1970-01-01T00:00:00Z, expired 53 years ago"),
            ("nbf", 1_700_086_400.0, "2023-11-15T22:13:20Z, valid in 1 day"),
            ("nbf", 1_700_000_000.0, "2023-11-14T22:13:20Z, valid since 0 seconds"),
            ("iat", 1_699_992_800.0, "2023-11-14T20:13:20Z, issued 2 hours ago"),
            ("iat", 1_700_000_005.0, "2023-11-14T22:13:25Z, issued in 5 seconds, by a clock that is ahead"),
            ("exp", 253_402_300_799.0, "9999-12-31T23:59:59Z, expires in 7981 years"),
            ("exp", 1_700_000_000_000.0, "expires in 53852 years (are these milliseconds?)"),
        ] {
            assert_eq!(in_words(claim, seconds, now).as_deref(), Some(words));
        }
        assert_eq!(in_words("auth_time", 1.0, now), None);
    }

    #[test]
    fn no_number_is_too_strange() {
        for seconds in [f64::MAX, f64::MIN, f64::NAN, f64::INFINITY, -1.0, 1e18, 9_007_199_254_740_992.0] {
            for claim in ["exp", "nbf", "iat"] {
                assert!(in_words(claim, seconds, Duration::ZERO).is_some());
            }
        }
    }
}
