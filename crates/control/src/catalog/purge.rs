//! Removes earlier versions of documents from the store, and what they held from its files.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, SystemTime};

use claimgate_config::DocumentKind;

use super::records::{self, DOCUMENTS, GENERATION, HISTORY, Value, parse_history_key, parse_key};
use crate::store::{CommitError, Store, StoreError, Write};

/// Records that are read, and removed, at once.
const BATCH: usize = 500;

/// Which versions are removed: those that fit everything that is given here. The version in which a document
/// is stored stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Purge {
    /// Of documents of this kind only.
    pub kind: Option<DocumentKind>,
    /// Of documents of this name only, which may have been deleted.
    pub name: Option<String>,
    /// Versions that were made longer ago than this only.
    pub older_than: Option<Duration>,
}

/// What was removed, or would be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purged {
    /// How many versions.
    pub versions: usize,
    /// How many documents they are of.
    pub documents: usize,
}

impl Purge {
    /// Removes the versions; with `dry_run` it only counts them. A gateway may use the store meanwhile.
    ///
    /// # Errors
    ///
    /// When the store cannot be read or written. Some of the versions may have been removed then; it can be
    /// done again.
    pub async fn make(&self, store: &Store, dry_run: bool) -> Result<Purged, StoreError> {
        let current = Current::read(store).await?;
        let before = self.older_than.and_then(|age| SystemTime::now().checked_sub(age));
        let (mut after, mut documents, mut purged) = (None, BTreeSet::new(), Purged::default());
        loop {
            let page = store.list_page(HISTORY, after.as_deref(), BATCH).await?;
            let is_last = page.len() < BATCH;
            after = page.last().map(|record| record.key.clone());
            let mut writes = Vec::new();
            for record in page {
                let Some((kind, name, version)) = parse_history_key(&record.key) else { continue };
                let is_old = || match (before, self.older_than, Value::parse(&record.value)) {
                    (Some(before), _, Ok(value)) => value.into_version().at < before,
                    // What cannot be read has no time, and what is older than all time is not there.
                    (None, Some(_), _) => false,
                    _ => true,
                };
                if self.names(kind, name) && !current.has(kind, name, version) && is_old() {
                    documents.insert((kind, name.to_owned()));
                    writes.push(Write::Delete { key: record.key.clone() });
                }
            }
            purged.versions += writes.len();
            if !dry_run && !writes.is_empty() {
                store.commit(&[], &writes).await.map_err(|error| match error {
                    CommitError::Store(error) => error,
                    error => StoreError::Unreachable(error.to_string()),
                })?;
            }
            if is_last {
                break;
            }
        }
        if !dry_run {
            store.erase_removed().await?;
        }
        purged.documents = documents.len();
        Ok(purged)
    }

    fn names(&self, kind: DocumentKind, name: &str) -> bool {
        let is_same = |wanted: &String| match kind {
            DocumentKind::CustomDomain => wanted.eq_ignore_ascii_case(name),
            DocumentKind::Function => wanted == name,
        };
        self.kind.is_none_or(|wanted| wanted == kind) && self.name.as_ref().is_none_or(is_same)
    }
}

/// The versions in which documents are stored.
struct Current {
    versions: HashMap<(DocumentKind, String), u64>,
    /// The last of all versions. Later ones were made while this one was looked at.
    generation: u64,
}

impl Current {
    async fn read(store: &Store) -> Result<Self, StoreError> {
        let mut current = Self { versions: HashMap::new(), generation: 0 };
        for record in store.list(DOCUMENTS).await?.records {
            if record.key == GENERATION {
                current.generation = records::number(&record.value).unwrap_or_default();
            } else if let (Some((kind, name)), Ok(value)) =
                (parse_key(&record.key), Value::parse(&record.value))
            {
                current.versions.insert((kind, name.to_owned()), value.version);
            }
        }
        Ok(current)
    }

    /// Whether a version is one in which a document is stored, or may be.
    fn has(&self, kind: DocumentKind, name: &str, version: u64) -> bool {
        version > self.generation || self.versions.get(&(kind, name.to_owned())) == Some(&version)
    }
}
