//! Values as they are stored: encrypted, each as a whole, and bound to their keys.
//!
//! A sealed value is the byte 1, the nonce, the text encrypted by AES-256-GCM, and its tag. The record's
//! key is the associated data, so that no value can be moved to another record. Nonces are random: 2^32
//! values may be sealed with one key (NIST SP 800-38D, 8.3).

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};

use super::encryption_key::EncryptionKey;
use super::{Listing, Record, StoreError, Write};

const VERSION: u8 = 1;

/// Encrypts values and decrypts them.
pub(super) struct Seal {
    key: RandomizedNonceKey,
    /// Where the key came from.
    key_name: String,
}

impl Seal {
    pub(super) fn new(key: EncryptionKey) -> Result<Self, StoreError> {
        let cipher = RandomizedNonceKey::new(&AES_256_GCM, key.bytes());
        let cipher = cipher.map_err(|_| StoreError::Failed(format!("cannot use {}", key.name())))?;
        Ok(Self { key: cipher, key_name: key.name().to_owned() })
    }

    /// What the key is called in messages.
    pub(super) fn key_name(&self) -> &str {
        &self.key_name
    }

    /// Encrypts what is written.
    pub(super) fn seal_write(&self, write: &Write) -> Result<Write, StoreError> {
        Ok(match write {
            Write::Put { key, value, expires_in } => {
                Write::Put { key: key.clone(), value: self.seal(key, value)?, expires_in: *expires_in }
            }
            Write::Delete { key } => Write::Delete { key: key.clone() },
        })
    }

    /// Decrypts a record.
    pub(super) fn open_record(&self, record: Record) -> Result<Record, StoreError> {
        let Record { key, value, version } = record;
        let value = self.open(&key, value).ok_or_else(|| {
            StoreError::Failed(format!(
                "the record '{key}' cannot be decrypted with {}: it is damaged, or was written with another key",
                self.key_name
            ))
        })?;
        Ok(Record { key, value, version })
    }

    /// Decrypts records.
    pub(super) fn open_listing(&self, listing: Listing) -> Result<Listing, StoreError> {
        let records = listing.records.into_iter().map(|record| self.open_record(record));
        Ok(Listing { records: records.collect::<Result<_, _>>()?, revision: listing.revision })
    }

    pub(super) fn seal(&self, key: &str, value: &[u8]) -> Result<Vec<u8>, StoreError> {
        let failed = |_| StoreError::Failed(format!("cannot encrypt the record '{key}'"));
        let mut text = value.to_vec();
        let (nonce, tag) =
            self.key.seal_in_place_separate_tag(Aad::from(key.as_bytes()), &mut text).map_err(failed)?;
        Ok([&[VERSION], nonce.as_ref().as_slice(), &text, tag.as_ref()].concat())
    }

    pub(super) fn open(&self, key: &str, mut sealed: Vec<u8>) -> Option<Vec<u8>> {
        let (version, rest) = sealed.split_first_mut()?;
        let (nonce, text) = rest.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        if *version != VERSION {
            return None;
        }
        let opened = self.key.open_in_place(nonce, Aad::from(key.as_bytes()), text).ok()?;
        let (begin, length) = (1 + NONCE_LEN, opened.len());
        sealed.drain(..begin);
        sealed.truncate(length);
        Some(sealed)
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal").field("key_name", &self.key_name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;

    fn seal_with(byte: u8) -> Seal {
        Seal::new(EncryptionKey::new([byte; 32], "the key")).unwrap()
    }

    #[test]
    fn what_was_sealed_is_opened_with_the_same_key_for_the_same_record_only() {
        let seal = seal_with(1);
        for value in [&b""[..], b"a", &[7; 10_000]] {
            let sealed = seal.seal("a", value).unwrap();
            assert_eq!(sealed.len(), 1 + 12 + value.len() + 16);
            assert_eq!(seal.open("a", sealed.clone()).unwrap(), value);
            assert_eq!(seal.open("b", sealed.clone()), None);
            assert_eq!(seal_with(2).open("a", sealed.clone()), None);
            assert_ne!(seal.seal("a", value).unwrap(), sealed, "the nonce is new each time");
        }
    }

    #[test]
    fn what_was_changed_or_cut_is_not_opened() {
        let seal = seal_with(1);
        let sealed = seal.seal("a", b"value").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(seal.open("a", changed), None, "{at}");
            assert_eq!(seal.open("a", sealed[..at].to_vec()), None, "{at}");
        }
        assert!(!format!("{seal:?}").contains("[1"));
    }
}
