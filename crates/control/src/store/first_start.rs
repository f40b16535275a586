//! Tells a database that was never there from one that is gone: an empty store is not a new one.
//!
//! A key that claimgate made next to the database, or a mark next to it, says that there was one. So a key that is
//! just being made has another name until its database is there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use claimgate_config::snapshot::StoreSettings;

use super::encryption_key::EncryptionKey;
use super::seal::Seal;
use super::sqlite::Sqlite;
use super::{
    Backend, KEY_CHECK, KEY_CHECK_VALUE, Store, StoreError, Write, database, key_file, new_file, sqlite,
};

/// Finds the key of a database, and makes both when neither was there.
pub(super) fn prepare(settings: &StoreSettings, path: &Path) -> Result<Seal, StoreError> {
    let file = key_file(settings, path);
    // Looked at first: another process may be making both at this moment.
    let was_there = was_there(settings, path);
    if sqlite::holds(path, KEY_CHECK)? {
        publish(&file)?;
        let seal = Seal::new(EncryptionKey::find(&file)?)?;
        set_mark(path);
        return Ok(seal);
    }
    if was_there {
        return Err(StoreError::Failed(format!(
            "the database {path} is {state}, though there was one: {evidence} is there. Restore a backup with claimgate \
             store restore, or, if it is to begin anew, run claimgate store init",
            path = path.display(),
            state = if path.exists() { "empty" } else { "missing" },
            evidence = if file.exists() { file } else { mark(path) }.display(),
        )));
    }
    make(path, &file)
}

/// Makes a new database in place of one that is gone or empty.
///
/// # Errors
///
/// When there is one that holds something, and when the store is no database.
pub async fn init(settings: &StoreSettings) -> Result<PathBuf, StoreError> {
    let path = database(settings, "claimgate store accept")?;
    let file = key_file(settings, path);
    if sqlite::holds(path, KEY_CHECK)? {
        return Err(StoreError::Failed(format!(
            "the database {} is there and holds something; move it away first",
            path.display()
        )));
    }
    let seal = make(path, &file)?;
    // One that was made by an earlier version may be there and hold nothing.
    Store::with_seal(Backend::Sqlite(Arc::new(Sqlite::open(path)?)), seal).check_key().await?;
    Ok(path.to_owned())
}

/// Whether there was a database once.
pub(super) fn was_there(settings: &StoreSettings, path: &Path) -> bool {
    // A key that was configured may have been put there for a database that is to come.
    mark(path).exists() || settings.key_file.is_none() && key_file(settings, path).exists()
}

fn make(path: &Path, file: &Path) -> Result<Seal, StoreError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(StoreError::Failed(format!(
            "cannot make the database {}: there is no folder {}",
            path.display(),
            folder.display()
        )));
    }
    let given = match EncryptionKey::from_environment()? {
        Some(key) => Some(key),
        None => EncryptionKey::read(file)?,
    };
    let key = given.map_or_else(|| EncryptionKey::make(&unpublished(file)), Ok)?;
    let seal = Seal::new(key)?;
    let check = Write::Put { key: KEY_CHECK.to_owned(), value: KEY_CHECK_VALUE.to_vec(), expires_in: None };
    remove_empty(path)?;
    sqlite::make(path, &seal.seal_write(&check)?)?;
    publish(file)?;
    set_mark(path);
    // Another process may have been faster with its key.
    Seal::new(EncryptionKey::find(file)?)
}

/// Removes a file without content, as `touch` makes one.
fn remove_empty(path: &Path) -> Result<(), StoreError> {
    match path.metadata() {
        Ok(metadata) if metadata.len() == 0 => fs::remove_file(path)
            .map_err(|error| StoreError::Failed(format!("cannot replace {}: {error}", path.display()))),
        _ => Ok(()),
    }
}

/// Gives a key that was just made its name, unless there is one of that name; processes that start at once do
/// so together.
fn publish(file: &Path) -> Result<(), StoreError> {
    let made = unpublished(file);
    let failed = |error| StoreError::Failed(format!("cannot make {}: {error}", file.display()));
    match fs::hard_link(&made, file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
        _ => {}
    }
    match fs::remove_file(&made) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
        _ => Ok(()),
    }
}

fn unpublished(file: &Path) -> PathBuf {
    with_end(file, ".new")
}

/// A file that says that there was a database.
fn mark(path: &Path) -> PathBuf {
    with_end(path, ".made")
}

fn set_mark(path: &Path) {
    let text =
        "claimgate has made the database next to this file. Without it, it does not make another one.\n";
    match new_file::write(&mark(path), text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            tracing::warn!("cannot mark that there is a database: {error}");
        }
        _ => {}
    }
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
