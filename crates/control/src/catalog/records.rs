//! Documents as records of the store, and all of them read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use claimgate_config::{
    DocumentKind, Problem, Severity, StoredDocuments, StoredDomain, StoredFunction, UnknownFields,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::document::{Document, Origin, Stored, Version};
use super::status::Stamp;
use crate::store::{Listing, Record, Store, StoreError};

/// Beginning of the keys of documents.
pub const DOCUMENTS: &str = "documents/";
/// The record that every commit of documents raises.
pub const GENERATION: &str = "documents/generation";

const KINDS: [DocumentKind; 2] = [DocumentKind::CustomDomain, DocumentKind::Function];

pub fn key(kind: DocumentKind, name: &str) -> String {
    format!("{DOCUMENTS}{}/{name}", kind.list())
}

/// Beginning of the keys of all history.
pub const HISTORY: &str = "history/";

/// Beginning of the keys of a document's history.
pub fn history(kind: DocumentKind, name: &str) -> String {
    format!("{HISTORY}{}/{name}/", kind.list())
}

/// The document and the version whose record has this key.
pub fn parse_history_key(key: &str) -> Option<(DocumentKind, &str, u64)> {
    let (list, rest) = key.strip_prefix(HISTORY)?.split_once('/')?;
    let (name, version) = rest.rsplit_once('/')?;
    let kind = KINDS.into_iter().find(|kind| kind.list() == list)?;
    Some((kind, name, version.parse().ok()?))
}

/// Numbers in keys are padded, so that the order of keys is theirs.
pub fn history_key(kind: DocumentKind, name: &str, version: u64) -> String {
    format!("{}{version:020}", history(kind, name))
}

/// The document whose record has this key.
pub fn parse_key(key: &str) -> Option<(DocumentKind, &str)> {
    let (list, name) = key.strip_prefix(DOCUMENTS)?.split_once('/')?;
    KINDS.into_iter().find(|kind| kind.list() == list).map(|kind| (kind, name))
}

/// The value of a document's record, and of one of its history.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Value {
    pub version: u64,
    pub author: String,
    /// Milliseconds since the Unix epoch.
    pub created: u64,
    pub modified: u64,
    /// `None` in the history of one that was deleted.
    pub document: Option<Box<RawValue>>,
}

impl Value {
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    pub fn of(stored: &Stored, json: Option<&str>) -> Self {
        Self {
            version: stored.version,
            author: stored.author.clone(),
            created: milliseconds(stored.created),
            modified: milliseconds(stored.modified),
            // What was read as JSON is JSON.
            document: json.and_then(|json| RawValue::from_string(json.to_owned()).ok()),
        }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        // A structure of strings and numbers can always be written.
        serde_json::to_vec(self).unwrap_or_default()
    }

    fn stored(&self) -> Stored {
        Stored {
            version: self.version,
            created: time(self.created),
            modified: time(self.modified),
            author: self.author.clone(),
        }
    }

    pub fn into_version(self) -> Version {
        let json = self.document.map(|document| Arc::from(document.get()));
        Version { version: self.version, at: time(self.modified), author: self.author, json }
    }
}

fn time(milliseconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(milliseconds)
}

/// As exact as what is stored.
pub fn now() -> SystemTime {
    time(milliseconds(SystemTime::now()))
}

pub fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// All that is stored, read.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    /// The revision of the store that this is of.
    pub revision: u64,
    /// How many commits of documents there were; 0 before the first.
    pub generation: u64,
    /// The version of the record that tells so.
    pub generation_record: Option<u64>,
    pub parsed: StoredDocuments,
    pub stored: BTreeMap<(DocumentKind, String), Stored>,
    /// The values and versions of records that cannot be read, as they are.
    unreadable: BTreeMap<(DocumentKind, String), (Vec<u8>, u64)>,
}

/// A document that was read.
#[derive(Debug, Clone)]
pub enum Read {
    Domain(Arc<StoredDomain>),
    Function(Arc<StoredFunction>),
}

impl Read {
    pub fn document(
        kind: DocumentKind,
        json: &str,
        unknown: UnknownFields,
    ) -> Result<(Self, Vec<Problem>), Vec<Problem>> {
        match kind {
            DocumentKind::CustomDomain => StoredDomain::read(json, unknown)
                .map(|(domain, warnings)| (Self::Domain(Arc::new(domain)), warnings)),
            DocumentKind::Function => StoredFunction::read(json, unknown)
                .map(|(function, warnings)| (Self::Function(Arc::new(function)), warnings)),
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Self::Domain(domain) => domain.name(),
            Self::Function(function) => function.name(),
        }
    }

    pub fn json(&self) -> &Arc<str> {
        match self {
            Self::Domain(domain) => domain.json(),
            Self::Function(function) => function.json(),
        }
    }
}

impl Contents {
    /// Which state of the documents this is.
    pub fn stamp(&self) -> Stamp {
        Stamp { generation: self.generation, record: self.generation_record }
    }

    /// Takes over the record of a document; with no value it is gone.
    pub fn take(&mut self, key: &str, record: Option<(&[u8], u64)>) {
        if key == GENERATION {
            self.generation_record = record.map(|(_, version)| version);
            self.generation = record.and_then(|(value, _)| number(value)).unwrap_or_default();
            return;
        }
        let Some((kind, name)) = parse_key(key) else { return };
        self.remove(kind, name);
        let Some((value, version)) = record else { return };
        match read_value(kind, name, value) {
            Ok((read, stored)) => self.put(kind, name, read, stored),
            Err(problem) => {
                self.parsed.unreadable.insert((kind, name.to_owned()), problem);
                self.unreadable.insert((kind, name.to_owned()), (value.to_vec(), version));
            }
        }
    }

