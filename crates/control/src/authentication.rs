//! Who calls an API: the holder of an access key, who has signed the request with its secret.

use std::sync::Arc;
use std::time::SystemTime;

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use claimgate_config::snapshot::Role;
use claimgate_gateway::Gateway;

use crate::access_keys::{self, Credential};
use crate::acs3::{BodyHash, Request, SignatureError, Signed};
use crate::answer::ErrorAnswer;
use crate::catalog::{Author, Catalog};
use crate::cookies;
use crate::nonces::{Effect, NonceError, Nonces};
use crate::secrets::Audience;
use crate::sessions::Sessions;
use crate::store::{Store, StoreError};

/// Who a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// What changes are told to be made by.
    pub name: String,
    /// What it may do.
    pub role: Role,
}

impl Caller {
    /// As the author of changes.
    pub fn author(&self) -> Author {
        Author { name: self.name.clone(), role: self.role }
    }

    /// As whom it is shown documents.
    pub fn audience(&self) -> Audience {
        Audience::of(self.role)
    }

    /// Refuses who may read only.
    ///
    /// # Errors
    ///
    /// `AccessDenied`.
    pub fn may_write(&self) -> Result<(), ErrorAnswer> {
        if self.role >= Role::Editor {
            return Ok(());
        }
        let role = self.role.name();
        Err(ErrorAnswer::denied(format!("{} has the role {role}, which may read only", self.name)))
    }
}

/// Checks signatures of requests.
#[derive(Debug)]
pub struct Authenticator {
    /// Whose configuration declares access keys.
    gateway: Arc<Gateway>,
    store: Option<Store>,
    nonces: Nonces,
}

/// Why it is not known who a request comes from.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticationError {
    /// The signature, or what it covers.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// There is no such key, or it is disabled.
    #[error("invalid access key ID '{0}'")]
    UnknownKey(String),
    /// The request came before.
    #[error(transparent)]
    Nonce(#[from] NonceError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Authenticator {
    /// Knows the access keys of the configuration and of the store.
    pub fn new(catalog: &Catalog) -> Self {
        let store = catalog.store().cloned();
        Self { gateway: Arc::clone(catalog.gateway()), nonces: Nonces::new(store.clone()), store }
    }

    /// Finds out who signed a request, by its head alone, so that nothing of a body has to be kept for others.
    /// Keys are looked up for each request, so that one that is disabled or deleted ends at once, on every
    /// gateway. The request is good when its body has the hash that was signed.
    ///
    /// # Errors
    ///
    /// [`AuthenticationError`]; the request must not be answered then.
    pub async fn authenticate(&self, parts: &Parts) -> Result<(Caller, BodyHash), AuthenticationError> {
        let request = Request::of(parts);
        let signed = Signed::read(&request, SystemTime::now())?;
        let id = signed.access_key_id;
        let unknown = || AuthenticationError::UnknownKey(id.chars().take(128).collect());
        let credential = self.credential(id).await?.ok_or_else(unknown)?;
        signed.verify(&request, credential.secret.as_bytes())?;
        self.nonces.take(id, signed.nonce, Effect::of(&parts.method)).await?;
        Ok((Caller { name: credential.name, role: credential.role }, signed.body))
    }

    /// Tells which user of the console has sent a request, by the cookie of a session; `None` when there is
    /// none. Requests that change something have to carry the session's token in `x-csrf-token`.
    ///
    /// # Errors
    ///
    /// When the token is not there, or the store does not answer.
    pub async fn session(&self, parts: &Parts) -> Result<Option<Caller>, ErrorAnswer> {
        let Some(store) = self.store.as_ref().filter(|_| !parts.headers.contains_key(AUTHORIZATION)) else {
            return Ok(None);
        };
        let Some(session) =
            Sessions::new(store.clone()).find(&parts.headers, cookies::protection(&parts.extensions)).await?
        else {
            return Ok(None);
        };
        let is_safe = parts.method == Method::GET || parts.method == Method::HEAD;
        if !is_safe && !session.is_own_request(&parts.headers) {
            return Err(ErrorAnswer::denied("the session's token is missing in x-csrf-token"));
        }
        Ok(Some(Caller { name: session.user.name, role: session.user.role }))
    }

    async fn credential(&self, id: &str) -> Result<Option<Credential>, StoreError> {
        let serving = self.gateway.serving();
        if let Some(key) = serving.snapshot.admin.access_keys.iter().find(|key| key.id == id) {
            let secret = key.secret.expose().to_owned().into();
            return Ok(Some(Credential { secret, role: key.role, name: key.name.clone() }));
        }
        match &self.store {
            Some(store) => access_keys::credential(store, id).await,
            None => Ok(None),
        }
    }
}

impl From<AuthenticationError> for ErrorAnswer {
    fn from(error: AuthenticationError) -> Self {
        use AuthenticationError::{Nonce, Signature, Store, UnknownKey};
        let message = error.to_string();
        let (status, code) = match error {
            Signature(error) => match error {
                SignatureError::MissingHeader(_) => (StatusCode::BAD_REQUEST, "MissingRequiredHeader"),
                SignatureError::MalformedAuthorization
                | SignatureError::MalformedNonce
                | SignatureError::RepeatedHeader(_) => (StatusCode::BAD_REQUEST, "InvalidArgument"),
                SignatureError::MalformedDate => (StatusCode::BAD_REQUEST, "InvalidTimeStamp.Format"),
                SignatureError::Expired { .. } => (StatusCode::BAD_REQUEST, "InvalidTimeStamp.Expired"),
                SignatureError::NotSigned(_) | SignatureError::OtherBody | SignatureError::Mismatch => {
                    (StatusCode::FORBIDDEN, "SignatureNotMatch")
                }
            },
            UnknownKey(_) => (StatusCode::FORBIDDEN, "InvalidAccessKeyID"),
            Nonce(NonceError::Used) => (StatusCode::BAD_REQUEST, "SignatureNonceUsed"),
            Nonce(NonceError::Full) => (StatusCode::SERVICE_UNAVAILABLE, "ResourceThrottled"),
            Nonce(NonceError::Store(error)) | Store(error) => return error.into(),
        };
        Self::new(status, code, message)
    }
}

impl From<StoreError> for ErrorAnswer {
    fn from(error: StoreError) -> Self {
        let (status, code) = match &error {
            StoreError::Unreachable(_) | StoreError::NotWritable(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable")
            }
            StoreError::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "EntityTooLarge"),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError"),
        };
        Self::new(status, code, error.to_string())
    }
}
