//! The custom authorizer: takes usernames and passwords, and gives tokens that claimgate's gateway, or
//! any other reader of JWTs, verifies with the keys that it publishes.
//!
//! The way of a login is [`serve`] → `endpoints` → `credentials` → `authorizer` → `attempts`, `users`,
//! `hashing`, `claims`, `keys`. What is refused, and how that is told, is `refusal`.

mod attempts;
mod authorizer;
mod claims;
mod client;
mod configuration;
mod credentials;
mod endpoints;
mod hashing;
mod keys;
mod log;
mod metrics;
pub mod password;
mod published;
mod refusal;
mod serve;
mod users;
mod watch;

pub use attempts::AttemptPolicy;
pub use authorizer::StartError;
pub use configuration::{Configuration, HashingLimits, Issuer, Limits, Network, Timeouts, UsersSettings};
pub use keys::{KeySettings, RotateError, Rotated, rotate};
pub use serve::serve;
