//! Folders that functions without `cwd` work in.

use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rustix::process::geteuid;
use tempfile::TempDir;

use super::user::User;

/// An empty folder for each function, in a folder of this process among the system's temporary files.
#[derive(Debug, Default)]
pub(super) struct Folders(Mutex<Option<TempDir>>);

impl Folders {
    /// The folder of a function, which only its user can look into. It is made when it does not exist, as
    /// temporary files are removed after a while.
    pub(super) fn of(&self, function: &str, user: Option<&User>) -> io::Result<PathBuf> {
        let mut root = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Where the folder was removed, another user may have made one of its name.
        let is_ours = |folder: &TempDir| {
            folder
                .path()
                .symlink_metadata()
                .is_ok_and(|found| found.is_dir() && found.uid() == geteuid().as_raw())
        };
        let root = match &mut *root {
            Some(root) if is_ours(root) => root,
            root => {
                let permissions = Permissions::from_mode(0o711);
                root.insert(tempfile::Builder::new().prefix("claimgate-").permissions(permissions).tempdir()?)
            }
        };
        let folder = root.path().join(function);
        match DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        if let Some(user) = user {
            chown(&folder, Some(user.uid), Some(user.gid))?;
        }
        Ok(folder)
    }

    /// Removes all folders, with what is in them.
    pub(super) fn remove(&self) {
        let root = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Err(error)) = root.map(TempDir::close) {
            tracing::warn!(%error, "cannot remove the folders of functions");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn each_function_has_a_folder_of_its_own_until_the_end() {
        let folders = Folders::default();
        let (one, other) = (folders.of("one", None).unwrap(), folders.of("other", None).unwrap());
        assert_ne!(one, other);
        assert_eq!(one.metadata().unwrap().mode() & 0o777, 0o700);
        assert_eq!(one.parent().unwrap().metadata().unwrap().mode() & 0o777, 0o711);
        std::fs::write(one.join("file"), "kept").unwrap();
        assert_eq!(folders.of("one", None).unwrap(), one);
        assert!(one.join("file").exists());
        folders.remove();
        assert!(!one.exists() && !other.exists());
    }

    #[test]
    fn a_folder_that_was_removed_is_made_again() {
        let folders = Folders::default();
        let first = folders.of("one", None).unwrap();
        std::fs::remove_dir_all(first.parent().unwrap()).unwrap();
        let again = folders.of("one", None).unwrap();
        assert!(again.is_dir());
        assert_ne!(again.parent(), first.parent());
    }
}
