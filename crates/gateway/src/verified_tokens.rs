//! Tokens that were verified before, so that the next request with one need not verify it again.
//!
//! What is found was verified with the same keys and rules: an entry belongs to one domain of one
//! configuration, and is void as soon as another set of keys is fetched. `exp` and `nbf` are checked each
//! time. A token is looked up by its SHA-256, over all of its bytes: two tokens that have the same are not
//! to be had, how long a look-up takes tells nothing of a token that is not known already, and no token is
//! kept in memory.

use std::hash::RandomState;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest;
use claimgate_config::snapshot::JwtAuthentication;
use claimgate_jose::{Times, VerifiedClaims};
use claimgate_remote_keys::PublishedKeys;
use quick_cache::unsync::Cache;
use quick_cache::{Lifecycle, Weighter};

use crate::claims::MappedClaim;
use crate::metrics::TokenCacheMetrics;

/// What an entry takes beside its claims, in bytes: key, times, table and the cache's own bookkeeping.
const ENTRY_BYTES: usize = 256;

/// The verified tokens of one thread. No other thread waits for its lock.
#[derive(Debug)]
pub struct VerifiedTokens {
    /// `None` when the cache is turned off.
    cache: Option<Mutex<Tokens>>,
    metrics: TokenCacheMetrics,
}

type Tokens = Cache<Key, Arc<VerifiedToken>, Bytes, RandomState, Evictions>;

/// A token that was verified.
#[derive(Debug)]
pub struct VerifiedToken {
    /// Its claims that are mapped to parameters, in the order of `claimPassBy`.
    pub claims: Vec<MappedClaim>,
    times: Times,
    /// The fetched keys that it was verified with, when the domain has any.
    published: Option<Arc<PublishedKeys>>,
}

impl VerifiedToken {
    /// Keeps of a token what its requests need.
    pub fn new(
        claims: &VerifiedClaims,
        jwt: &JwtAuthentication,
        published: Option<Arc<PublishedKeys>>,
    ) -> Self {
        let mapped = jwt.claim_mappings.iter().map(|mapping| MappedClaim::of(mapping, claims));
        Self { claims: mapped.collect(), times: claims.times(), published }
    }

    fn bytes(&self) -> usize {
        let claims = self.claims.iter().map(|claim| size_of::<MappedClaim>() + claim.heap_bytes());
        ENTRY_BYTES + claims.sum::<usize>()
    }
}

/// Which token, verified by whose rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    generation: u64,
    /// Where the rules are in memory, which is unique as long as their generation is served.
    rules: usize,
    sha256: [u8; 32],
}

impl Key {
    /// The key of a token; `generation` numbers the configurations.
    pub fn of(token: &[u8], rules: &JwtAuthentication, generation: u64) -> Self {
        let mut sha256 = [0; 32];
        for (to, from) in sha256.iter_mut().zip(digest::digest(&digest::SHA256, token).as_ref()) {
            *to = *from;
        }
        Self { generation, rules: std::ptr::from_ref(rules).addr(), sha256 }
    }
}

impl VerifiedTokens {
    /// A cache of so many bytes; of none it is turned off.
    pub fn new(bytes: usize, metrics: TokenCacheMetrics) -> Self {
        let cache = (bytes > 0).then(|| {
            let evictions = Evictions(metrics.clone());
            let entries = bytes / (2 * ENTRY_BYTES);
            Mutex::new(Cache::with(entries, bytes as u64, Bytes, RandomState::new(), evictions))
        });
        Self { cache, metrics }
    }

    /// A cache that is turned off.
    pub fn off() -> Self {
        Self::new(0, TokenCacheMetrics::default())
    }

    /// Whether anything is ever found.
    pub fn is_on(&self) -> bool {
        self.cache.is_some()
    }

    /// The token, if it was verified before and would be again: with the same fetched keys, and at this
    /// time.
    pub fn find(
        &self,
        key: &Key,
        published: Option<&Arc<PublishedKeys>>,
        leeway: Duration,
        now: Duration,
    ) -> Option<Arc<VerifiedToken>> {
        let tokens = self.tokens()?;
        let found = tokens.get(key).filter(|token| {
            token.published.as_ref().map(Arc::as_ptr) == published.map(Arc::as_ptr)
                && token.times.contain(now, leeway)
        });
        let found = found.cloned();
        drop(tokens);
        self.metrics.count_look_up(found.is_some());
        found
    }

    /// Keeps a token.
    pub fn insert(&self, key: Key, token: Arc<VerifiedToken>) {
        if let Some(mut tokens) = self.tokens() {
            let before = tokens.weight();
            tokens.insert(key, token);
            self.metrics.note_growth(before, tokens.weight());
        }
    }

    fn tokens(&self) -> Option<MutexGuard<'_, Tokens>> {
        Some(self.cache.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Weighs an entry by its bytes.
#[derive(Debug, Clone)]
struct Bytes;

impl Weighter<Key, Arc<VerifiedToken>> for Bytes {
    fn weight(&self, _: &Key, token: &Arc<VerifiedToken>) -> u64 {
        token.bytes() as u64
    }
}

/// Counts what has to make room.
#[derive(Debug, Clone)]
struct Evictions(TokenCacheMetrics);

impl Lifecycle<Key, Arc<VerifiedToken>> for Evictions {
    type RequestState = ();

    fn begin_request(&self) -> Self::RequestState {}

    fn on_evict(&self, _: &mut Self::RequestState, _: Key, _: Arc<VerifiedToken>) {
        self.0.count_eviction();
    }
}
