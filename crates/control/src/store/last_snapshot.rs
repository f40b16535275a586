//! What was read from the store last, in a file, so that a gateway can start while the store is away.
//!
//! The file is encrypted as a value is. Inside, in numbers with the highest byte first: when it was written
//! (seconds since 1970) and the revision, 8 bytes each; then of each record the key and the value, each after
//! its length in 4 bytes, and the version in 8.

use std::path::Path;
use std::time::{Duration, SystemTime};
use std::{fs, io};

use super::seal::Seal;
use super::{Listing, Record, StoreError, new_file};

/// Records that were read from the store at some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastSnapshot {
    /// The records.
    pub listing: Listing,
    /// When they were saved.
    pub saved_at: SystemTime,
}

/// Replaces a file as a whole. `store` names the store, so that no file is taken for that of another one.
pub(super) fn save(path: &Path, seal: &Seal, store: &str, listing: &Listing) -> Result<(), StoreError> {
    let content = seal.seal(&associated_data(store), &encode(listing)?)?;
    let written = new_file::replace(path, &content);
    written.map_err(|error| StoreError::Failed(format!("cannot write {}: {error}", path.display())))
}

/// Reads a file; `None` when there is none.
pub(super) fn load(path: &Path, seal: &Seal, store: &str) -> Result<Option<LastSnapshot>, StoreError> {
    let failed = |why: &str| Err(StoreError::Failed(format!("cannot use {}: {why}", path.display())));
    let content = match fs::read(path) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return failed(&error.to_string()),
    };
    match seal.open(&associated_data(store), content) {
        None => failed("it is damaged, or was written for another store or with another key"),
        Some(content) => decode(&content).map(Some).map_or_else(|| failed("it is damaged"), Ok),
    }
}

fn associated_data(store: &str) -> String {
    format!("last snapshot of {store}")
}

fn encode(listing: &Listing) -> Result<Vec<u8>, StoreError> {
    let length = |bytes: &[u8]| match u32::try_from(bytes.len()) {
        Ok(length) => Ok(length.to_be_bytes()),
        Err(_) => Err(StoreError::TooLarge("a record of more than 4 GiB cannot be saved".to_owned())),
    };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut content = Vec::new();
    content.extend(now.to_be_bytes());
    content.extend(listing.revision.to_be_bytes());
    for Record { key, value, version } in &listing.records {
        for bytes in [key.as_bytes(), value] {
            content.extend(length(bytes)?);
            content.extend(bytes);
        }
        content.extend(version.to_be_bytes());
    }
    Ok(content)
}

fn decode(mut content: &[u8]) -> Option<LastSnapshot> {
    let saved_at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(number(&mut content)?))?;
    let revision = number(&mut content)?;
    let mut records = Vec::new();
    while !content.is_empty() {
        let key = String::from_utf8(bytes(&mut content)?).ok()?;
        let value = bytes(&mut content)?;
        records.push(Record { key, value, version: number(&mut content)? });
    }
    Some(LastSnapshot { listing: Listing { records, revision }, saved_at })
}

fn number(content: &mut &[u8]) -> Option<u64> {
    content.split_off(..8)?.try_into().ok().map(u64::from_be_bytes)
}

fn bytes(content: &mut &[u8]) -> Option<Vec<u8>> {
    let length = content.split_off(..4)?.try_into().ok().map(u32::from_be_bytes)?;
    content.split_off(..usize::try_from(length).ok()?).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use std::os::unix::fs::PermissionsExt;

    use super::super::encryption_key::EncryptionKey;
    use super::*;

    fn seal_with(byte: u8) -> Seal {
        Seal::new(EncryptionKey::new([byte; 32], "the key")).unwrap()
    }

    fn listing(revision: u64, keys: &[&str]) -> Listing {
        let record = |key: &&str| Record { key: (*key).to_owned(), value: key.repeat(3).into(), version: 7 };
        Listing { records: keys.iter().map(record).collect(), revision }
    }

    #[test]
    fn what_was_saved_last_is_loaded_and_by_the_same_store_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("snapshot");
        let seal = seal_with(1);
        assert_eq!(load(&path, &seal, "a"), Ok(None));
        for listing in [listing(9, &[]), listing(10, &["a", "", "é"]), listing(11, &["b"])] {
            save(&path, &seal, "a", &listing).unwrap();
            let loaded = load(&path, &seal, "a").unwrap().unwrap();
            assert_eq!(loaded.listing, listing);
            assert!(loaded.saved_at.elapsed().is_ok_and(|age| age < Duration::from_secs(600)));
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        for loaded in [load(&path, &seal, "b"), load(&path, &seal_with(2), "a")] {
            assert!(loaded.unwrap_err().to_string().contains("was written for another store"));
        }
        let content = fs::read(&path).unwrap();
        fs::write(&path, &content[..content.len() - 1]).unwrap();
        assert!(load(&path, &seal, "a").is_err());
        assert!(save(&folder.path().join("missing/snapshot"), &seal, "a", &listing(1, &[])).is_err());
    }

    #[test]
    fn what_was_cut_is_not_decoded() {
        let content = encode(&listing(1, &["abc"])).unwrap();
        assert!(decode(&content).is_some());
        let cut = (0..content.len()).filter(|end| decode(&content[..*end]).is_some());
        assert_eq!(cut.collect::<Vec<_>>(), [16], "no record at all");
    }
}
