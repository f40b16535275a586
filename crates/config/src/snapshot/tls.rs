//! How a domain is served over HTTPS.
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::{SupportedCipherSuite, SupportedProtocolVersion};

use crate::certificate::{Certificate, CertificateError};
use crate::file::FileVersion;

/// `protocol`: what a domain is served over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Protocol {
    /// `HTTP`.
    #[default]
    Http,
    /// `HTTPS`.
    Https,
    /// `HTTP,HTTPS`.
    Both,
}

impl Protocol {
    /// Whether the domain is served over plain HTTP.
    pub fn serves_http(self) -> bool {
        self != Self::Https
    }

    /// Whether the domain is served over HTTPS.
    pub fn serves_https(self) -> bool {
        self != Self::Http
    }
}

/// How a domain is served over HTTPS.
#[derive(Debug, Clone)]
pub struct DomainTls {
    /// `certConfig`.
    pub certificate: CertificateSource,
    /// `tlsConfig`.
    pub settings: TlsSettings,
}

/// Where a domain's certificate comes from.
#[derive(Debug, Clone)]
pub enum CertificateSource {
    /// It stands in the configuration.
    Inline(Arc<Certificate>),
    /// It is in files, which may change.
    Files {
        /// Where it is.
        files: CertificateFiles,
        /// Which versions of them were read.
        version: CertificateFilesVersion,
        /// As it was when the configuration was read.
        certificate: Arc<Certificate>,
    },
    /// It is obtained from the server of [`AcmeSettings`](crate::snapshot::AcmeSettings).
    Acme,
}

/// `certificateFile` and `privateKeyFile`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate and its chain.
    pub certificate: PathBuf,
    /// The private key.
    pub private_key: PathBuf,
}

/// What tells one version of a certificate's files from the next.
pub type CertificateFilesVersion = [FileVersion; 2];

/// Why certificate files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateFilesError {
    /// A file cannot be read.
    #[error("{}: {}", file.display(), plain(error))]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// Whether it is that of the private key.
        is_private_key: bool,
        /// Why.
        error: io::Error,
    },
    /// Both can be read, and clients could not be served with what is in them.
    #[error("{}: {error}", file.display())]
    Unusable {
        /// In which the mistake is.
        file: PathBuf,
        /// What it is.
        error: CertificateError,
    },
}

impl CertificateFilesError {
    /// Whether it is the private key's file that has to be mended.
    pub fn is_of_private_key(&self) -> bool {
        match self {
            Self::Unreadable { is_private_key, .. } => *is_private_key,
            Self::Unusable { error, .. } => error.is_of_private_key(),
        }
    }
}

impl CertificateFiles {
    /// The versions that are there now.
    pub fn version(&self) -> CertificateFilesVersion {
        [FileVersion::of(&self.certificate), FileVersion::of(&self.private_key)]
    }

    /// Reads both files for a domain.
    ///
    /// # Errors
    ///
    /// When clients could not be served with what is in them.
    pub fn load(&self, domain: &str) -> Result<Certificate, CertificateFilesError> {
        let read = |file: &Path, is_private_key| {
            let file = file.to_owned();
            read(&file).map_err(|error| CertificateFilesError::Unreadable { file, is_private_key, error })
        };
        let (chain, private_key) = (read(&self.certificate, false)?, read(&self.private_key, true)?);
        Certificate::from_pem(domain, &chain, &private_key).map_err(|error| {
            let file = if error.is_of_private_key() { &self.private_key } else { &self.certificate };
            CertificateFilesError::Unusable { file: file.clone(), error }
        })
    }
}

/// `tlsConfig`: never without a version and a cipher suite that fit.
#[derive(Debug, Clone)]
pub struct TlsSettings {
    /// Versions of TLS that are spoken.
    pub versions: Vec<&'static SupportedProtocolVersion>,
    /// Cipher suites that may be negotiated.
    pub cipher_suites: Vec<SupportedCipherSuite>,
}

impl Default for TlsSettings {
    fn default() -> Self {
        let cipher_suites = rustls::crypto::aws_lc_rs::DEFAULT_CIPHER_SUITES.to_vec();
        Self { versions: rustls::ALL_VERSIONS.to_vec(), cipher_suites }
    }
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    /// A chain of some certificates has a few thousand bytes.
    const MOST: u64 = 1024 * 1024;
    // A named pipe would be waited for.
    if !std::fs::metadata(file)?.is_file() {
        return Err(io::Error::other("this is no file"));
    }
    let mut bytes = Vec::new();
    File::open(file)?.take(MOST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "the file may not be read by this user".to_owned(),
        _ => error.to_string(),
    }
}
