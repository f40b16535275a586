//! What must hold for every input, one module for each fuzz target: each has a `check` that panics
//! when a promise is broken.
//!
//! Promises about what a function may read are checked with models of the libraries that functions use
//! (`models`), which share no code with the gateway.

pub mod configuration;
pub mod cookie;
pub mod form;
pub mod header_name;
pub mod jwk;
pub mod jws;
pub mod key_file;
pub mod models;
pub mod path;
pub mod query;

mod lines;
mod names;
mod unread;

/// A fuzz target: its name and its check.
pub type Target = (&'static str, fn(&[u8]));

/// Every target, under the name of its corpus.
pub const TARGETS: [Target; 9] = [
    ("configuration", configuration::check),
    ("cookie", cookie::check),
    ("form", form::check),
    ("header_name", header_name::check),
    ("jwk", jwk::check),
    ("jws", jws::check),
    ("key_file", key_file::check),
    ("path", path::check),
    ("query", query::check),
];
