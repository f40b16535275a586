//! What is kept from one start to the next: the account and the certificates, a folder for each server.

use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use claimgate_config::certificate::Certificate;
use instant_acme::AccountCredentials;
use tempfile::NamedTempFile;

/// Why something cannot be kept, or what was kept cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {} for ACME: {why}", path.display())]
pub struct FolderError {
    path: PathBuf,
    why: String,
}

/// A server's folder.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes the folder where it is missing, and sees whether it can be written to.
    pub fn open(folder: &Path, directory_url: &str) -> Result<Self, FolderError> {
        let path = folder.join(name_of(directory_url));
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        let is_writable = made.and_then(|()| NamedTempFile::new_in(&path).map(drop));
        is_writable.map_err(|error| failure(&path, &error))?;
        Ok(Self(path))
    }

    /// The account that is kept, if there is one.
    pub fn account(&self) -> Result<Option<AccountCredentials>, FolderError> {
        let path = self.account_file();
        match fs::read(&path) {
            // What is wrong may quote a part of the key.
            Ok(text) => match serde_json::from_slice(&text) {
                Ok(account) => Ok(Some(account)),
                Err(_) => Err(failure(&path, &"it holds no account; remove it to have a new one made")),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failure(&path, &error)),
        }
    }

    /// Keeps an account.
    pub fn keep_account(&self, account: &AccountCredentials) -> Result<(), FolderError> {
        let path = self.account_file();
        let text = serde_json::to_vec(account).map_err(|error| failure(&path, &error))?;
        self.write(&path, &[&text])
    }

    /// Keeps an account no longer.
    pub fn drop_account(&self) -> Result<(), FolderError> {
        let path = self.account_file();
        fs::remove_file(&path).map_err(|error| failure(&path, &error))
    }

    /// A domain's certificate, if there is one.
    pub fn certificate(&self, domain: &str) -> Result<Option<Certificate>, FolderError> {
        let path = self.certificate_file(domain);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failure(&path, &error)),
        };
        Certificate::from_pem(domain, &text, &text).map(Some).map_err(|error| failure(&path, &error))
    }

    /// Keeps a domain's certificate with its key.
    pub fn keep_certificate(&self, domain: &str, chain: &str, private_key: &str) -> Result<(), FolderError> {
        self.write(&self.certificate_file(domain), &[private_key.as_bytes(), chain.as_bytes()])
    }

    fn account_file(&self) -> PathBuf {
        self.0.join("account.json")
    }

    fn certificate_file(&self, domain: &str) -> PathBuf {
        self.0.join(format!("{domain}.pem"))
    }

    /// Writes a file whole, or leaves what is there. Nobody else may read it from its first byte on.
    fn write(&self, path: &Path, parts: &[&[u8]]) -> Result<(), FolderError> {
        let write = || {
            let mut file = NamedTempFile::new_in(&self.0)?;
            parts.iter().try_for_each(|part| file.write_all(part))?;
            file.as_file().sync_all()?;
            file.persist(path)?;
            io::Result::Ok(())
        };
        write().map_err(|error| failure(path, &error))
    }
}

/// A server's name for a folder, as `acme.example.com_directory`.
fn name_of(directory_url: &str) -> String {
    let url = directory_url.split_once("://").map_or(directory_url, |(_, rest)| rest);
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-');
    let name = url.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect::<String>();
    // No name leads out of the folder.
    name.trim_matches('.').to_owned()
}

fn failure(path: &Path, why: &dyn std::fmt::Display) -> FolderError {
    FolderError { path: path.to_owned(), why: why.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_has_a_folder_of_its_own() {
        for (url, name) in [
            ("https://acme.example.com/directory", "acme.example.com_directory"),
            ("https://127.0.0.1:14000/dir", "127.0.0.1_14000_dir"),
            ("https://../..", "_"),
        ] {
            assert_eq!(name_of(url), name);
        }
    }
}
