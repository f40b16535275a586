//! A copy of a database in one file, and the way back.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use tempfile::NamedTempFile;

use super::schema::{self, SchemaError};
use super::{BUSY_TIMEOUT, Record, StoreError, explain, new_file, records};

/// Copies a database, which may be in use, to a file that must not be there yet.
pub(in super::super) fn backup(database: &Path, to: &Path) -> Result<(), StoreError> {
    let connection = open(database)?;
    let file = copy(&connection, database, to)?;
    new_file::keep(file, to).map_err(|error| cannot_write(to, &error))
}

/// Makes a database of a backup. `check` sees a record of it before anything is written.
pub(in super::super) fn restore(
    from: &Path,
    database: &Path,
    record: &str,
    check: impl FnOnce(Option<Record>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let beside = ["-wal", "-shm", "-journal"].map(|end| {
        let mut name = database.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    });
    // What a former database left beside it would be taken for changes of the new one.
    for file in [database].into_iter().chain(beside.iter().map(PathBuf::as_path)) {
        if file.symlink_metadata().is_ok() {
            return Err(StoreError::Failed(format!(
                "{} is there already; nothing is overwritten: stop the gateway and move it away first",
                file.display()
            )));
        }
    }
    let connection = open(from)?;
    let intact: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| explain(from, &error))?;
    if intact != "ok" {
        return Err(StoreError::Failed(format!("the backup {} is damaged: {intact}", from.display())));
    }
    check(records::get(&connection, record).map_err(|error| explain(from, &error))?)?;
    let file = copy(&connection, from, database)?;
    drop(schema::open(file.path())?);
    new_file::keep(file, database).map_err(|error| cannot_write(database, &error))
}

/// Opens a database of claimgate that is there, only to be read.
fn open(path: &Path) -> Result<Connection, StoreError> {
    let failed = |error: rusqlite::Error| explain(path, &error);
    if let Err(error) = path.metadata() {
        return Err(StoreError::Failed(format!("cannot read {}: {error}", path.display())));
    }
    // Not read-only: a database that was not closed in order has to be put in order first.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    match schema::check(&connection) {
        Ok(0) => Err(SchemaError::Foreign.of(path)),
        Ok(_) => Ok(connection),
        Err(error) => Err(error.of(path)),
    }
}

/// Writes what a connection sees at one moment to a file that is going to have this name.
fn copy(connection: &Connection, from: &Path, to: &Path) -> Result<NamedTempFile, StoreError> {
    let failed = |error| cannot_write(to, &error);
    if to.symlink_metadata().is_ok() {
        return Err(failed(io::Error::other("it is there already; nothing is overwritten")));
    }
    let file = new_file::beside(to).map_err(failed)?;
    let name = file.path().to_str().ok_or_else(|| failed(io::ErrorKind::InvalidFilename.into()))?;
    connection.execute("VACUUM INTO ?1", [name]).map_err(|error| explain(from, &error))?;
    Ok(file)
}

fn cannot_write(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Failed(format!("cannot write {}: {error}", path.display()))
}
