//! Certificates of domains, checked together with their keys.
use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::client::verify_server_name;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{CertificateError as Invalid, Error, InconsistentKeys};
use x509_cert::der::Decode;

/// A certificate that a domain can be served with: a chain, and the private key of its first certificate.
#[derive(Clone)]
pub struct Certificate {
    certified_key: Arc<CertifiedKey>,
    not_before: SystemTime,
    not_after: SystemTime,
}

/// Why a domain cannot be served with a certificate. Nothing of a key is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// RFC 7468, 5.
    #[error("there is no certificate; expected PEM with BEGIN CERTIFICATE, the domain's own first")]
    NoCertificate,
    /// RFC 5280, or its PEM.
    #[error("the certificate cannot be read: {0}")]
    MalformedCertificate(String),
    /// RFC 7468, 10, RFC 5915, 4 and RFC 8017, A.1.2.
    #[error("there is no private key; expected PEM with BEGIN PRIVATE KEY")]
    NoPrivateKey,
    /// RFC 7468, 11.
    #[error(
        "the private key is encrypted, and there is nobody to ask for its passphrase; store it without one"
    )]
    EncryptedPrivateKey,
    /// A kind or a size of key that TLS has no signature for here.
    #[error(
        "the private key cannot be used; expected an RSA, an ECDSA (P-256, P-384, P-521) or an Ed25519 key"
    )]
    UnusablePrivateKey,
    /// The chain begins with another certificate, or this is another key.
    #[error("the private key is not that of the certificate, which has to be the first of its chain")]
    OtherPrivateKey,
    /// RFC 9525, 6.3.
    #[error("the certificate is not for {domain}, but for {}", if presented.is_empty() { "no name" } else { presented })]
    OtherDomain {
        /// `domainName`.
        domain: String,
        /// The names that it is for, separated by commas.
        presented: String,
    },
}

impl CertificateError {
    /// Whether it is the private key that has to be mended, rather than the certificate.
    pub fn is_of_private_key(&self) -> bool {
        use CertificateError::{EncryptedPrivateKey, NoPrivateKey, OtherPrivateKey, UnusablePrivateKey};
        matches!(self, NoPrivateKey | EncryptedPrivateKey | UnusablePrivateKey | OtherPrivateKey)
    }
}

impl Certificate {
    /// Reads a certificate for a domain, its chain behind it, and its private key, all in PEM. Whether it is
    /// valid now is another question.
    ///
    /// # Errors
    ///
    /// When clients could not be served with it.
    pub fn from_pem(domain: &str, chain: &[u8], private_key: &[u8]) -> Result<Self, CertificateError> {
        let chain = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| CertificateError::MalformedCertificate(pem_mistake(&error).to_owned()))?;
        let first = chain.first().ok_or(CertificateError::NoCertificate)?;
        let (not_before, not_after) = validity(first)?;
        check_domain(first, domain)?;
        let key = read_private_key(private_key)?;
        let certified_key = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider());
        let certified_key = certified_key.map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => CertificateError::OtherPrivateKey,
            Error::InvalidCertificate(error) => CertificateError::MalformedCertificate(error.to_string()),
            _ => CertificateError::UnusablePrivateKey,
        })?;
        Ok(Self { certified_key: Arc::new(certified_key), not_before, not_after })
    }

    /// What rustls serves with.
    pub fn certified_key(&self) -> &Arc<CertifiedKey> {
        &self.certified_key
    }

    /// From when on it is valid.
    pub fn not_before(&self) -> SystemTime {
        self.not_before
    }

    /// Until when it is valid.
    pub fn not_after(&self) -> SystemTime {
        self.not_after
    }

    /// Why clients refuse it at a time, though it is the domain's; `None` when they do not.
    pub fn expiry(&self, now: SystemTime) -> Option<String> {
        let in_words = |length: Duration| match length.as_secs() / 3600 {
            0 => "less than an hour".to_owned(),
            hours @ 1..48 => format!("{hours} hours"),
            hours => format!("{} days", hours / 24),
        };
        if let Ok(since) = now.duration_since(self.not_after) {
            return Some(format!("the certificate expired {} ago; clients refuse it", in_words(since)));
        }
        let until = self.not_before.duration_since(now).ok().filter(|until| !until.is_zero())?;
        Some(format!(
            "the certificate becomes valid only in {}; clients refuse it until then",
            in_words(until)
        ))
    }
}

/// Tells nothing of the key.
impl Debug for Certificate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("not_after", &self.not_after).finish_non_exhaustive()
    }
}

fn validity(certificate: &CertificateDer<'_>) -> Result<(SystemTime, SystemTime), CertificateError> {
    let certificate = x509_cert::Certificate::from_der(certificate)
        .map_err(|error| CertificateError::MalformedCertificate(error.to_string()))?;
    let validity = certificate.tbs_certificate().validity();
    let time = |time: x509_cert::time::Time| SystemTime::UNIX_EPOCH + time.to_unix_duration();
    Ok((time(validity.not_before), time(validity.not_after)))
}

fn check_domain(certificate: &CertificateDer<'_>, domain: &str) -> Result<(), CertificateError> {
    let malformed = |error: Error| CertificateError::MalformedCertificate(error.to_string());
    let certificate = ParsedCertificate::try_from(certificate).map_err(malformed)?;
    // A wildcard stands for any one label, of which a certificate that names single hosts has not all.
    let host =
        domain.strip_prefix("*.").map_or_else(|| domain.to_owned(), |parent| format!("any--label.{parent}"));
    let other_domain = |presented: Vec<String>| CertificateError::OtherDomain {
        domain: domain.to_owned(),
        presented: presented.iter().map(|name| plain_name(name)).collect::<Vec<_>>().join(", "),
    };
    let name = ServerName::try_from(host).map_err(|_| other_domain(Vec::new()))?;
    verify_server_name(&certificate, &name).map_err(|error| match error {
        Error::InvalidCertificate(Invalid::NotValidForNameContext { presented, .. }) => {
            other_domain(presented)
        }
        Error::InvalidCertificate(Invalid::NotValidForName) => other_domain(Vec::new()),
        error => malformed(error),
    })
}

/// A name as people write it: rustls has `DnsName("a.example.com")`.
fn plain_name(presented: &str) -> String {
    presented.split('"').nth(1).unwrap_or(presented).to_owned()
}

fn pem_mistake(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::MissingSectionEnd { .. } => "the line that begins with -----END is missing",
        pem::Error::Base64Decode(_) => "what stands between BEGIN and END is no base64",
        _ => "it is no PEM",
    }
}

fn read_private_key(text: &[u8]) -> Result<PrivateKeyDer<'static>, CertificateError> {
    PrivateKeyDer::from_pem_slice(text).map_err(|error| {
        const ENCRYPTED: [&[u8]; 2] = [b"BEGIN ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED"];
        let contains = |part: &&[u8]| text.windows(part.len()).any(|window| window == *part);
        match error {
            _ if ENCRYPTED.iter().any(contains) => CertificateError::EncryptedPrivateKey,
            pem::Error::NoItemsFound => CertificateError::NoPrivateKey,
            _ => CertificateError::UnusablePrivateKey,
        }
    })
}

#[cfg(test)]
mod tests;
