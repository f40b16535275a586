//! Where what is changed while the gateway runs is kept: records, which are values with a key each.
//!
//! Everything that is stored goes through a [`Store`]. There are two kinds: one file of SQLite for one
//! gateway, or an etcd that many gateways share. Values are encrypted before they reach either, keys are
//! not; so nothing secret belongs into a key.

mod encryption_key;
mod etcd;
mod first_start;
mod keys;
mod last_snapshot;
mod new_file;
mod seal;
mod sqlite;
mod watch;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use claimgate_config::environment;
use claimgate_config::snapshot::{StoreBackend, StoreSettings};
use tokio::sync::OnceCell;

pub use self::last_snapshot::LastSnapshot;
pub use self::watch::{Event, Watch};

use self::encryption_key::{EncryptionKey, VARIABLE};
use self::etcd::Etcd;
pub use self::first_start::init;
use self::seal::Seal;
use self::sqlite::Sqlite;

/// The record by which the key for the values is known to be the right one.
/// The record that is written to find out whether a store can be written to, and how long it is kept.
const PROBE: &str = "meta/probe";
const PROBE_LASTS: Duration = Duration::from_secs(60);

const KEY_CHECK: &str = "meta/key-check";
const KEY_CHECK_VALUE: &[u8] = b"claimgate";

/// Records, kept durably. A clone is the same store.
#[derive(Debug, Clone)]
pub struct Store {
    backend: Backend,
    seal: Arc<Seal>,
    /// Set when the key has been found to be the right one.
    checked: Arc<OnceCell<()>>,
    /// Why the last commit could not be written.
    not_writable: Arc<tokio::sync::watch::Sender<Option<String>>>,
}

#[derive(Debug, Clone)]
enum Backend {
    Sqlite(Arc<Sqlite>),
    Etcd(Arc<Etcd>),
}

/// A value, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// A path such as `documents/customDomains/api.example.com`.
    pub key: String,
    /// What it holds.
    pub value: Vec<u8>,
    /// The revision of the commit that wrote it.
    pub version: u64,
}

/// Records as they were at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// In the order of their keys' bytes.
    pub records: Vec<Record>,
    /// The last commit that they include.
    pub revision: u64,
}

/// What has to hold for a commit to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// There is no record of this key.
    Absent {
        /// The key.
        key: String,
    },
    /// The record was written last by this commit.
    At {
        /// Its key.
        key: String,
        /// Its [`Record::version`].
        version: u64,
    },
}

/// A change of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Makes or replaces it.
    Put {
        /// Its key.
        key: String,
        /// What it holds from now on.
        value: Vec<u8>,
        /// How long it is kept, at least; etcd may keep it a tenth longer.
        expires_in: Option<Duration>,
    },
    /// Removes it, if it is there.
    Delete {
        /// Its key.
        key: String,
    },
}

/// Why nothing was read, or nothing written.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum StoreError {
    /// The store does not answer now, and may do so later.
    #[error("the store cannot be reached: {0}")]
    Unreachable(String),
    /// The store can be read, and nothing can be written to it now: its disk is full, it is read-only.
    #[error("{0}")]
    NotWritable(String),
    /// What the store holds was encrypted with another key.
    #[error("the store was made with another key than {0}; give it that key")]
    WrongKey(String),
    /// What is to be written is more than the store takes at once.
    #[error("{0}")]
    TooLarge(String),
    /// Anything else, in words.
    #[error("{0}")]
    Failed(String),
}

