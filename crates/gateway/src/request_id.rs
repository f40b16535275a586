//! Ids of requests, in the form of the original's: `1-<time>-<8 digits>-<12 digits>`, hexadecimal.

use std::fmt;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use http::HeaderValue;

/// The id of one request, unique among all gateways for practical purposes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

/// Differs between processes; ids are no secrets and need not be unpredictable.
static PROCESS: LazyLock<u64> = LazyLock::new(random);
static COUNTER: AtomicU64 = AtomicU64::new(0);

impl RequestId {
    /// The next id, at the time of the system's clock.
    pub fn now() -> Self {
        Self::next(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
    }

    /// The next id; `now` counts from the Unix epoch.
    pub fn next(now: Duration) -> Self {
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let seconds = now.as_secs();
        let process = *PROCESS >> 32;
        // An odd factor permutes the 48-bit numbers, so that neighbours look different.
        let scattered = (count.wrapping_mul(0x9e37_79b9_7f4b) ^ *PROCESS) & 0xffff_ffff_ffff;
        Self(format!("1-{seconds:08x}-{process:08x}-{scattered:012x}"))
    }

    /// The id as a header value.
    pub fn to_header_value(&self) -> HeaderValue {
        // Hexadecimal digits and hyphens.
        HeaderValue::from_str(&self.0).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A `traceparent` that begins a trace without sampling it (W3C Trace Context, 3.2).
pub fn new_traceparent() -> String {
    // Neither the trace id nor the parent id may be zero.
    let (high, low, parent) = (random(), random() | 1, random() | 1);
    format!("00-{high:016x}{low:016x}-{parent:016x}-00")
}

fn random() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    // Each `RandomState` has new keys.
    RandomState::new().build_hasher().finish()
}
