//! Moments as people read them.

use std::time::{Duration, SystemTime};

/// A moment for a page.
#[derive(Debug, Clone)]
pub struct When {
    /// RFC 3339, for machines and for who wants to know exactly.
    pub exact: String,
    /// How long ago it was.
    pub words: String,
}

impl When {
    pub fn of(time: SystemTime) -> Self {
        let since = SystemTime::now().duration_since(time).unwrap_or_default();
        Self { exact: humantime::format_rfc3339_seconds(time).to_string(), words: ago(since) }
    }
}

fn ago(since: Duration) -> String {
    let seconds = since.as_secs();
    let (count, unit) = match seconds {
        0..=4 => return "just now".to_owned(),
        5..=59 => (seconds, "second"),
        60..=3599 => (seconds / 60, "minute"),
        3600..=86_399 => (seconds / 3600, "hour"),
        86_400..=5_183_999 => (seconds / 86_400, "day"),
        _ => (seconds / 2_592_000, "month"),
    };
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{s} ago")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        for (seconds, words) in [
            (0, "just now"),
            (59, "59 seconds ago"),
            (60, "1 minute ago"),
            (7200, "2 hours ago"),
            (86_400, "1 day ago"),
            (5_184_000, "2 months ago"),
        ] {
            assert_eq!(ago(Duration::from_secs(seconds)), words);
        }
    }
}
