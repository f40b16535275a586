//! Files, standard input and standard output.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::failure::Failure;

/// Larger input is refused, so that a wrong file name, as of a device, costs little. No key, token or
/// set of claims comes near.
const MAX_BYTES: u64 = 1024 * 1024;

/// Reads a file, or standard input where the name is `-`.
pub fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let name = name_of(file);
    let mut bytes = Vec::new();
    let read = if is_standard_input(file) {
        io::stdin().lock().take(MAX_BYTES + 1).read_to_end(&mut bytes)
    } else {
        File::open(file).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
    };
    match read {
        Err(error) => Err(Failure::Unusable(format!("cannot read {name}: {error}"))),
        Ok(_) if bytes.len() as u64 > MAX_BYTES => {
            Err(Failure::Unusable(format!("{name} is larger than {} MiB", MAX_BYTES / 1024 / 1024)))
        }
        Ok(_) => Ok(bytes),
    }
}

/// Whether standard input is meant.
pub fn is_standard_input(file: &Path) -> bool {
    file == Path::new("-")
}

/// What a file is called in messages.
pub fn name_of(file: &Path) -> String {
    if is_standard_input(file) { "standard input".to_owned() } else { file.display().to_string() }
}

/// Writes to standard output. That its reader has seen enough, as `head` has, is no failure.
pub fn print(content: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(content).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::Unusable(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Who may read a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Its owner alone, whatever the umask says.
    Owner,
    /// Everybody, as far as the umask allows.
    Everybody,
}

/// A file that is to be written.
pub struct NewFile {
    pub path: PathBuf,
    pub access: Access,
    pub content: Vec<u8>,
}

/// Writes files that must not be there yet: all of them, or none.
pub fn write_all_new(files: &[NewFile]) -> Result<(), Failure> {
    refuse_existing(files.iter().map(|file| file.path.as_path()))?;
    let cannot_write = |file: &NewFile, error: io::Error| {
        Failure::Unusable(format!("cannot write {}: {error}", file.path.display()))
    };
    let mut complete = Vec::new();
    for file in files {
        let temporary = temporary(&file.path, file.access, &file.content);
        complete.push((file, temporary.map_err(|error| cannot_write(file, error))?));
    }
    let mut written: Vec<&Path> = Vec::new();
    for (file, temporary) in complete {
        if let Err(error) = temporary.persist_noclobber(&file.path) {
            for path in written {
                let _ = fs::remove_file(path);
            }
            return Err(cannot_write(file, error.error));
        }
        written.push(&file.path);
    }
    Ok(())
}

/// Fails when one of these files is there.
pub fn refuse_existing<'a>(mut files: impl Iterator<Item = &'a Path>) -> Result<(), Failure> {
    match files.find(|file| file.symlink_metadata().is_ok()) {
        Some(file) => {
            Err(Failure::Unusable(format!("{} is there already; nothing is overwritten", file.display())))
        }
        None => Ok(()),
    }
}

/// Writes a file that must not be there yet. It appears complete or not at all.
pub fn write_new(file: &Path, access: Access, content: &[u8]) -> io::Result<()> {
    temporary(file, access, content)?.persist_noclobber(file)?;
    Ok(())
}

/// A complete file beside the one that it is going to be.
fn temporary(file: &Path, access: Access, content: &[u8]) -> io::Result<NamedTempFile> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mode = Permissions::from_mode(match access {
        Access::Owner => 0o600,
        Access::Everybody => 0o644,
    });
    let mut temporary =
        tempfile::Builder::new().prefix(".claimgate-").permissions(mode.clone()).tempfile_in(folder)?;
    if access == Access::Owner {
        temporary.as_file().set_permissions(mode)?; // The umask may have taken the owner's rights.
    }
    temporary.write_all(content)?;
    temporary.as_file().sync_all()?;
    Ok(temporary)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn new_file(path: PathBuf) -> NewFile {
        NewFile { path, access: Access::Owner, content: b"new".to_vec() }
    }

    #[test]
    fn all_files_are_written_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
        let names = || {
            let mut names: Vec<_> =
                fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };

        // Somebody else makes the last one meanwhile: here it is the first one once more.
        let taken = [first.clone(), second.clone(), first.clone()].map(new_file);
        assert!(write_all_new(&taken).is_err());
        assert_eq!(names(), Vec::<&str>::new());
        // One of the folders is missing.
        let unwritable = [first.clone(), folder.path().join("missing/second")].map(new_file);
        assert!(write_all_new(&unwritable).is_err());
        assert_eq!(names(), Vec::<&str>::new());

        write_all_new(&[first.clone(), second.clone()].map(new_file)).unwrap();
        assert_eq!(names(), ["first", "second"]);
        assert_eq!(fs::read(&second).unwrap(), b"new");
        assert!(write_all_new(&[folder.path().join("third"), first].map(new_file)).is_err());
        assert_eq!(names(), ["first", "second"]);
    }
}
