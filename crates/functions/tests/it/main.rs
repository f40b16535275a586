//! Functions on loopback sockets, reached as the gateway reaches them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod broken;
mod echo;
mod grpc;
mod http1;
mod streaming;
mod support;
mod timeouts;
mod tls;
