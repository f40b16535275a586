//! Where the changes of API and console are stored.
use std::fmt;
use std::path::{Path, PathBuf};

/// `store`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// What stores.
    pub backend: StoreBackend,
    /// `keyFile`: the key that what is stored is encrypted with; `None` means that of the environment, or one
    /// beside the database.
    pub key_file: Option<PathBuf>,
    /// `allowFiles`: folders whose files stored documents may name.
    pub allow_files: Vec<PathBuf>,
}

/// What stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreBackend {
    /// A database file.
    Sqlite(PathBuf),
    /// An etcd cluster, which many gateways share.
    Etcd(EtcdSettings),
}

/// `store.etcd`.
#[derive(Clone, PartialEq, Eq)]
pub struct EtcdSettings {
    /// URLs of its members, `http://` or `https://`; never empty.
    pub endpoints: Vec<String>,
    /// What all keys begin with; it ends without a slash.
    pub prefix: String,
    /// Who signs in; `None` when nobody does.
    pub username: Option<String>,
    /// The file with the user's password.
    pub password_file: Option<PathBuf>,
    /// Certificates of authorities that its certificate may come from; `None` means those of the system.
    pub ca_file: Option<PathBuf>,
    /// The gateway's own certificate and its key.
    pub client_certificate: Option<(PathBuf, PathBuf)>,
    /// `snapshotFile`: where what was read last is kept, so that a gateway can start while etcd is away.
    pub snapshot_file: Option<PathBuf>,
}

impl fmt::Debug for EtcdSettings {
    /// Without user names.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("EtcdSettings");
        shown.field("endpoints", &self.endpoints).field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl StoreSettings {
    /// Takes relative paths as beginning at a folder.
    pub(crate) fn resolve_paths(&mut self, folder: &Path) {
        let backend = match &mut self.backend {
            StoreBackend::Sqlite(file) => vec![Some(file)],
            StoreBackend::Etcd(etcd) => {
                let (certificate, key) = etcd.client_certificate.as_mut().map(|(c, k)| (c, k)).unzip();
                vec![
                    etcd.password_file.as_mut(),
                    etcd.ca_file.as_mut(),
                    etcd.snapshot_file.as_mut(),
                    certificate,
                    key,
                ]
            }
        };
        for path in backend.into_iter().chain([self.key_file.as_mut()]).flatten().chain(&mut self.allow_files)
        {
            *path = folder.join(&path);
        }
    }
}
