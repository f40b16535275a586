//! The configuration: documents as written, checked and compiled into one immutable snapshot.
//!
//! Everything outside this crate works with the [`Snapshot`], whose values cannot be wrong any more.
//! The way there: text → tree in which every value knows its place → document, each section checked
//! for itself → snapshot, what sections say of each other checked too. No step stops at the first
//! problem, so that one run shows all of them. The first step and the reading of fields
//! ([`read_file`], [`reader`]) serve claimgate's other files too.

mod address;
pub mod certificate;
mod compile;
mod document;
pub mod environment;
mod file;
mod file_path;
pub mod grammar;
mod json_text;
mod parameter;
mod path;
pub mod place;
pub mod problem;
pub mod reach;
pub mod reader;
pub mod readings;
pub mod report;
pub mod schema;
pub mod snapshot;
pub mod special_addresses;
mod stored;
mod suggest;
pub mod yaml;

pub use compile::{CanRun, DocumentProblem};
pub use file::{FileVersion, MAX_BYTES, read_file, read_text};
pub use json_text::document_value;
pub use problem::{Problem, Problems, Severity};
pub use snapshot::Snapshot;
pub use stored::{DocumentKind, StoredDocuments, StoredDomain, StoredFunction, UnknownFields};
pub use suggest::did_you_mean;

use std::path::Path;

use document::Document;
use reader::Field;
use report::Report;

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
/// All problems of the file, as [`read_file`].
pub fn load_file(file: &Path) -> Result<Loaded, Problems> {
    load_text(&file::text_of(file)?, file)
}

/// Compiles configuration text; `file` is the name used in problems.
///
/// # Errors
///
/// All problems of the text, as [`read_text`].
pub fn load_text(text: &str, file: &Path) -> Result<Loaded, Problems> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let read = |root: &Field<'_>, domains, report: &mut Report| {
        let mut document = Document::read(root, domains, report)?;
        document.resolve_paths(folder);
        Some(compile::compile(document, folder, report))
    };
    file::read_with_items(text, file, document::FIELDS, Some(&document::CUSTOM_DOMAINS), read)
        .map(|(snapshot, warnings)| Loaded { snapshot, warnings })
}
