//! The control plane: what is served is changed, told and looked at here, beside the data plane that serves.

mod admin;
pub mod catalog;
pub mod acs3;
mod exposition;
mod listen;
pub mod secrets;
pub mod store;

pub use admin::{AdminError, Peer, serve};
pub use catalog::Catalog;
