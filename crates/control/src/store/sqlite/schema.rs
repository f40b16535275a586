//! What a database looks like, and how one becomes what this version needs.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::{BUSY_TIMEOUT, StoreError, explain};

/// By which a database of claimgate is known (`PRAGMA application_id`): "clgt".
const APPLICATION: i32 = 0x636c_6774;

/// Each raises `PRAGMA user_version` by one. What was released never changes; new ones are added at the end.
const MIGRATIONS: &[&str] = &["
    -- A record that was removed stays for a while without value, so that watchers can be told.
    CREATE TABLE records (
        key TEXT NOT NULL PRIMARY KEY,
        value BLOB,
        revision INTEGER NOT NULL,
        expires INTEGER -- milliseconds since 1970
    ) STRICT;
    CREATE INDEX records_by_revision ON records (revision);
    CREATE INDEX records_that_expire ON records (expires) WHERE expires IS NOT NULL;
    CREATE INDEX removed_records ON records (revision) WHERE value IS NULL;
    -- One row: the last commit, and the last one of which a removed record may be forgotten.
    CREATE TABLE state (revision INTEGER NOT NULL, forgotten INTEGER NOT NULL) STRICT;
    INSERT INTO state VALUES (0, 0);
"];

/// Why a database is not used.
#[derive(Debug)]
pub(super) enum SchemaError {
    Newer(usize),
    Foreign,
    Sqlite(rusqlite::Error),
}

/// Opens a database that is there, and makes it what this version needs.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    // Without SQLITE_OPEN_CREATE, which would make a file that others can read.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(|error| explain(path, &error))?;
    prepare(&mut connection).map_err(|error| error.of(path))?;
    Ok(connection)
}

fn prepare(connection: &mut Connection) -> Result<(), SchemaError> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    check(connection)?;
    // A commit is on the disk when it returns, and readers do not wait for writers.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // What is removed or replaced is overwritten with zeros.
    connection.pragma_update(None, "secure_delete", true)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been faster.
    let version = check(&transaction)?;
    for migration in MIGRATIONS.iter().skip(version) {
        transaction.execute_batch(migration)?;
    }
    if version < MIGRATIONS.len() {
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", MIGRATIONS.len() as i64)?;
    }
    transaction.commit()?;
    Ok(())
}

/// How many migrations a database has had, none when it is empty.
pub(super) fn check(connection: &Connection) -> Result<usize, SchemaError> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match usize::try_from(version) {
        Ok(0) if tables == 0 => Ok(0),
        Ok(version) if application == APPLICATION && version > MIGRATIONS.len() => {
            Err(SchemaError::Newer(version))
        }
        Ok(version) if application == APPLICATION => Ok(version),
        _ => Err(SchemaError::Foreign),
    }
}

impl SchemaError {
    /// Says of which database it is.
    pub(super) fn of(self, path: &Path) -> StoreError {
        let name = path.display();
        StoreError::Failed(match self {
            Self::Newer(version) => format!(
                "the database {name} was written by a newer claimgate: it has version {version}, this one \
                 knows versions up to {}",
                MIGRATIONS.len()
            ),
            Self::Foreign => format!("the database {name} belongs to another program"),
            Self::Sqlite(error) => return explain(path, &error),
        })
    }
}

impl From<rusqlite::Error> for SchemaError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}
