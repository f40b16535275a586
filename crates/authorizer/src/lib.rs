//! The custom authorizer.
mod attempts;
mod claims;
mod configuration;
mod keys;
pub mod password;
mod users;
