//! The configuration: documents as written, checked and compiled into one immutable snapshot.
//!
//! Everything outside this crate works with the [`Snapshot`], whose values cannot be wrong any more.
//! The way there: text → tree in which every value knows its place → document, each section checked
//! for itself → snapshot, what sections say of each other checked too. No step stops at the first
//! problem, so that one run shows all of them.

mod compile;
mod document;
pub mod grammar;
mod parameter;
mod path;
mod place;
pub mod problem;
mod reader;
mod report;
pub mod snapshot;
mod suggest;
mod yaml;

pub use problem::{Problem, Problems, Severity};
pub use snapshot::Snapshot;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use document::Document;
use place::{FieldPath, Location, Place};
use report::Report;

/// Size in bytes beyond which a configuration is refused.
pub const MAX_BYTES: usize = 64 * 1024 * 1024;

/// A snapshot together with what its author should know.
#[derive(Debug)]
pub struct Loaded {
    /// The compiled configuration.
    pub snapshot: Snapshot,
    /// Problems of severity [`Severity::Warning`].
    pub warnings: Problems,
}

/// Reads and compiles a configuration file.
///
/// # Errors
///
/// All problems of the file, warnings among them when there is at least one error. A file that
/// cannot be read gives one problem with the line 0.
pub fn load_file(file: &Path) -> Result<Loaded, Problems> {
    let bytes = read(file).map_err(|error| {
        let reason = match error.kind() {
            io::ErrorKind::NotFound => "there is no such file".to_owned(),
            io::ErrorKind::PermissionDenied => "the file may not be read by this user".to_owned(),
            io::ErrorKind::IsADirectory => "this is a folder, not a file".to_owned(),
            _ => format!("the file cannot be read: {error}"),
        };
        one_error(file, Location { line: 0, column: 0 }, reason)
    })?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => load_text(text, file),
        Err(error) => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let valid = String::from_utf8_lossy(valid);
            let line = valid.matches('\n').count() + 1;
            let column = valid.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            Err(one_error(file, Location { line, column }, "the file is not UTF-8 text from here on"))
        }
    }
}

/// Compiles configuration text; `file` is the name used in problems.
///
/// # Errors
///
/// All problems of the text, warnings among them when there is at least one error.
pub fn load_text(text: &str, file: &Path) -> Result<Loaded, Problems> {
    if text.len() > MAX_BYTES {
        let message = format!("the file is larger than {} MiB", MAX_BYTES / 1024 / 1024);
        return Err(one_error(file, Location { line: 0, column: 0 }, message));
    }
    let mut report = Report::default();
    let snapshot = yaml::parse(text, &mut report)
        .and_then(|tree| Document::read(&tree, &mut report))
        .map(|document| compile::compile(document, &mut report));
    match snapshot {
        Some(snapshot) if !report.has_errors() => {
            Ok(Loaded { snapshot, warnings: report.into_problems(file) })
        }
        _ => Err(report.into_problems(file)),
    }
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than allowed is enough to see that there are too many.
    File::open(file)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn one_error(file: &Path, location: Location, message: impl Into<String>) -> Problems {
    let mut report = Report::default();
    report.error(&Place { location, path: FieldPath::default() }, message);
    report.into_problems(file)
}
