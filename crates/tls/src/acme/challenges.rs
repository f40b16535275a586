//! Answers to an ACME server's challenges, for as long as it may ask.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use super::AcmeError;

/// The protocol that asks for a challenge's certificate (RFC 8737, 4).
pub const ALPN: &[u8] = b"acme-tls/1";

const PATH: &str = "/.well-known/acme-challenge/";

/// The answers that are due.
#[derive(Debug, Default)]
pub struct Challenges {
    /// Key authorizations by token.
    http: Mutex<HashMap<String, String>>,
    /// What handshakes use, by name.
    tls: Mutex<HashMap<String, Arc<ServerConfig>>>,
}

/// An answer, which is given until this is dropped.
#[derive(Debug)]
pub struct Answer {
    challenges: Arc<Challenges>,
    to: Question,
}

#[derive(Debug)]
enum Question {
    Http { token: String },
    Tls { name: String },
}

impl Challenges {
    /// What is answered to a request over plain HTTP (RFC 8555, 8.3), if it is one of the server's.
    pub fn http(&self, path: &str) -> Option<String> {
        let token = path.strip_prefix(PATH)?;
        lock(&self.http).get(token).cloned()
    }

    /// What a handshake of the server's uses (RFC 8737, 3).
    pub fn tls(&self, name: &str) -> Option<Arc<ServerConfig>> {
        lock(&self.tls).get(name).cloned()
    }

    /// Answers http-01 from now on.
    pub fn answer_http(self: &Arc<Self>, token: &str, key_authorization: &str) -> Answer {
        lock(&self.http).insert(token.to_owned(), key_authorization.to_owned());
        Answer { challenges: Arc::clone(self), to: Question::Http { token: token.to_owned() } }
    }

    /// Answers tls-alpn-01 from now on.
    pub fn answer_tls(self: &Arc<Self>, name: &str, digest: &[u8]) -> Result<Answer, AcmeError> {
        let config = config(name, digest).map_err(|error| AcmeError::Challenge(error.to_string()))?;
        lock(&self.tls).insert(name.to_owned(), Arc::new(config));
        Ok(Answer { challenges: Arc::clone(self), to: Question::Tls { name: name.to_owned() } })
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        match &self.to {
            Question::Http { token } => drop(lock(&self.challenges.http).remove(token)),
            Question::Tls { name } => drop(lock(&self.challenges.tls).remove(name)),
        }
    }
}

fn config(name: &str, digest: &[u8]) -> Result<ServerConfig, Box<dyn std::error::Error>> {
    let key = KeyPair::generate()?;
    let mut certificate = CertificateParams::new([name.to_owned()])?;
    certificate.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let certificate = certificate.self_signed(&key)?;
    let provider = aws_lc_rs::default_provider();
    let key = provider.key_provider.load_private_key(PrivateKeyDer::try_from(key.serialize_der())?)?;
    // Not checked as others are: the extension is critical, and none that rustls knows.
    let certified_key = CertifiedKey::new(vec![certificate.der().clone()], key);
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified_key)));
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(config)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_answered_while_it_is_pending() {
        let challenges = Arc::new(Challenges::default());
        let answer = challenges.answer_http("token", "token.thumbprint");
        let found = challenges.http("/.well-known/acme-challenge/token");
        assert_eq!(found.as_deref(), Some("token.thumbprint"));
        for path in ["/.well-known/acme-challenge/", "/.well-known/acme-challenge/tokens", "/token", "/"] {
            assert_eq!(challenges.http(path), None);
        }
        drop(answer);
        assert_eq!(challenges.http("/.well-known/acme-challenge/token"), None);
    }
}
