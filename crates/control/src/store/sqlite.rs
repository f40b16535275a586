//! The store of one gateway: a file of SQLite.
//!
//! One thread has the connection and does what it is sent. Twice a second it looks whether another process,
//! such as the command line, has written too.

mod backup;
mod records;
mod schema;

use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self as jobs, RecvTimeoutError, TrySendError};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::{mpsc, oneshot, watch};

pub(super) use self::backup::{backup, restore};

use super::{CommitError, Condition, Event, Listing, Record, StoreError, Write, new_file};

/// On a disk with less room than this a change is likely to fail, in bytes: one document may take so much.
const LEAST_ROOM: u64 = 1024 * 1024;

/// How often other processes' commits are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often expired records are removed. Nobody sees them before that either.
const PURGE_EVERY: Duration = Duration::from_secs(5);
/// How long another process may hold the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const WAITING_EVENTS: usize = 16;
/// How many may wait for the database at once.
const MOST_WAITING: usize = 256;
/// How long one may wait for those before it.
const MOST_WAIT: Duration = Duration::from_secs(10);

/// A database and the thread that uses it, which ends with the last reference to this.
#[derive(Debug)]
pub(super) struct Sqlite {
    path: PathBuf,
    jobs: jobs::SyncSender<Job>,
    /// Raised when something may have changed.
    changed: watch::Sender<u64>,
}

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

impl Sqlite {
    /// Opens the database, which is there.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = schema::open(path)?;
        let (sender, receiver) = jobs::sync_channel(MOST_WAITING);
        let changed = watch::Sender::new(0);
        let thread_changed = changed.clone();
        thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || work(connection, &receiver, &thread_changed))
            .map_err(|error| StoreError::Failed(format!("cannot start the thread of the store: {error}")))?;
        Ok(Self { path: path.to_owned(), jobs: sender, changed })
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Record>, StoreError> {
        let key = key.to_owned();
        self.run(move |connection| records::get(connection, &key)).await
    }

    /// Records whose keys begin with this and come after another, at most so many.
    pub(super) async fn list(
        &self,
        prefix: &str,
        after_key: Option<&str>,
        limit: Option<usize>,
    ) -> Result<Listing, StoreError> {
        let (prefix, after_key) = (prefix.to_owned(), after_key.map(str::to_owned));
        self.run(move |connection| records::list(connection, &prefix, after_key.as_deref(), limit)).await
    }

    pub(super) async fn commit(
        &self,
        conditions: Vec<Condition>,
        writes: Vec<Write>,
    ) -> Result<u64, CommitError> {
        let changed = self.changed.clone();
        let committed = self.run(move |connection| {
            let committed = records::commit(connection, &conditions, &writes);
            changed.send_modify(|times| *times += 1);
            committed
        });
        committed.await?.map_err(|key| CommitError::Conflict { key })
    }

    /// Looks whether the disk has room for changes.
    pub(super) async fn check_room(&self) -> Result<(), StoreError> {
        let path = self.path.clone();
        let free = super::blocking(move || {
            let disk = rustix::fs::statvfs(&path);
            disk.map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)).map_err(|error| {
                StoreError::Failed(format!(
                    "cannot look at the disk of the database {}: {error}",
                    path.display()
                ))
            })
        });
        if free.await? < LEAST_ROOM {
            let path = self.path.display();
            return Err(StoreError::NotWritable(format!("the disk of the database {path} is full")));
        }
        Ok(())
    }

    /// Closes the connection, with which SQLite moves what is in the write-ahead log into the database.
    pub(super) async fn close(&self) -> Result<(), StoreError> {
        let close = |connection: &mut Connection| {
            let open = mem::replace(connection, Connection::open_in_memory()?);
            open.close().map_err(|(_, error)| error)
        };
        self.run(close).await
    }

    /// Writes the database anew without what was removed, and empties its write-ahead log.
    pub(super) async fn erase_removed(&self) -> Result<(), StoreError> {
        match self.run(records::erase_removed).await? {
            true => Ok(()),
            false => Err(StoreError::Failed(format!(
                "it was removed, but may still be found in {}-wal, as another process was reading the database; \
                 run the same again",
                self.path.display()
            ))),
        }
    }

    /// Sends what changes after a revision, until nobody listens.
    pub(super) fn watch(self: &Arc<Self>, prefix: &str, after: u64) -> mpsc::Receiver<Event> {
        let (sender, receiver) = mpsc::channel(WAITING_EVENTS);
        tokio::spawn(Arc::clone(self).follow(prefix.to_owned(), after, sender));
        receiver
    }

    async fn follow(self: Arc<Self>, prefix: String, mut after: u64, events: mpsc::Sender<Event>) {
        let mut changed = self.changed.subscribe();
        let mut reachable = true;
        loop {
            changed.borrow_and_update();
            let prefix = prefix.clone();
            let mut happened = Vec::new();
            match self.run(move |connection| records::changes(connection, &prefix, after)).await {
                Ok(Some((revision, records))) => {
                    after = revision;
                    if !mem::replace(&mut reachable, true) {
                        happened.push(Event::Reachable);
                    }
                    if !records.is_empty() {
                        happened.push(Event::Changed { revision, records });
                    }
                }
                Ok(None) => happened.push(Event::Lost),
                Err(error) if mem::replace(&mut reachable, false) => {
                    happened.push(Event::Unreachable(error.to_string()));
                }
                Err(_) => {}
            }
            for event in happened {
                let is_end = event == Event::Lost;
                if events.send(event).await.is_err() || is_end {
                    return;
                }
            }
            let again = async {
                if !reachable || changed.changed().await.is_err() {
                    tokio::time::sleep(LOOK_EVERY).await;
                }
            };
            tokio::select! {
                () = again => {}
                () = events.closed() => return,
            }
        }
    }

    /// Has the thread do something, and waits for what comes of it.
    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let ended = || StoreError::Failed("the thread of the store has ended".to_owned());
        let (answer, answered) = oneshot::channel();
        let since = Instant::now();
        let job: Job = Box::new(move |connection| {
            // Who is gone wants no answer any more, and who has waited long gives up on it.
            if !answer.is_closed() && since.elapsed() < MOST_WAIT {
                let _ = answer.send(job(connection));
            }
        });
        let busy =
            || StoreError::Unreachable(format!("too many wait for the database {}", self.path.display()));
        match self.jobs.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(busy()),
            Err(TrySendError::Disconnected(_)) => return Err(ended()),
        }
        // Without an answer it was given up on; the thread ends with the last reference to it, which is held here.
        answered.await.map_err(|_| busy())?.map_err(|error| explain(&self.path, &error))
    }
}

