//! The time at which a command runs.

use std::time::{Duration, SystemTime};

use crate::failure::Failure;

/// The time now, counted from the Unix epoch.
pub fn now() -> Result<Duration, Failure> {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_err(|_| Failure::unusable("the clock stands before 1970"))
}
