//! What must hold for every input, one module for each fuzz target: each has a `check` that panics
//! when a promise is broken.
//!
//! Promises about what a function may read are checked with readers of our own that share no code
//! with the gateway and forgive more than it does.

pub mod configuration;
pub mod cookie;
pub mod form;
pub mod jwk;
pub mod jws;
pub mod key_file;
pub mod path;

mod lenient;
mod lines;

/// A fuzz target: its name and its check.
pub type Target = (&'static str, fn(&[u8]));

/// Every target, under the name of its corpus.
pub const TARGETS: [Target; 7] = [
    ("configuration", configuration::check),
    ("cookie", cookie::check),
    ("form", form::check),
    ("jwk", jwk::check),
    ("jws", jws::check),
    ("key_file", key_file::check),
    ("path", path::check),
];
