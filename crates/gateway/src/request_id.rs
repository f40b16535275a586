//! Ids of requests, in the form of the original's: `1-<time>-<8 digits>-<12 digits>`, hexadecimal.

use std::cell::RefCell;
use std::fmt;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use claimgate_functions::Fields;

/// Of the field that tells it to functions and clients.
const NAME: &[u8] = b"x-fc-request-id";

/// The id of one request, unique among all gateways for practical purposes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId([u8; 32]);

/// Differs between processes; ids are no secrets and need not be unpredictable.
static PROCESS: LazyLock<u64> = LazyLock::new(seed);

impl RequestId {
    /// The next id, at the time of the system's clock.
    pub fn now() -> Self {
        Self::next(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
    }

    /// The next id; `now` counts from the Unix epoch.
    pub fn next(now: Duration) -> Self {
        let mut id = *b"1-00000000-00000000-000000000000";
        write_hex(&mut id[2..10], now.as_secs());
        write_hex(&mut id[11..19], *PROCESS);
        write_hex(&mut id[20..], random());
        Self(id)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Adds it to a header.
    pub fn add_to(&self, fields: &mut Fields) {
        // Hexadecimal digits and hyphens.
        fields.append_judged(NAME, &self.0);
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Adds a `traceparent` that begins a trace without sampling it (W3C Trace Context, 3.2).
pub fn add_new_traceparent(fields: &mut Fields) {
    let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
    write_hex(&mut text[3..19], random());
    // Neither the trace id nor the parent id may be zero.
    write_hex(&mut text[19..35], random() | 1);
    write_hex(&mut text[36..52], random() | 1);
    // Hexadecimal digits and hyphens.
    fields.append_judged(b"traceparent", &text);
}

/// Fills a field with the last hexadecimal digits of a number.
pub(crate) fn write_hex(field: &mut [u8], mut number: u64) {
    let (first, rest) = field.as_rchunks_mut();
    for digits in rest.iter_mut().rev() {
        *digits = hex(number as u32);
        number >>= 32;
    }
    for (place, digit) in first.iter_mut().rev().zip(hex(number as u32).into_iter().rev()) {
        *place = digit;
    }
}

/// The digits of a number in hexadecimal, all at once.
fn hex(number: u32) -> [u8; 8] {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // Spreads the eight halves of bytes over eight bytes.
    let mut digits = u64::from(number);
    digits = (digits | digits << 16) & 0x0000_ffff_0000_ffff;
    digits = (digits | digits << 8) & 0x00ff_00ff_00ff_00ff;
    digits = (digits | digits << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    // 10 and more are letters: 6 lifts them over 15, where they are seen by the fifth bit.
    let letters = (digits + 6 * ONES) >> 4 & ONES;
    (digits + u64::from(b'0') * ONES + letters * u64::from(b'a' - b'0' - 10)).to_be_bytes()
}

/// A number that has not been there before, for practical purposes. Each thread has a generator of its
/// own, so that threads share nothing.
pub(crate) fn random() -> u64 {
    thread_local! {
        // The crate's own seed is the time since the machine's start, which two machines may share.
        static GENERATOR: RefCell<fastrand::Rng> = RefCell::new(fastrand::Rng::with_seed(seed()));
    }
    GENERATOR.with_borrow_mut(|generator| generator.u64(..))
}

fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    // Each `RandomState` has new keys.
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn hexadecimal_digits(number: u64) {
            let mut whole = [0; 16];
            write_hex(&mut whole, number);
            assert_eq!(whole.as_slice(), format!("{number:016x}").as_bytes());
            let mut last = [0; 12];
            write_hex(&mut last, number);
            assert_eq!(last, whole[4..]);
        }
    }
}