/// Why a commit is not known to have been made.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum CommitError {
    /// A condition does not hold; nothing was written.
    #[error("'{key}' was changed in the meantime")]
    Conflict {
        /// The key in the condition.
        key: String,
    },
    /// The connection was lost while the answer was awaited: all may have been written, or nothing.
    #[error("it is not known whether the change was stored: {0}")]
    Unknown(String),
    /// Nothing was written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Opens the store, and makes it if it is a database that never was there.
    ///
    /// That an etcd cannot be reached is no error here, but one of each operation until it can; its key is
    /// checked by the first one that reaches it.
    pub async fn open(settings: &StoreSettings) -> Result<Self, StoreError> {
        match &settings.backend {
            StoreBackend::Sqlite(path) => {
                let seal = first_start::prepare(settings, path)?;
                let store = Self::with_seal(Backend::Sqlite(Arc::new(Sqlite::open(path)?)), seal);
                store.check_key().await?;
                Ok(store)
            }
            StoreBackend::Etcd(etcd) => {
                let key = EncryptionKey::find_shared(settings.key_file.as_deref())?;
                Self::new(Backend::Etcd(Arc::new(Etcd::new(etcd)?)), key)
            }
        }
    }

    /// Opens a store that is to be looked at alone; `None` when it is a database that is not there.
    pub async fn open_to_read(settings: &StoreSettings) -> Result<Option<Self>, StoreError> {
        match &settings.backend {
            StoreBackend::Sqlite(path) if !path.exists() && !first_start::was_there(settings, path) => {
                Ok(None)
            }
            _ => Self::open(settings).await.map(Some),
        }
    }

    fn new(backend: Backend, key: EncryptionKey) -> Result<Self, StoreError> {
        Ok(Self::with_seal(backend, Seal::new(key)?))
    }

    fn with_seal(backend: Backend, seal: Seal) -> Self {
        Self { backend, seal: Arc::new(seal), checked: Arc::default(), not_writable: Arc::default() }
    }

    /// Closes the store at the end of the process, so that everything is in the database's one file. Nothing can be
    /// done with it any more.
    pub async fn close(&self) -> Result<(), StoreError> {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.close().await,
            Backend::Etcd(_) => Ok(()),
        }
    }

    /// The record of a key.
    pub async fn get(&self, key: &str) -> Result<Option<Record>, StoreError> {
        self.check_key().await?;
        let record = self.get_sealed(key).await?;
        record.map(|record| self.seal.open_record(record)).transpose()
    }

    /// All records whose keys begin with this.
    pub async fn list(&self, prefix: &str) -> Result<Listing, StoreError> {
        self.check_key().await?;
        let listing = match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.list(prefix, None, None).await?,
            Backend::Etcd(etcd) => etcd.list(prefix, None, None).await?,
        };
        self.seal.open_listing(listing)
    }

    /// The first records whose keys begin with this and come after another key, at most so many.
    pub async fn list_page(
        &self,
        prefix: &str,
        after_key: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        self.check_key().await?;
        let listing = match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.list(prefix, after_key, Some(limit)).await?,
            Backend::Etcd(etcd) => etcd.list(prefix, after_key, Some(limit)).await?,
        };
        Ok(self.seal.open_listing(listing)?.records)
    }

    /// Makes all of these changes if all conditions hold, and none otherwise. They are durable when this
    /// returns, and a later `get` or `list` of anybody sees them.
    ///
    /// Gives the revision, which each commit that changes something raises. No key may be written twice.
    /// Where several write the same records, have each condition on a record that each of them writes: only
    /// then is a commit repeated when a connection breaks, and no delayed one can undo a later one.
    pub async fn commit(&self, conditions: &[Condition], writes: &[Write]) -> Result<u64, CommitError> {
        refuse_repeated(writes)?;
        self.check_key().await?;
        let committed = self.commit_unchecked(conditions, writes).await;
        match &committed {
            Ok(_) => self.note_not_writable(None),
            Err(CommitError::Store(StoreError::NotWritable(why))) => self.note_not_writable(Some(why)),
            Err(_) => {}
        }
        committed
    }

    /// Why nothing can be written, as long as that is so; known since the last commit or look.
    pub fn not_writable(&self) -> tokio::sync::watch::Receiver<Option<String>> {
        self.not_writable.subscribe()
    }

    /// Looks whether there is room for changes; after one that could not be stored, by writing something small.
    pub async fn look_for_room(&self) {
        let room = match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.check_room().await,
            Backend::Etcd(_) => Ok(()),
        };
        if let Err(StoreError::NotWritable(why)) = &room {
            self.note_not_writable(Some(why));
        } else if self.not_writable.borrow().is_some() {
            let put = Write::Put { key: PROBE.to_owned(), value: Vec::new(), expires_in: Some(PROBE_LASTS) };
            // What comes of it is noted.
            let _ = self.commit(&[], &[put]).await;
        }
    }

    fn note_not_writable(&self, why: Option<&String>) {
        self.not_writable.send_if_modified(|before| {
            let is_other = before.as_ref() != why;
            if is_other {
                *before = why.cloned();
            }
            is_other
        });
    }

    /// Overwrites what was removed, so that nothing of it is left in the files of the database. An etcd keeps
    /// what was removed until it is compacted.
    pub async fn erase_removed(&self) -> Result<(), StoreError> {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.erase_removed().await,
            Backend::Etcd(_) => Ok(()),
        }
    }

    /// Tells of every change after a revision to records whose keys begin with this.
    pub fn watch(&self, prefix: &str, after_revision: u64) -> Watch {
        let events = match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.watch(prefix, after_revision),
            Backend::Etcd(etcd) => etcd.watch(prefix, after_revision),
        };
        Watch::new(events, Arc::clone(&self.seal))
    }

    /// Saves in a file what was listed, in place of what was saved before; complete or not at all.
    pub async fn save_snapshot(&self, file: &Path, listing: Arc<Listing>) -> Result<(), StoreError> {
        let (store, file) = (self.clone(), file.to_owned());
        blocking(move || last_snapshot::save(&file, &store.seal, store.name(), &listing)).await
    }

    /// Loads what was saved last; `None` when nothing was.
    pub async fn load_snapshot(&self, file: &Path) -> Result<Option<LastSnapshot>, StoreError> {
        let (store, file) = (self.clone(), file.to_owned());
        blocking(move || last_snapshot::load(&file, &store.seal, store.name())).await
    }

    /// By which its snapshots are told from those of another store.
    fn name(&self) -> &str {
        match &self.backend {
            Backend::Sqlite(_) => "a database",
            Backend::Etcd(etcd) => etcd.root(),
        }
    }

    /// Looks, once, whether the store's values are encrypted with this key; that of an empty store is noted.
    async fn check_key(&self) -> Result<(), StoreError> {
        self.checked.get_or_try_init(|| self.find_key_check()).await?;
        Ok(())
    }

    async fn find_key_check(&self) -> Result<(), StoreError> {
        let absent = [Condition::Absent { key: KEY_CHECK.to_owned() }];
        let put = Write::Put { key: KEY_CHECK.to_owned(), value: KEY_CHECK_VALUE.to_vec(), expires_in: None };
        if self.found_key_check().await? {
            return Ok(());
        }
        match self.commit_unchecked(&absent, &[put]).await {
            Ok(_) => Ok(()),
            // Somebody else was faster.
            Err(CommitError::Conflict { .. }) => self.found_key_check().await.map(|_| ()),
            Err(CommitError::Unknown(why)) => Err(StoreError::Unreachable(why)),
            Err(CommitError::Store(error)) => Err(error),
        }
    }

    async fn found_key_check(&self) -> Result<bool, StoreError> {
        let found = self.get_sealed(KEY_CHECK).await?;
        match found.map(|record| self.seal.open_record(record)) {
            None => Ok(false),
            Some(Ok(_)) => Ok(true),
            Some(Err(_)) => Err(StoreError::WrongKey(self.seal.key_name().to_owned())),
        }
    }

    async fn get_sealed(&self, key: &str) -> Result<Option<Record>, StoreError> {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.get(key).await,
            Backend::Etcd(etcd) => etcd.get(key).await,
        }
    }

    async fn commit_unchecked(&self, conditions: &[Condition], writes: &[Write]) -> Result<u64, CommitError> {
        let writes = writes.iter().map(|write| self.seal.seal_write(write)).collect::<Result<Vec<_>, _>>()?;
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.commit(conditions.to_vec(), writes).await,
            Backend::Etcd(etcd) => etcd.commit(conditions, &writes).await,
        }
    }
}