    /// Whether the record of a document is there and cannot be read.
    pub fn is_unreadable(&self, kind: DocumentKind, name: &str) -> bool {
        self.unreadable.contains_key(&(kind, name.to_owned()))
    }

    fn take_known(&mut self, known: &Contents, kind: DocumentKind, name: &str, value: &[u8]) -> bool {
        let Some(stored) = known.stored.get(&(kind, name.to_owned())) else { return false };
        let is_same = Value::parse(value).is_ok_and(|value| value.stored() == *stored);
        let read = match kind {
            DocumentKind::CustomDomain => known.parsed.domains.get(name).cloned().map(Read::Domain),
            DocumentKind::Function => known.parsed.functions.get(name).cloned().map(Read::Function),
        };
        match read {
            Some(read) if is_same => {
                self.put(kind, name, read, stored.clone());
                true
            }
            _ => false,
        }
    }

    pub fn put(&mut self, kind: DocumentKind, name: &str, read: Read, stored: Stored) {
        self.remove(kind, name);
        match read {
            Read::Domain(domain) => drop(self.parsed.domains.insert(name.to_owned(), domain)),
            Read::Function(function) => drop(self.parsed.functions.insert(name.to_owned(), function)),
        }
        self.stored.insert((kind, name.to_owned()), stored);
    }

    pub fn remove(&mut self, kind: DocumentKind, name: &str) {
        match kind {
            DocumentKind::CustomDomain => drop(self.parsed.domains.remove(name)),
            DocumentKind::Function => drop(self.parsed.functions.remove(name)),
        }
        let key = (kind, name.to_owned());
        self.stored.remove(&key);
        self.parsed.unreadable.remove(&key);
        self.unreadable.remove(&key);
    }

    /// The records that this was read from.
    pub fn listing(&self) -> Listing {
        let mut records = Vec::new();
        for ((kind, name), stored) in &self.stored {
            if let Some(document) = self.find(*kind, name) {
                let value = Value::of(stored, Some(&document.json)).to_bytes();
                records.push(Record { key: key(*kind, name), value, version: stored.version });
            }
        }
        for ((kind, name), (value, version)) in &self.unreadable {
            records.push(Record { key: key(*kind, name), value: value.clone(), version: *version });
        }
        if let Some(version) = self.generation_record {
            let value = self.generation.to_string().into_bytes();
            records.push(Record { key: GENERATION.to_owned(), value, version });
        }
        Listing { records, revision: self.revision }
    }

    pub fn find(&self, kind: DocumentKind, name: &str) -> Option<Document> {
        let stored = self.stored.get(&(kind, name.to_owned()))?;
        let json = match kind {
            DocumentKind::CustomDomain => self.parsed.domains.get(name)?.json(),
            DocumentKind::Function => self.parsed.functions.get(name)?.json(),
        };
        let (name, json) = (name.to_owned(), Arc::clone(json));
        Some(Document { kind, name, json, origin: Origin::Stored(stored.clone()) })
    }

    pub fn documents(&self) -> impl Iterator<Item = Document> {
        self.stored.keys().filter_map(|(kind, name)| self.find(*kind, name))
    }
}

/// Reads all that is stored. Documents that are `known` in the same version are not read again.
pub async fn read_all(store: &Store, known: &Contents) -> Result<Contents, StoreError> {
    Ok(read_listing(&store.list(DOCUMENTS).await?, known))
}

/// Reads what was listed, as [`read_all`].
pub fn read_listing(listing: &Listing, known: &Contents) -> Contents {
    let mut contents = Contents { revision: listing.revision, ..Contents::default() };
    for Record { key, value, version } in &listing.records {
        if let Some((kind, name)) = parse_key(key)
            && contents.take_known(known, kind, name, value)
        {
            continue;
        }
        contents.take(key, Some((value, *version)));
    }
    contents
}

/// Which state of the documents the store is in.
pub async fn read_stamp(store: &Store) -> Result<Stamp, StoreError> {
    let record = store.get(GENERATION).await?;
    let generation = record.as_ref().and_then(|record| number(&record.value)).unwrap_or_default();
    Ok(Stamp { generation, record: record.map(|record| record.version) })
}

fn read_value(kind: DocumentKind, name: &str, value: &[u8]) -> Result<(Read, Stored), Problem> {
    let value = Value::parse(value).map_err(|error| {
        plain(format!("the record cannot be read, it is not what claimgate writes: {error}"))
    })?;
    let json = value.document.as_ref().map_or("null", |document| document.get());
    // What was taken once is taken again, should a field be unknown to this version.
    match Read::document(kind, json, UnknownFields::LeftOut) {
        Ok((read, _)) if read.name() == name => Ok((read, value.stored())),
        Ok((read, _)) => Err(plain(format!("the document in it names {:?}", read.name()))),
        Err(problems) => {
            let first = problems.into_iter().find(|problem| problem.severity == Severity::Error);
            Err(first.unwrap_or_else(|| plain("the document is empty".to_owned())))
        }
    }
}

pub fn number(value: &[u8]) -> Option<u64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// A problem of a document as a whole.
pub fn plain(message: String) -> Problem {
    Problem { severity: Severity::Error, line: 0, column: 0, field: String::new(), message }
}
