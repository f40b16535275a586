//! The folder of the keys, which several authorizers may share: one file a key, `KID.jwk.json`.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use claimgate_config::FileVersion;

use super::Key;

const SUFFIX: &str = ".jwk.json";
const LOCK: &str = ".lock";
/// What is being written; nobody reads files whose names begin with a dot.
const PARTIAL: &str = ".new-";
/// An RSA key of 8192 bits has less than 7 KiB.
const MAX_BYTES: u64 = 64 * 1024;

/// The folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyFolder(PathBuf);

/// What is in the folder.
pub(crate) struct Contents {
    pub(crate) keys: Vec<Key>,
    /// Files that should be keys and are not; each text names the file.
    pub(crate) broken: Vec<String>,
    /// What the operator should look at.
    pub(crate) warnings: Vec<String>,
}

/// What tells whether anything in the folder has changed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FolderVersion(Vec<(OsString, FileVersion)>);

/// The right to change the folder. It ends with the process at the latest.
pub(crate) struct Lock(#[expect(dead_code, reason = "is held")] File);

impl KeyFolder {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn create(&self) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.0)
    }

    pub(crate) fn version(&self) -> FolderVersion {
        let mut files: Vec<_> = self
            .files()
            .unwrap_or_default()
            .into_iter()
            .map(|(name, path)| (name, FileVersion::of(&path)))
            .collect();
        files.sort_by(|a, b| a.0.cmp(&b.0));
        FolderVersion(files)
    }

    pub(crate) fn read(&self) -> io::Result<Contents> {
        let mut contents = Contents { keys: Vec::new(), broken: Vec::new(), warnings: Vec::new() };
        for (name, path) in self.files()? {
            if !name.to_string_lossy().ends_with(SUFFIX) {
                contents.warnings.push(format!("{} is no key and is left alone", path.display()));
                continue;
            }
            match read_key(&path, &mut contents.warnings) {
                Ok(key) if path != self.path_of(&key.id) => {
                    let (path, right) = (path.display(), self.path_of(&key.id));
                    contents.broken.push(format!("the key {path} must have the name {}", right.display()));
                }
                Ok(key) => contents.keys.push(key),
                // It was removed after the folder was listed.
                Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => contents.broken.push(format!("cannot use the key {}: {error}", path.display())),
            }
        }
        Ok(contents)
    }

    /// Waits until nobody else changes the folder.
    pub(crate) fn lock(&self) -> io::Result<Lock> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(self.0.join(LOCK))?;
        self.give_to_owner(&file)?;
        file.lock()?;
        Ok(Lock(file))
    }

    /// Adds a key's file, complete or not at all; gives its path.
    pub(crate) fn add(&self, _lock: &Lock, id: &str, content: &str) -> io::Result<PathBuf> {
        let mut file = tempfile::Builder::new().prefix(PARTIAL).tempfile_in(&self.0)?;
        file.write_all(content.as_bytes())?;
        self.give_to_owner(file.as_file())?;
        file.as_file().sync_all()?;
        let path = self.path_of(id);
        file.persist_noclobber(&path)?;
        File::open(&self.0)?.sync_all()?;
        Ok(path)
    }

    pub(crate) fn remove(&self, _lock: &Lock, id: &str) -> io::Result<PathBuf> {
        let path = self.path_of(id);
        fs::remove_file(&path)?;
        Ok(path)
    }

    /// Removes what was being written when its writer was killed.
    pub(crate) fn remove_partial_files(&self, _lock: &Lock) -> io::Result<()> {
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(PARTIAL) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// What root adds must be readable by the authorizer, which hardly runs as root.
    fn give_to_owner(&self, file: &File) -> io::Result<()> {
        let (folder, made) = (fs::metadata(&self.0)?, file.metadata()?);
        if made.uid() == folder.uid() {
            return Ok(());
        }
        std::os::unix::fs::fchown(file, Some(folder.uid()), Some(folder.gid()))
    }

    fn path_of(&self, id: &str) -> PathBuf {
        self.0.join(format!("{id}{SUFFIX}"))
    }

    /// All files that are not hidden.
    fn files(&self) -> io::Result<Vec<(OsString, PathBuf)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            let name = entry.file_name();
            if !name.to_string_lossy().starts_with('.') {
                files.push((name, entry.path()));
            }
        }
        Ok(files)
    }
}

#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Content(String),
}

fn read_key(path: &Path, warnings: &mut Vec<String>) -> Result<Key, ReadError> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() > MAX_BYTES {
        return Err(ReadError::Content("it is no file of the size of a key".to_owned()));
    }
    let mode = metadata.permissions().mode();
    if mode & 0o077 != 0 {
        let path = path.display();
        warnings.push(format!(
            "{path} holds a private key and has the mode {:03o}; it should be 600",
            mode & 0o777
        ));
    }
    let mut content = zeroize::Zeroizing::new(Vec::new());
    file.take(MAX_BYTES).read_to_end(&mut content)?;
    Key::parse(&content).map_err(ReadError::Content)
}
