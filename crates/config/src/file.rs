//! From a file to whatever its fields mean, for every kind of file that claimgate reads.
use std::convert::Infallible;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use crate::place::{FieldPath, Location, Place};
use crate::problem::Problems;
use crate::reader::Field;
use crate::report::Report;
use crate::yaml::{self, Items, Parsed, Value};

/// Size in bytes beyond which a file is refused; a domain with an RSA key takes some 800.
pub const MAX_BYTES: usize = 256 * 1024 * 1024;

/// Reads a YAML or JSON file with `read`, which reports what is wrong and gives what it can; `fields`
/// names what such a file holds, for one that is empty. The problems beside the value are warnings.
///
/// # Errors
///
/// All problems of the file, warnings among them when there is at least one error. A file that
/// cannot be read gives one problem with the line 0.
pub fn read_file<T>(
    file: &Path,
    fields: &str,
    read: impl FnOnce(&Field<'_>, &mut Report) -> Option<T>,
) -> Result<(T, Problems), Problems> {
    read_text(&text_of(file)?, file, fields, read)
}

/// Reads text as [`read_file`] does; `file` is the name used in problems.
///
/// # Errors
///
/// All problems of the text, warnings among them when there is at least one error.
pub fn read_text<T>(
    text: &str,
    file: &Path,
    fields: &str,
    read: impl FnOnce(&Field<'_>, &mut Report) -> Option<T>,
) -> Result<(T, Problems), Problems> {
    read_with_items(text, file, fields, None::<&Items<Infallible>>, |root, _, report| read(root, report))
}

/// Reads text as [`read_text`] does, the items of one list while the text is parsed; `read` gets them when
/// they do not stand in the tree.
pub(crate) fn read_with_items<I, T>(
    text: &str,
    file: &Path,
    fields: &str,
    items: Option<&Items<I>>,
    read: impl FnOnce(&Field<'_>, Option<Vec<I>>, &mut Report) -> Option<T>,
) -> Result<(T, Problems), Problems> {
    if text.len() > MAX_BYTES {
        let message = format!("the file is larger than {} MiB", MAX_BYTES / 1024 / 1024);
        return Err(one_error(file, Location { line: 0, column: 0 }, message));
    }
    let mut report = Report::default();
    let value = yaml::parse(text, items, &mut report).and_then(|Parsed { root, items }| {
        let place = Place { location: root.location, path: FieldPath::default() };
        if root.value == Value::Null {
            report.error(&place, format!("the file is empty; expected {fields}"));
            return None;
        }
        read(&Field { node: &root, place }, items, &mut report)
    });
    match value {
        Some(value) if !report.has_errors() => Ok((value, report.into_problems(file))),
        _ => Err(report.into_problems(file)),
    }
}

/// The text of a file.
pub(crate) fn text_of(file: &Path) -> Result<String, Problems> {
    let bytes = bytes_of(file).map_err(|error| {
        let reason = match error.kind() {
            io::ErrorKind::NotFound => "there is no such file".to_owned(),
            io::ErrorKind::PermissionDenied => "the file may not be read by this user".to_owned(),
            io::ErrorKind::IsADirectory => "this is a folder, not a file".to_owned(),
            _ => format!("the file cannot be read: {error}"),
        };
        one_error(file, Location { line: 0, column: 0 }, reason)
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let valid = String::from_utf8_lossy(valid);
        let line = valid.matches('\n').count() + 1;
        let column = valid.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        one_error(file, Location { line, column }, "the file is not UTF-8 text from here on")
    })
}

/// What tells one version of a file or folder from the next without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileVersion(Option<(SystemTime, u64, u64)>);

impl FileVersion {
    /// The version that is there now; all that cannot be looked at are the same.
    pub fn of(path: &Path) -> Self {
        use std::os::unix::fs::MetadataExt;
        let version = std::fs::metadata(path).ok().and_then(|metadata| {
            let modified = metadata.modified().ok()?;
            Some((modified, metadata.len(), metadata.ino()))
        });
        Self(version)
    }
}

fn bytes_of(file: &Path) -> io::Result<Vec<u8>> {
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
