//! The configuration: documents as written, checked and compiled into one immutable snapshot.
//!
//! Everything outside this crate works with the [`Snapshot`], whose values cannot be wrong any more.

pub mod problem;
pub mod snapshot;

pub use problem::{Problem, Problems, Severity};
pub use snapshot::Snapshot;

use std::path::Path;

/// A snapshot together with what its author should know.
#[derive(Debug)]
pub struct Loaded {
    /// The compiled configuration.
    pub snapshot: Snapshot,
    /// Problems of severity [`Severity::Warning`].
    pub warnings: Problems,
}

/// Reads and compiles a configuration file.
pub fn load_file(_path: &Path) -> Result<Loaded, Problems> {
    Err(Problems::default())
}

/// Compiles configuration text; `file` is the name used in problems.
pub fn load_text(_text: &str, _file: &Path) -> Result<Loaded, Problems> {
    Err(Problems::default())
}
