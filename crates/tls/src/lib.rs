//! TLS towards clients: the certificates of domains, and handshakes.
//!
//! A configuration's [`Certificates`] stand beside its snapshot, as they change while it does not. Each
//! domain has a configuration of rustls of its own, with its versions and cipher suites; the name that a
//! client asks for picks one ([`shake_hands`]).

mod acme;
mod certificates;
mod client;
mod files;
mod handshake;
mod listener;
mod metrics;

pub use acme::AcmeError;
pub use certificates::{Certificates, StartError};
pub use client::client_config;
pub use handshake::{HandshakeError, Secured, shake_hands};
pub use listener::ListenerCertificate;
pub use metrics::Metrics;
