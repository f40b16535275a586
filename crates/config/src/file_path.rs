//! Paths of files and folders.
use std::path::PathBuf;

use crate::place::{Written, quoted};
use crate::reader::Field;
use crate::report::Report;

impl Field<'_> {
    /// Reads the path of a file or folder; `right` says what would be right, as `a PEM file`.
    pub(crate) fn file_path(&self, right: &str, report: &mut Report) -> Option<Written<PathBuf>> {
        let Written { value: path, place } = self.text(right, report)?;
        if path.is_empty() || path.contains('\0') {
            report.error(&place, format!("expected {right}, found {}", quoted(path)));
            return None;
        }
        Some(Written { value: PathBuf::from(path), place })
    }
}
