//! What the authorizer and the console need to take passwords: hashes, how many are computed at once, and
//! how often somebody may try.

mod attempts;
mod hashing;
pub mod password;

pub use attempts::{Attempt, AttemptPolicy, Attempts, Subject, TooMany, network};
pub use hashing::{Admission, Hashing, HashingError};
