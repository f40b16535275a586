//! What tests of all stores need.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::time::Duration;

use claimgate_config::snapshot::{StoreBackend, StoreSettings};
use claimgate_control::store::{CommitError, Condition, Event, Listing, Record, Store, Watch, Write};

/// What is far more than anything takes that works.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub fn sqlite(path: &Path) -> StoreSettings {
    StoreSettings { backend: StoreBackend::Sqlite(path.to_owned()), key_file: None, allow_files: Vec::new() }
}

pub fn put(key: &str, value: &str) -> Write {
    Write::Put { key: key.to_owned(), value: value.as_bytes().to_vec(), expires_in: None }
}

pub fn put_for(key: &str, value: &str, time: Duration) -> Write {
    Write::Put { key: key.to_owned(), value: value.as_bytes().to_vec(), expires_in: Some(time) }
}

pub fn delete(key: &str) -> Write {
    Write::Delete { key: key.to_owned() }
}

pub fn absent(key: &str) -> Condition {
    Condition::Absent { key: key.to_owned() }
}

pub fn at(key: &str, version: u64) -> Condition {
    Condition::At { key: key.to_owned(), version }
}

pub fn conflict(key: &str) -> Result<u64, CommitError> {
    Err(CommitError::Conflict { key: key.to_owned() })
}

/// Keys and values, for comparison.
pub fn contents(listing: &Listing) -> BTreeMap<String, String> {
    listing.records.iter().map(|record| (record.key.clone(), text(record))).collect()
}

pub fn text(record: &Record) -> String {
    String::from_utf8(record.value.clone()).unwrap()
}

pub fn map<const N: usize>(entries: [(&str, &str); N]) -> BTreeMap<String, String> {
    entries.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

/// What a watch has told up to now.
#[derive(Default)]
pub struct Seen {
    pub records: BTreeMap<String, String>,
    pub revision: u64,
    pub lost: bool,
}

impl Seen {
    pub fn of(listing: &Listing) -> Self {
        Self { records: contents(listing), revision: listing.revision, lost: false }
    }

    pub fn take(&mut self, event: Event) {
        match event {
            Event::Changed { revision, records } => {
                assert!(revision > self.revision, "{revision} after {}", self.revision);
                self.revision = revision;
                for (key, record) in records {
                    match record {
                        Some(record) => {
                            assert_eq!(record.key, key);
                            assert!(record.version <= revision);
                            self.records.insert(key, text(&record));
                        }
                        None => drop(self.records.remove(&key)),
                    }
                }
            }
            Event::Lost => self.lost = true,
            Event::Unreachable(_) | Event::Reachable => {}
        }
    }

    /// Takes events until this revision has been seen.
    pub async fn catch_up(&mut self, watch: &mut Watch, revision: u64) {
        within(async {
            while self.revision < revision && !self.lost {
                let event = watch.next().await;
                self.take(event);
            }
        })
        .await;
        assert!(!self.lost);
    }
}

/// Waits, and fails if it takes forever.
pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("this takes forever")
}

/// Asks until it is so.
pub async fn until<F: Future<Output = bool>>(what: &str, mut ask: impl FnMut() -> F) {
    let asked = async {
        while !ask().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// All that a store holds.
pub async fn all(store: &Store) -> BTreeMap<String, String> {
    let mut all = contents(&store.list("").await.unwrap());
    all.remove("meta/key-check");
    all
}
