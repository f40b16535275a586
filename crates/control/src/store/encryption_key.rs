//! The key that values are encrypted with.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use claimgate_config::environment;
use zeroize::Zeroizing;

use super::StoreError;
use super::new_file;

/// The environment variable that holds the key, and goes before its file.
pub(super) const VARIABLE: &str = "CLAIMGATE_STORE_KEY";
const BYTES: usize = 32;

/// 32 random bytes; in a file and in the environment as base64.
pub(super) struct EncryptionKey {
    bytes: Zeroizing<[u8; BYTES]>,
    name: String,
}

impl EncryptionKey {
    pub(super) fn new(bytes: [u8; BYTES], name: &str) -> Self {
        Self { bytes: Zeroizing::new(bytes), name: name.to_owned() }
    }

    /// The key from the environment, or else from the file.
    pub(super) fn find(file: &Path) -> Result<Self, StoreError> {
        if let Some(key) = Self::from_environment()? {
            return Ok(key);
        }
        match Self::read(file)? {
            Some(key) => Ok(key),
            None => Err(StoreError::Failed(format!(
                "the key of the store is missing: put it at {} or into {VARIABLE}; without it nothing in the \
                 store can be read",
                file.display()
            ))),
        }
    }

    /// The key from the environment, or else from the file, for a store that is shared: so it is not made.
    pub(super) fn find_shared(file: Option<&Path>) -> Result<Self, StoreError> {
        match (Self::from_environment()?, file) {
            (Some(key), _) => Ok(key),
            (None, Some(file)) => Self::find(file),
            (None, None) => Err(StoreError::Failed(format!(
                "a store in etcd needs a key, which all gateways share: make one with 'openssl rand -base64 32', \
                 and name its file with keyFile or put it into {VARIABLE}"
            ))),
        }
    }

    /// The key that the environment holds.
    pub(super) fn from_environment() -> Result<Option<Self>, StoreError> {
        let text = environment::var_os(VARIABLE).map(|text| Zeroizing::new(text.into_encoded_bytes()));
        text.map(|text| Self::parse(&text, VARIABLE)).transpose()
    }

    /// The key that a file holds; `None` when there is no such file.
    pub(super) fn read(file: &Path) -> Result<Option<Self>, StoreError> {
        let cannot_read = |error| StoreError::Failed(format!("cannot read {}: {error}", file.display()));
        let text = match fs::read(file) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(cannot_read(error)),
        };
        let mode = fs::metadata(file).map_err(cannot_read)?.permissions().mode();
        if mode & 0o007 != 0 {
            tracing::warn!(file = %file.display(), "everybody may read the key of the store; make its mode 0600");
        }
        Self::parse(&text, &file.display().to_string()).map(Some)
    }

    /// Makes a file with a new key; or reads it, when another process was faster.
    pub(super) fn make(file: &Path) -> Result<Self, StoreError> {
        let cannot_make = |error| StoreError::Failed(format!("cannot make {}: {error}", file.display()));
        let mut bytes = Zeroizing::new([0; BYTES]);
        rand::fill(bytes.as_mut_slice()).map_err(|_| cannot_make(io::Error::other("no random bytes")))?;
        let text = Zeroizing::new(STANDARD.encode(bytes.as_slice()) + "\n");
        loop {
            match new_file::write(file, text.as_bytes()) {
                Ok(()) => return Ok(Self::new(*bytes, &file.display().to_string())),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    // It may have got its name meanwhile, by which the one that is made here is then given up.
                    if let Some(key) = Self::read(file)? {
                        return Ok(key);
                    }
                }
                Err(error) => return Err(cannot_make(error)),
            }
        }
    }

    fn parse(text: &[u8], name: &str) -> Result<Self, StoreError> {
        let decoded = STANDARD.decode(text.trim_ascii()).map(Zeroizing::new).map_err(|_| malformed(name))?;
        let bytes = decoded.as_slice().try_into().map_err(|_| malformed(name))?;
        Ok(Self::new(bytes, name))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    /// Where it came from.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

fn malformed(name: &str) -> StoreError {
    StoreError::Failed(format!(
        "{name} is not a key of the store, which is 32 bytes in base64, as 'openssl rand -base64 32' makes"
    ))
}