/// Does what is sent, and in between what is due, until nobody can send any more.
fn work(mut connection: Connection, jobs: &jobs::Receiver<Job>, changed: &watch::Sender<u64>) {
    let mut seen = None;
    let mut looked = Instant::now();
    let mut purged = Instant::now();
    loop {
        match jobs.recv_timeout(LOOK_EVERY.saturating_sub(looked.elapsed())) {
            Ok(job) => job(&mut connection),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let mut is_changed = false;
        if purged.elapsed() >= PURGE_EVERY {
            is_changed = records::purge(&mut connection).unwrap_or_else(|error| {
                tracing::warn!(%error, "cannot remove what has expired from the store");
                false
            });
            purged = Instant::now();
        }
        if looked.elapsed() >= LOOK_EVERY {
            // Differs from before when another connection has committed.
            let version = connection.query_row("PRAGMA data_version", [], |row| row.get::<_, i64>(0)).ok();
            is_changed |= version != mem::replace(&mut seen, version);
            looked = Instant::now();
        }
        if is_changed {
            changed.send_modify(|times| *times += 1);
        }
    }
}

/// Makes a database with one record, unless there is a file of that name. Only its owner may read it, and
/// SQLite gives the same rights to the files that it keeps beside it. It appears complete, so that no two
/// processes are in each other's way while it becomes one.
pub(super) fn make(path: &Path, record: &Write) -> Result<(), StoreError> {
    let cannot_make =
        |error| StoreError::Failed(format!("cannot make the database {}: {error}", path.display()));
    let file = new_file::beside(path).map_err(cannot_make)?;
    let mut connection = schema::open(file.path())?;
    let committed = records::commit(&mut connection, &[], std::slice::from_ref(record));
    drop(committed.map_err(|error| explain(path, &error))?);
    drop(connection);
    match new_file::keep(file, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(cannot_make(error)),
        _ => Ok(()),
    }
}

/// Whether a database is there that holds a record.
pub(super) fn holds(path: &Path, record: &str) -> Result<bool, StoreError> {
    let Ok(metadata) = path.metadata() else { return Ok(false) };
    if metadata.len() == 0 {
        return Ok(false);
    }
    let connection = schema::open(path)?;
    let found = records::get(&connection, record).map_err(|error| explain(path, &error))?;
    Ok(found.is_some())
}

/// What went wrong with a database, and what can be done about it.
fn explain(path: &Path, error: &rusqlite::Error) -> StoreError {
    let path = path.display();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => {
            return StoreError::NotWritable(format!("the disk of the database {path} is full"));
        }
        Some(ErrorCode::ReadOnly) => {
            return StoreError::NotWritable(format!("the database {path} may not be written by this user"));
        }
        _ => {}
    }
    StoreError::Failed(match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            format!("the database {path} is damaged, or is none; restore a backup of it ({error})")
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            format!("another process has held the database {path} for more than {BUSY_TIMEOUT:?}")
        }
        _ => format!("cannot use the database {path}: {error}"),
    })
}
