//! Making keys, and removing those that are over.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use claimgate_jose::{Algorithm, SignError};

use super::folder::{Contents, KeyFolder, Lock};
use super::{Key, KeyRing};

/// What a rotation did.
#[derive(Debug)]
pub struct Rotated {
    /// The `kid` of the new key.
    pub key_id: String,
    /// How long until it signs.
    pub signs_in: Duration,
    /// The files of keys that were over, now removed.
    pub removed: Vec<PathBuf>,
    /// What the operator should look at.
    pub warnings: Vec<String>,
}

/// Why nothing was rotated.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The rotation before has not ended.
    #[error(
        "the key {key_id} is published already and signs in {seconds} s; wait for that, or let a new key sign \
         at once with --now"
    )]
    Pending {
        /// The key that waits.
        key_id: String,
        /// How long it still waits.
        seconds: u64,
    },
    /// There are keys that cannot be used.
    #[error("no key of the folder can be used: {0}")]
    Broken(String),
    /// The folder cannot be read or changed.
    #[error("cannot use the folder {path} of the keys: {error}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// No key could be made.
    #[error("cannot make a key: {0}")]
    Key(#[from] SignError),
}

/// The keys' part of the configuration.
#[derive(Debug, Clone)]
pub struct KeySettings {
    pub(crate) folder: KeyFolder,
    pub(crate) algorithm: Algorithm,
    pub(crate) publish_ahead: Duration,
    /// Of tokens.
    pub(crate) lifetime: Duration,
}

/// Makes a key that is published at once, and signs after the time that gateways need to learn of it, or
/// `at_once`; removes the files of keys that are over. `now` counts from 1970.
///
/// Several processes may do this at the same time.
pub fn rotate(settings: &KeySettings, now: Duration, at_once: bool) -> Result<Rotated, RotateError> {
    let folder = &settings.folder;
    let failed = |error| RotateError::Folder { path: folder.path().to_owned(), error };
    folder.create().map_err(failed)?;
    let lock = folder.lock().map_err(failed)?;
    folder.remove_partial_files(&lock).map_err(failed)?;
    let Contents { keys, broken, mut warnings } = folder.read().map_err(failed)?;
    if keys.is_empty() && !broken.is_empty() {
        return Err(RotateError::Broken(broken.join("; ")));
    }
    warnings.extend(broken);
    let ring = KeyRing::new(keys, settings.lifetime);
    if let Some(pending) = ring.pending(now).filter(|_| !at_once) {
        let seconds = (pending.signs_from - now).as_secs();
        return Err(RotateError::Pending { key_id: pending.id.clone(), seconds });
    }
    // Of the first key nobody has to learn before it signs.
    let signs_in = if at_once || ring.is_empty() { Duration::ZERO } else { settings.publish_ahead };
    let signs_from = ring.free_second(now + signs_in);
    let key_id = add_key(settings, &lock, now, signs_from)?;
    let removed: Result<_, _> = ring.over(now).map(|key| folder.remove(&lock, &key.id)).collect();
    Ok(Rotated { key_id, signs_in, removed: removed.map_err(failed)?, warnings })
}

/// Makes the first key of a folder that has none.
pub(crate) fn first_key(settings: &KeySettings, now: Duration) -> Result<(), RotateError> {
    let folder = &settings.folder;
    let failed = |error| RotateError::Folder { path: folder.path().to_owned(), error };
    folder.create().map_err(failed)?;
    let is_empty = |contents: &Contents| contents.keys.is_empty() && contents.broken.is_empty();
    if !is_empty(&folder.read().map_err(failed)?) {
        return Ok(());
    }
    let lock = folder.lock().map_err(failed)?;
    // Another one may have made it meanwhile.
    if is_empty(&folder.read().map_err(failed)?) {
        add_key(settings, &lock, now, Duration::from_secs(now.as_secs()))?;
    }
    Ok(())
}

fn add_key(
    settings: &KeySettings,
    lock: &Lock,
    now: Duration,
    signs_from: Duration,
) -> Result<String, RotateError> {
    let key = Key::generate(settings.algorithm, signs_from)?;
    let content = key.to_file(now)?;
    settings
        .folder
        .add(lock, &key.id, &content)
        .map_err(|error| RotateError::Folder { path: settings.folder.path().to_owned(), error })?;
    Ok(key.id)
}
