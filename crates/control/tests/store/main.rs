//! The store: what both kinds promise, and what each has for itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod conformance;
mod crash;
mod etcd;
mod sqlite;
mod support;
