//! Tokens that were verified before, so that the next request with one need not verify it again.
//!
//! What is found was verified with the same keys and rules: an entry belongs to one domain of one
//! configuration, and is void as soon as another set of keys is fetched. `exp` and `nbf` are checked each
//! time.
//!
//! A token is looked up by a tag of 128 bits over all of its bytes and their number: POLYVAL (RFC 8452, 3), a
//! universal hash, under a key that is made at the start and told to nobody; no tag is given out. Whoever does
//! not know the key finds two tokens with one tag with a chance of 2^-117 an attempt at the longest tokens, and
//! learns nothing from how long a look-up takes; and no token is kept in memory. SHA-256 would do as well and
//! takes ten times the instructions where the processor has none for it.

use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::rand;
use claimgate_config::snapshot::{JwtAuthentication, RulesId};
use claimgate_jose::{Times, VerifiedClaims};
use claimgate_remote_keys::PublishedKeys;
use polyval::Polyval;
use polyval::universal_hash::UniversalHash;
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
    cache: Option<(Polyval, Mutex<Tokens>)>,
    metrics: TokenCacheMetrics,
}

type Tokens = Cache<Key, VerifiedToken, Bytes, BuildHasherDefault<TagHasher>, Evictions>;

/// A token that was verified.
#[derive(Debug, Clone)]
pub struct VerifiedToken {
    /// Its claims that are mapped to parameters, in the order of `claimPassBy`.
    pub claims: Arc<[MappedClaim]>,
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
        let mapped = MappedClaim::of_all(&jwt.claim_mappings, claims);
        Self { claims: mapped, times: claims.times(), published }
    }

    fn bytes(&self) -> usize {
        let claims = self.claims.iter().map(|claim| size_of::<MappedClaim>() + claim.heap_bytes());
        ENTRY_BYTES + claims.sum::<usize>()
    }
}

/// Which token, verified by whose rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    rules: RulesId,
    tag: [u8; 16],
}

impl VerifiedTokens {
    /// A cache of so many bytes; of none it is turned off.
    pub fn new(bytes: usize, metrics: TokenCacheMetrics) -> Self {
        let tokens = || {
            let evictions = Evictions(metrics.clone());
            let entries = bytes / (2 * ENTRY_BYTES);
            Mutex::new(Cache::with(entries, bytes as u64, Bytes, BuildHasherDefault::default(), evictions))
        };
        let cache = if bytes > 0 { tag_hash().map(|hash| (hash, tokens())) } else { None };
        Self { cache, metrics }
    }

    /// A cache that is turned off.
    pub fn off() -> Self {
        Self::new(0, TokenCacheMetrics::default())
    }

    /// The key of a token, verified by some rules; `None` when the cache is turned off.
    pub fn key(&self, token: &[u8], rules: RulesId) -> Option<Key> {
        let (hash, _) = self.cache.as_ref()?;
        Some(Key { rules, tag: tag(hash.clone(), token) })
    }

    /// The mapped claims of a token, if it was verified before and would be again: with the same fetched keys,
    /// and at this time.
    pub fn find(
        &self,
        key: &Key,
        published: Option<&Arc<PublishedKeys>>,
        leeway: Duration,
        now: Duration,
    ) -> Option<Arc<[MappedClaim]>> {
        let tokens = self.tokens()?;
        let found = tokens.get(key).filter(|token| {
            token.published.as_ref().map(Arc::as_ptr) == published.map(Arc::as_ptr)
                && token.times.contain(now, leeway)
        });
        let found = found.map(|token| Arc::clone(&token.claims));
        drop(tokens);
        self.metrics.count_look_up(found.is_some());
        found
    }

    /// Keeps a token.
    pub fn insert(&self, key: Key, token: VerifiedToken) {
        if let Some(mut tokens) = self.tokens() {
            let before = tokens.weight();
            tokens.insert(key, token);
            self.metrics.note_growth(before, tokens.weight());
        }
    }

    fn tokens(&self) -> Option<MutexGuard<'_, Tokens>> {
        let (_, tokens) = self.cache.as_ref()?;
        Some(tokens.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.tag);
    }
}

/// A tag is a keyed hash already.
#[derive(Debug, Default)]
struct TagHasher(u64);

impl Hasher for TagHasher {
    fn write(&mut self, tag: &[u8]) {
        self.0 = tag.first_chunk().map_or(0, |start| u64::from_ne_bytes(*start));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

fn tag(mut hash: Polyval, token: &[u8]) -> [u8; 16] {
    hash.update_padded(token);
    // The last block is filled up with zeros, which a token may end with.
    hash.update_padded(&(token.len() as u128).to_le_bytes());
    hash.finalize().into()
}

/// The hash under a key that nobody knows.
fn tag_hash() -> Option<Polyval> {
    let mut key = [0; polyval::KEY_SIZE];
    rand::fill(&mut key).ok()?;
    Some(Polyval::new(&key.into()))
}

/// Weighs an entry by its bytes.
#[derive(Debug, Clone)]
struct Bytes;

impl Weighter<Key, VerifiedToken> for Bytes {
    fn weight(&self, _: &Key, token: &VerifiedToken) -> u64 {
        token.bytes() as u64
    }
}

/// Counts what has to make room.
#[derive(Debug, Clone)]
struct Evictions(TokenCacheMetrics);

impl Lifecycle<Key, VerifiedToken> for Evictions {
    type RequestState = ();

    fn begin_request(&self) -> Self::RequestState {}

    fn on_evict(&self, _: &mut Self::RequestState, _: Key, _: VerifiedToken) {
        self.0.count_eviction();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_with_zeros_behind_it_is_another_one() {
        let hash = Polyval::new(&[7; polyval::KEY_SIZE].into());
        let tag = |token: &[u8]| tag(hash.clone(), token);
        assert_eq!(tag(b"a.b.c"), tag(b"a.b.c"));
        for other in [&b"a.b.c\0"[..], b"a.b.c\0\0\0\0\0\0\0\0\0\0\0", b"", b"\0", b"a.b.d"] {
            assert_ne!(tag(other), tag(b"a.b.c"), "{other:?}");
        }
    }
}
