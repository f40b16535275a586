//! The last good set of a source in a file, so that a restart needs no issuer.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};
use claimgate_config::snapshot::RemoteKeySource;
use claimgate_jose::json::{Object, Value};

use crate::fetch::PublishedKeys;

/// Space for what stands around the set in its file, in bytes.
const ENVELOPE_BYTES: usize = 64 * 1024;

/// The file of a source.
#[derive(Debug, Clone)]
pub struct KeyFile {
    path: PathBuf,
    /// The kind of source and where it is, so that no file is taken for that of another source.
    source: String,
    max_bytes: usize,
}

/// What a file held.
#[derive(Debug)]
pub struct Kept {
    /// The set.
    pub published: PublishedKeys,
    /// When it was fetched.
    pub fetched_at: SystemTime,
}

impl KeyFile {
    /// The file of a source in a folder, for sets of at most so many bytes.
    pub fn new(folder: &Path, source: &RemoteKeySource, max_bytes: usize) -> Self {
        let source = match source {
            RemoteKeySource::JwksUri(_) => format!("jwksUri {source}"),
            RemoteKeySource::OidcIssuer { .. } => format!("oidcIssuer {source}"),
        };
        let hash = digest(&SHA256, source.as_bytes());
        let name: String = hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Self { path: folder.join(name).with_extension("json"), source, max_bytes }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads it, as strictly as what is fetched; `None` when there is none.
    pub fn read(&self) -> Result<Option<Kept>, String> {
        let text = match self.text() {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let content = Value::parse(&text).map_err(|error| error.to_string())?;
        let member = |name| content.as_object().and_then(|object| object.get(name));
        if member("source").and_then(Value::as_str) != Some(&self.source) {
            return Err("it is not of this source".to_owned());
        }
        let fetched_at = member("fetchedAt")
            .and_then(Value::as_number)
            .and_then(|number| number.as_str().parse().ok())
            .and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)))
            .ok_or("it does not say when it was fetched")?;
        let published = PublishedKeys::read(member("jwks").ok_or("it has no keys")?)?;
        Ok(Some(Kept { published, fetched_at }))
    }

    /// Replaces it as a whole.
    pub fn write(&self, jwks: Value, fetched_at: SystemTime) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let seconds = fetched_at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut content = Object::new();
        content.insert("source", self.source.as_str());
        content.insert("fetchedAt", seconds);
        content.insert("jwks", jwks);
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        writeln!(file, "{content}")?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        Ok(())
    }

    fn text(&self) -> io::Result<Vec<u8>> {
        let file = File::open(&self.path)?;
        for metadata in [file.metadata()?, fs::metadata(self.path.parent().unwrap_or(Path::new("")))?] {
            if metadata.permissions().mode() & 0o002 != 0 {
                return Err(io::Error::other(
                    "everybody may write it or its folder, so its keys prove nothing",
                ));
            }
        }
        let limit = self.max_bytes + ENVELOPE_BYTES;
        let mut text = Vec::new();
        // One byte more than allowed is enough to see that there are too many.
        file.take(limit as u64 + 1).read_to_end(&mut text)?;
        if text.len() > limit { Err(io::Error::other("it is too large")) } else { Ok(text) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const KEY: &str =
        r#"{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    fn source(uri: &str) -> RemoteKeySource {
        RemoteKeySource::JwksUri(uri.parse().unwrap())
    }

    fn published(text: &str) -> PublishedKeys {
        PublishedKeys::read(&Value::parse(text.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn a_set_is_read_as_it_was_written_without_what_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::new(&folder.path().join("new/jwks"), &source("https://id.example.com/"), 4096);
        assert!(file.read().unwrap().is_none());
        let pair = KEY.replace("\"x\"", r#""key_ops":["sign"],"d":"SECRET","x""#);
        let written = published(&format!(r#"{{"keys":[{pair},{{"kty":"oct","k":"SECRET"}}]}}"#));
        let fetched_at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
        file.write(written.public, fetched_at).unwrap();
        assert!(!fs::read_to_string(file.path()).unwrap().contains("SECRET"));
        assert_eq!(fs::metadata(file.path()).unwrap().permissions().mode() & 0o777, 0o600);

        let kept = file.read().unwrap().unwrap();
        assert_eq!(kept.fetched_at, fetched_at);
        assert_eq!(kept.published.keys.keys().len(), 1);
        assert_eq!(kept.published.public.to_string(), format!(r#"{{"keys":[{KEY}]}}"#));
    }

    #[test]
    fn what_is_not_the_file_of_this_source_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::new(folder.path(), &source("https://id.example.com/"), 4096);
        let other = KeyFile::new(folder.path(), &source("https://id.example.com/other"), 4096);
        assert_ne!(file.path(), other.path());
        file.write(published(&format!(r#"{{"keys":[{KEY}]}}"#)).public, SystemTime::now()).unwrap();
        let text = fs::read_to_string(file.path()).unwrap();

        fs::copy(file.path(), other.path()).unwrap();
        assert_eq!(other.read().unwrap_err(), "it is not of this source");
        for (old, new) in
            [("\"jwks\":", "\"other\":"), ("\"fetchedAt\":", "\"fetchedAt\":-"), ("\"x\"", "\"y\"")]
        {
            fs::write(file.path(), text.replace(old, new)).unwrap();
            assert!(file.read().is_err(), "{new}");
        }
        for content in ["", "{}", "null", "{", &"x".repeat(100_000)] {
            fs::write(file.path(), content).unwrap();
            assert!(file.read().is_err());
        }
        fs::write(file.path(), &text).unwrap();
        assert!(file.read().is_ok());
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o666)).unwrap();
        assert!(file.read().unwrap_err().contains("everybody"));
    }
}
