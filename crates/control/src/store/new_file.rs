//! Files that appear complete or not at all.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

use tempfile::NamedTempFile;

/// Writes a file that only its owner may read, and that must not be there yet.
pub(super) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = beside(path)?;
    file.write_all(content)?;
    keep(file, path)
}

/// Writes a file that only its owner may read, in place of one that may be there.
pub(super) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = beside(path)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(folder_of(path))?.sync_all()
}

/// An empty file in the folder of another one, which only the owner may read.
pub(super) fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = folder_of(path);
    let mode = Permissions::from_mode(0o600);
    let file = tempfile::Builder::new().prefix(".claimgate-").permissions(mode).tempfile_in(folder)?;
    give_to_owner(file.as_file(), folder)?;
    Ok(file)
}

/// Gives a file its name, durably, unless there is one of that name.
pub(super) fn keep(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    // It is closed before it has its name: to close the file of a database takes its locks from SQLite.
    file.into_temp_path().persist_noclobber(path)?;
    File::open(folder_of(path))?.sync_all()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What root makes must be usable by the gateway, which hardly runs as root.
fn give_to_owner(file: &File, folder: &Path) -> io::Result<()> {
    let (folder, made) = (fs::metadata(folder)?, file.metadata()?);
    if made.uid() != 0 || folder.uid() == 0 {
        return Ok(());
    }
    fchown(file, Some(folder.uid()), Some(folder.gid()))
}
