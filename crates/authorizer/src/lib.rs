//! The custom authorizer.
mod attempts;
mod claims;
pub mod password;
mod users;
