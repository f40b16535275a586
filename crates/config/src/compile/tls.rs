//! What a domain's `protocol`, `certConfig` and `tlsConfig` say of each other and of `gateway.https`.
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustls::SignatureAlgorithm;

use crate::certificate::Certificate;
use crate::document::{CertConfig, Pair};
use crate::place::{Place, Written};
use crate::report::Report;
use crate::snapshot::{
    CertificateFiles, CertificateSource, DomainTls, GatewaySettings, Protocol, TlsSettings,
};

/// What a domain's document says of HTTPS.
pub(super) struct Domain<'a> {
    pub(super) name: &'a str,
    pub(super) protocol: &'a Written<Protocol>,
    /// Without a value where it is wrong.
    pub(super) certificate: Option<&'a Written<Option<CertConfig>>>,
    pub(super) settings: Option<&'a TlsSettings>,
    /// The folders whose files it may name; `None` where it may name any.
    pub(super) allowed_folders: Option<&'a [PathBuf]>,
}

impl Domain<'_> {
    /// How the domain is served over HTTPS; `None` when it is not, or cannot be.
    pub(super) fn compile(
        self,
        gateway: &GatewaySettings,
        folder: &Path,
        report: &mut Report,
    ) -> Option<DomainTls> {
        let protocol = self.protocol;
        let certificate = self.certificate.map(|written| {
            let source = match &written.value {
                Some(CertConfig::Acme) => check_acme(self.name, gateway, &written.place, report),
                Some(CertConfig::Inline(pair)) => load_inline(self.name, pair, report),
                Some(CertConfig::Files(pair)) => {
                    let files = pair.map(|path| folder.join(path));
                    let is_allowed = check_folder(&files.certificate, self.allowed_folders, report)
                        & check_folder(&files.private_key, self.allowed_folders, report);
                    if is_allowed { load_files(self.name, &files, report) } else { None }
                }
                None => None,
            };
            (source, &written.place)
        });
        if !protocol.value.serves_https() {
            if let Some((_, place)) = certificate {
                report.warning(
                    place,
                    "certConfig has no effect, as protocol is HTTP; write HTTPS or HTTP,HTTPS",
                );
            }
            return None;
        }
        if gateway.https.is_none() {
            match protocol.value {
                Protocol::Https => report.error(
                    &protocol.place,
                    "there is no listener for HTTPS; set gateway.https, as to \"0.0.0.0:8443\", or write HTTP \
                     where TLS ends in front of claimgate",
                ),
                _ => report.warning(&protocol.place, "only HTTP is served, as gateway.https is not set"),
            }
            return None;
        }
        let Some((source, place)) = certificate else {
            let message = "HTTPS needs a certificate; expected certConfig with certificate and privateKey, \
                           with certificateFile and privateKeyFile, or with acme: true";
            report.error(&protocol.place, message);
            return None;
        };
        let tls = DomainTls { certificate: source?, settings: self.settings.cloned().unwrap_or_default() };
        check_suites(&tls, place, report);
        Some(tls)
    }
}

fn check_acme(
    domain: &str,
    gateway: &GatewaySettings,
    place: &Place,
    report: &mut Report,
) -> Option<CertificateSource> {
    if domain.starts_with("*.") {
        let message = "ACME servers give certificates for a wildcard only for the challenge dns-01, which \
                       claimgate does not answer; name the hosts, or have the certificate in files";
        report.error(place, message);
        return None;
    }
    if gateway.acme.is_none() {
        report.error(place, "there is no ACME server to obtain it from; set gateway.acme.directoryUrl");
        return None;
    }
    Some(CertificateSource::Acme)
}

fn load_inline(domain: &str, pair: &Pair<String>, report: &mut Report) -> Option<CertificateSource> {
    let Pair { certificate: chain, private_key } = pair;
    match Certificate::from_pem(domain, chain.value.as_bytes(), private_key.value.as_bytes()) {
        Ok(certificate) => {
            warn_of_expiry(&certificate, &chain.place, report);
            Some(CertificateSource::Inline(Arc::new(certificate)))
        }
        Err(error) => {
            let place = if error.is_of_private_key() { &private_key.place } else { &chain.place };
            report.error(place, error.to_string());
            None
        }
    }
}

fn load_files(domain: &str, pair: &Pair<PathBuf>, report: &mut Report) -> Option<CertificateSource> {
    let Pair { certificate: chain, private_key } = pair;
    let files = CertificateFiles { certificate: chain.value.clone(), private_key: private_key.value.clone() };
    // Looked at before they are read, so that a change while they are read is noticed afterwards.
    let version = files.version();
    match files.load(domain) {
        Ok(certificate) => {
            warn_of_expiry(&certificate, &chain.place, report);
            Some(CertificateSource::Files { files, version, certificate: Arc::new(certificate) })
        }
        Err(error) => {
            let place = if error.is_of_private_key() { &private_key.place } else { &chain.place };
            report.error(place, error.to_string());
            None
        }
    }
}

/// Refuses a file outside of the folders. Links are followed: only those who may write there can make one.
fn check_folder(file: &Written<PathBuf>, allowed: Option<&[PathBuf]>, report: &mut Report) -> bool {
    let Some(allowed) = allowed else { return true };
    let Written { value: path, place } = file;
    let leaves_it = path.components().any(|component| component == Component::ParentDir);
    if !leaves_it && allowed.iter().any(|folder| path.starts_with(folder)) {
        return true;
    }
    let message = format!(
        "stored documents may not name the file {}, as it is in no folder of store.allowFiles; add its folder \
         to that list in the configuration file, or give the certificate itself with certificate and privateKey",
        path.display()
    );
    report.error(place, message);
    false
}

fn warn_of_expiry(certificate: &Certificate, place: &Place, report: &mut Report) {
    if let Some(expiry) = certificate.expiry(SystemTime::now()) {
        report.warning(place, expiry);
    }
}

/// In TLS 1.2 a cipher suite names the kind of the certificate's key.
fn check_suites(tls: &DomainTls, place: &Place, report: &mut Report) {
    let algorithm = match &tls.certificate {
        CertificateSource::Inline(certificate) | CertificateSource::Files { certificate, .. } => {
            certificate.certified_key().key.algorithm()
        }
        CertificateSource::Acme => SignatureAlgorithm::ECDSA,
    };
    let suites = &tls.settings.cipher_suites;
    let fit = |version| {
        suites.iter().any(|suite| {
            suite.version().version == version && suite.usable_for_signature_algorithm(algorithm)
        })
    };
    let unfit = tls.settings.versions.iter().map(|version| version.version).filter(|version| !fit(*version));
    let unfit: Vec<_> = unfit.collect();
    let message = "no cipher suite of tlsConfig for TLS 1.2 fits the certificate's key";
    match unfit.len() {
        0 => {}
        some if some == tls.settings.versions.len() => report.error(place, message),
        _ => report.warning(place, format!("{message}, so TLS 1.3 alone is served")),
    }
}
