//! Paths of files and folders.
use std::env;
use std::path::PathBuf;

use crate::place::{Written, quoted};
use crate::reader::Field;
use crate::report::Report;

/// Where systemd puts the files of `LoadCredential=` for a service (systemd.exec(5), Credentials).
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

impl Field<'_> {
    /// Reads the path of a file or folder; `right` says what would be right, as `a PEM file`. It may begin with
    /// `${CREDENTIALS_DIRECTORY}`.
    pub fn file_path(&self, right: &str, report: &mut Report) -> Option<Written<PathBuf>> {
        let Written { value: path, place } = self.text(right, report)?;
        if path.is_empty() || path.contains('\0') {
            report.error(&place, format!("expected {right}, found {}", quoted(path)));
            return None;
        }
        let Some(name) = path.strip_prefix("${CREDENTIALS_DIRECTORY}/") else {
            return Some(Written { value: PathBuf::from(path), place });
        };
        let Some(folder) = env::var_os(CREDENTIALS).filter(|folder| !folder.is_empty()) else {
            let why = "there are no credentials: the variable is set in a service of systemd that has LoadCredential=";
            report.error(&place, format!("{}: {why}", quoted(path)));
            return None;
        };
        Some(Written { value: PathBuf::from(folder).join(name), place })
    }
}
