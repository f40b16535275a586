//! The control plane: what is served is changed, told and looked at here, beside the data plane that serves.

pub mod access_keys;
pub mod acs3;
mod admin;
mod answer;
pub mod api;
mod authentication;
pub mod catalog;
mod console;
mod cookies;
mod exposition;
mod function_compute_api;
mod guard;
mod known_caller;
mod listen;
mod nonces;
mod request_body;
mod rights;
mod secrets;
pub mod sessions;
pub mod store;
pub mod traffic;
pub mod users;

pub use admin::{AdminError, serve};
pub use catalog::Catalog;
pub use console::loopback::DataPlane;
