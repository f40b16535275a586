//! The custom authorizer: takes usernames and passwords, and gives tokens that claimgate's gateway, or
//! any other reader of JWTs, verifies with the keys that it publishes.
//!
//! The way of a login is [`serve`] → `endpoints` → `credentials` → `authorizer` → `users`, `claims`,
//! `keys`, and `claimgate_login` in between. What is refused, and how that is told, is `refusal`.

mod authorizer;
mod claims;
mod client;
mod configuration;
mod credentials;
mod endpoints;
mod keys;
mod log;
mod metrics;
mod published;
mod refusal;
mod serve;
mod users;
mod watch;

pub use authorizer::StartError;
pub use configuration::{Configuration, HashingLimits, Issuer, Limits, Network, Timeouts, UsersSettings};
pub use keys::{KeySettings, RotateError, Rotated, rotate};
pub use serve::serve;
