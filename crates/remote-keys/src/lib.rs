//! Key sets that issuers publish: fetched, kept and refreshed in the background.
//!
//! Each source has one task ([`RemoteKeys`]), which fetches when a set is due and when a request asks,
//! because its token names a key that is not there. What requests see is always the last good set: no
//! failure, empty set or garbage replaces it, and a file keeps it through restarts.
//!
//! [`Fetcher`] is one fetch: discovery, redirects, TLS and the limits on all of them. It connects to no
//! address that [`gateway.remoteJwks`](claimgate_config::snapshot::RemoteJwksSettings) does not allow.

mod disk;
mod error;
mod fetch;
mod freshness;
mod http;
mod metrics;
mod remote_keys;
mod sources;

pub use error::{FetchError, StartError};
pub use fetch::{Fetcher, PublishedKeys};
pub use metrics::Metrics;
pub use remote_keys::RemoteKeys;
pub use sources::RemoteKeySources;
