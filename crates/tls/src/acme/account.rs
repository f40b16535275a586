//! The account with an ACME server (RFC 8555, 7.1.2), and the way to the server.

use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use http::Request;
use http_body_util::{BodyExt, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use instant_acme::{Account, AccountCredentials, BodyWrapper, BytesResponse, Error, HttpClient, NewAccount};

use super::{Acme, AcmeError};
use crate::client::client_config;

/// For one request and its answer.
const TIME: Duration = Duration::from_secs(30);
/// Size of an answer, in bytes; the largest is a chain of certificates.
const MOST_BYTES: usize = 1024 * 1024;

type Body = BodyWrapper<bytes::Bytes>;

/// Speaks HTTPS with an ACME server.
#[derive(Clone)]
pub struct Client(hyper_util::client::legacy::Client<HttpsConnector<HttpConnector>, Body>);

impl Client {
    /// Trusts the system's root certificates, and those of a file.
    pub fn new(ca_file: Option<&Path>) -> Result<Self, AcmeError> {
        let tls = client_config(ca_file).map_err(AcmeError::Client)?;
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_http1().build();
        Ok(Self(hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(connector)))
    }
}

impl HttpClient for Client {
    fn request(
        &self,
        request: Request<Body>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let answer = self.0.request(request);
        Box::pin(async move {
            let whole = async {
                let (parts, body) = answer.await.map_err(|error| Error::Other(Box::new(error)))?.into_parts();
                let body = Limited::new(body, MOST_BYTES).collect().await.map_err(Error::Other)?;
                let body = http_body_util::Full::new(body.to_bytes());
                Ok(BytesResponse::from(http::Response::from_parts(parts, body)))
            };
            let late = || Error::Other("the ACME server did not answer in time".into());
            tokio::time::timeout(TIME, whole).await.unwrap_or_else(|_| Err(late()))
        })
    }
}

impl Acme {
    /// The account: as before, else the one that is kept, else a new one. One task makes it while the
    /// others wait.
    pub async fn account(&self) -> Result<Account, AcmeError> {
        let mut account = self.account.lock().await;
        if let Some(account) = &*account {
            return Ok(account.clone());
        }
        let client = || Account::builder_with_http(Box::new(self.client.clone()));
        let made = match self.folder.account()? {
            Some(credentials) => client().from_credentials(credentials).await?,
            None => {
                let contacts: Vec<&str> = self.settings.contacts.iter().map(String::as_str).collect();
                let wanted = NewAccount {
                    contact: &contacts,
                    terms_of_service_agreed: true,
                    only_return_existing: false,
                };
                let url = self.settings.directory_url.clone();
                let (made, credentials): (_, AccountCredentials) =
                    client().create(&wanted, url, None).await?;
                self.folder.keep_account(&credentials)?;
                tracing::info!(account = made.id(), "an account with the ACME server was made");
                made
            }
        };
        Ok(account.insert(made).clone())
    }

    /// After a failure the next order begins from the server's directory, and with a new account where the
    /// server does not know the old one.
    pub async fn forget_account(&self, error: &AcmeError) {
        let mut account = self.account.lock().await;
        *account = None;
        const UNKNOWN: &str = "urn:ietf:params:acme:error:accountDoesNotExist";
        if let AcmeError::Server(Error::Api(problem)) = error
            && problem.r#type.as_deref() == Some(UNKNOWN)
            && let Err(error) = self.folder.drop_account()
        {
            tracing::error!("{error}");
        }
    }
}