/// Copies the database of a store, which may be in use, to a file that must not be there yet.
///
/// The file appears complete or not at all. What it holds is encrypted as in the store, so that the key of
/// the store has to be kept too, and elsewhere.
pub async fn backup(settings: &StoreSettings, to: &Path) -> Result<(), StoreError> {
    let (database, to) = (database(settings, "etcdctl snapshot save")?.to_owned(), to.to_owned());
    blocking(move || sqlite::backup(&database, &to)).await
}

/// Makes the database of a store, which must not be there, of a backup. The store's key has to be there: it
/// is checked, as the backup is, before anything is written.
pub async fn restore(settings: &StoreSettings, from: &Path) -> Result<(), StoreError> {
    let (database, from) = (database(settings, "etcdctl snapshot restore")?.to_owned(), from.to_owned());
    let seal = Seal::new(EncryptionKey::find(&key_file(settings, &database))?)?;
    let check = move |record: Option<Record>| match record.map(|record| seal.open_record(record)) {
        Some(Err(_)) => Err(StoreError::WrongKey(seal.key_name().to_owned())),
        _ => Ok(()),
    };
    blocking(move || sqlite::restore(&from, &database, KEY_CHECK, check)).await
}

/// Where the key of a store is: the name of its file or of the environment variable.
pub fn key_name(settings: &StoreSettings) -> String {
    let file = match &settings.backend {
        StoreBackend::Sqlite(database) => Some(key_file(settings, database)),
        StoreBackend::Etcd(_) => settings.key_file.clone(),
    };
    file.filter(|_| environment::var_os(VARIABLE).is_none())
        .map_or_else(|| VARIABLE.to_owned(), |file| file.display().to_string())
}

fn database<'a>(settings: &'a StoreSettings, instead: &str) -> Result<&'a Path, StoreError> {
    match &settings.backend {
        StoreBackend::Sqlite(path) => Ok(path),
        StoreBackend::Etcd(_) => {
            Err(StoreError::Failed(format!("the store is an etcd; use its own command: {instead}")))
        }
    }
}

/// The file of the key: as it is configured, or beside the database.
fn key_file(settings: &StoreSettings, database: &Path) -> PathBuf {
    settings.key_file.clone().unwrap_or_else(|| database.with_extension("key"))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(StoreError::Failed(format!("the store's work was ended: {error}"))))
}

fn refuse_repeated(writes: &[Write]) -> Result<(), StoreError> {
    let mut keys = BTreeSet::new();
    match writes.iter().find(|write| !keys.insert(write.key())) {
        Some(write) => Err(StoreError::Failed(format!("'{}' is written twice in one commit", write.key()))),
        None => Ok(()),
    }
}

impl Write {
    /// The key of the record that it changes.
    pub fn key(&self) -> &str {
        match self {
            Self::Put { key, .. } | Self::Delete { key } => key,
        }
    }
}

impl Condition {
    /// The key of the record that it is about.
    pub fn key(&self) -> &str {
        match self {
            Self::Absent { key } | Self::At { key, .. } => key,
        }
    }
}
