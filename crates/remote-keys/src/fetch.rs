//! One fetch of a source: discovery where there is one, then the key set.

mod discovery;
mod published;

use std::time::Duration;

use ::http::Uri;
use bytes::Bytes;
use claimgate_config::snapshot::{RemoteJwksSettings, RemoteKeySource};
use claimgate_jose::json::Value;
use tokio::time::Instant;

use crate::error::{FetchError, StartError};
use crate::freshness;
use crate::http::{Answer, Client, Deadline, Validator};
pub use published::{PublishedKeys, describe};

/// Fetches key sets.
#[derive(Debug)]
pub struct Fetcher {
    client: Client,
    timeout: Duration,
}

/// What one fetch leaves for the next.
#[derive(Debug, Default)]
pub struct Memory {
    /// Where the issuer's keys are, and until when that is believed.
    discovered: Option<(Uri, Instant)>,
    validator: Option<Validator>,
    fresh_for: Option<Duration>,
}

/// What a fetch brought.
#[derive(Debug)]
pub struct News {
    /// The keys; `None` when they are those of the last fetch.
    pub keys: Option<PublishedKeys>,
    /// What the server says of how long they stay as they are.
    pub fresh_for: Option<Duration>,
}

impl Fetcher {
    /// Reads the root certificates.
    ///
    /// # Errors
    ///
    /// When `gateway.remoteJwks.caFile` cannot be used.
    pub fn new(settings: &RemoteJwksSettings) -> Result<Self, StartError> {
        Ok(Self { client: Client::new(settings)?, timeout: settings.timeout })
    }

    /// Fetches the keys of a source once.
    ///
    /// # Errors
    ///
    /// When there is none that can be used.
    pub async fn fetch(&self, source: &RemoteKeySource) -> Result<PublishedKeys, FetchError> {
        let news = self.fetch_again(source, &mut Memory::default()).await?;
        news.keys.ok_or_else(FetchError::unasked_not_modified)
    }

    /// Fetches the keys of a source with the memory of its last fetch, which is forgotten when this one
    /// fails: where the keys are may have changed.
    pub(crate) async fn fetch_again(
        &self,
        source: &RemoteKeySource,
        memory: &mut Memory,
    ) -> Result<News, FetchError> {
        let Memory { discovered, validator, fresh_for } = std::mem::take(memory);
        let deadline = Deadline::after(self.timeout);
        let (url, discovered) = match (source, discovered) {
            (RemoteKeySource::JwksUri(url), _) => (url.clone(), None),
            (RemoteKeySource::OidcIssuer { .. }, Some((url, until))) if Instant::now() < until => {
                (url.clone(), Some((url, until)))
            }
            (RemoteKeySource::OidcIssuer { issuer, configuration }, _) => {
                let (url, until) = self.discover(issuer, configuration, deadline).await?;
                (url.clone(), Some((url, until)))
            }
        };
        match self.client.get(&url, validator.as_ref(), deadline).await? {
            Answer::NotModified(headers) => {
                // RFC 9111, 4.3.4: what is not said anew stays.
                let fresh_for = freshness::told(&headers).or(fresh_for);
                *memory = Memory { discovered, validator, fresh_for };
                Ok(News { keys: None, fresh_for })
            }
            Answer::Content { headers, body, validator } => {
                let keys = parse(&url, body, deadline).await?;
                let fresh_for = freshness::told(&headers);
                *memory = Memory { discovered, validator, fresh_for };
                Ok(News { keys: Some(keys), fresh_for })
            }
        }
    }

    async fn discover(
        &self,
        issuer: &str,
        configuration: &Uri,
        deadline: Deadline,
    ) -> Result<(Uri, Instant), FetchError> {
        let Answer::Content { headers, body, .. } = self.client.get(configuration, None, deadline).await?
        else {
            return Err(FetchError::unasked_not_modified());
        };
        let url = discovery::jwks_uri(issuer, configuration, &json(configuration, &body)?)?;
        let until = Instant::now() + discovery::valid_for(freshness::told(&headers));
        Ok((url, until))
    }
}

fn json(url: &Uri, body: &[u8]) -> Result<Value, FetchError> {
    Value::parse(body).map_err(|error| FetchError::Json { url: url.to_string(), why: error.to_string() })
}

/// Thousands of keys take their time, and nothing else should wait for it.
async fn parse(url: &Uri, body: Bytes, deadline: Deadline) -> Result<PublishedKeys, FetchError> {
    let at = url.clone();
    let parsing = tokio::task::spawn_blocking(move || {
        let jwks = json(&at, &body)?;
        PublishedKeys::read(&jwks).map_err(|why| FetchError::NoKey { url: at.to_string(), why })
    });
    let parsed = deadline.within("reading the keys", parsing).await?;
    parsed.unwrap_or_else(|error| Err(FetchError::Broken(error.to_string())))
}
