//! Nonces of signed requests, each of which counts once.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::Method;

use crate::acs3::{self, WINDOW};
use crate::store::{CommitError, Condition, Store, StoreError, Write};

/// A date may lie as far ahead as behind, so that a request is good for twice the window; a minute more for
/// gateways whose clocks differ.
const KEPT: Duration = Duration::from_secs(2 * WINDOW.as_secs() + 60);

/// In memory so many requests in half an hour are remembered (some 20 MB), and more are refused.
const MOST_IN_MEMORY: usize = 200_000;

/// The nonces of the last half hour.
///
/// Those of requests that may change something are in the store, so that no gateway takes one twice. Those that
/// only read are remembered by this process alone, so that reading writes nothing: a client who has seen such a
/// request, and with it the response, may have it answered once more by each other gateway, and after a restart.
#[derive(Debug)]
pub struct Nonces {
    store: Option<Store>,
    seen: Mutex<Seen>,
}

/// What a request with a nonce may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Read.
    Reads,
    /// Change something.
    Changes,
}

impl Effect {
    /// What requests with a method may do (RFC 9110, 9.2.1).
    pub fn of(method: &Method) -> Self {
        if *method == Method::GET || *method == Method::HEAD { Self::Reads } else { Self::Changes }
    }
}

/// What was seen last.
#[derive(Debug, Default)]
struct Seen {
    nonces: HashSet<[u8; 32]>,
    /// The oldest first.
    order: VecDeque<(Instant, [u8; 32])>,
}

/// Why a nonce does not count.
#[derive(Debug, thiserror::Error)]
pub enum NonceError {
    /// A request with it came before.
    #[error("the nonce was used already; each request needs one of its own")]
    Used,
    /// There is no place to remember it in, and none that counts may be forgotten.
    #[error("too many requests in half an hour; wait")]
    Full,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Nonces {
    /// Where nonces are remembered.
    pub fn new(store: Option<Store>) -> Self {
        Self { store, seen: Mutex::default() }
    }

    /// Uses a nonce up. The signature has been checked, so that nobody else can fill the memory.
    ///
    /// # Errors
    ///
    /// [`NonceError`]; the request must not be answered then.
    pub async fn take(&self, access_key_id: &str, nonce: &str, effect: Effect) -> Result<(), NonceError> {
        // Neither is as long as it likes, and an id has no line feed.
        let digest = digest(&SHA256, format!("{access_key_id}\n{nonce}").as_bytes());
        match &self.store {
            Some(store) if effect == Effect::Changes => {
                take_in_store(store, &acs3::hex(digest.as_ref())).await
            }
            _ => {
                let mut bytes = [0; 32];
                bytes.copy_from_slice(digest.as_ref());
                let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.take(bytes, Instant::now(), MOST_IN_MEMORY)
            }
        }
    }
}

async fn take_in_store(store: &Store, digest: &str) -> Result<(), NonceError> {
    let key = format!("nonces/{digest}");
    let absent = [Condition::Absent { key: key.clone() }];
    let put = [Write::Put { key, value: Vec::new(), expires_in: Some(KEPT) }];
    match store.commit(&absent, &put).await {
        Ok(_) => Ok(()),
        Err(CommitError::Conflict { .. }) => Err(NonceError::Used),
        Err(CommitError::Unknown(why)) => Err(StoreError::Unreachable(why).into()),
        Err(CommitError::Store(error)) => Err(error.into()),
    }
}

impl Seen {
    fn take(&mut self, nonce: [u8; 32], now: Instant, most: usize) -> Result<(), NonceError> {
        while let Some((seen, oldest)) = self.order.front()
            && now.duration_since(*seen) > KEPT
        {
            self.nonces.remove(oldest);
            self.order.pop_front();
        }
        if self.nonces.contains(&nonce) {
            return Err(NonceError::Used);
        }
        if self.nonces.len() >= most {
            return Err(NonceError::Full);
        }
        self.nonces.insert(nonce);
        self.order.push_back((now, nonce));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn nothing_is_forgotten_while_it_counts() {
        let mut seen = Seen::default();
        let start = Instant::now();
        seen.take([1; 32], start, 2).unwrap();
        assert!(matches!(seen.take([1; 32], start + KEPT, 2), Err(NonceError::Used)));
        seen.take([2; 32], start + Duration::from_secs(1), 2).unwrap();
        assert!(matches!(seen.take([3; 32], start + KEPT, 2), Err(NonceError::Full)));
        seen.take([3; 32], start + KEPT + Duration::from_millis(1), 2).unwrap();
        assert_eq!((seen.nonces.len(), seen.order.len()), (2, 2));
        seen.take([1; 32], start + 2 * KEPT, 2).unwrap();
    }

    #[tokio::test]
    async fn each_key_has_its_own() {
        let nonces = Nonces::new(None);
        for effect in [Effect::Reads, Effect::Changes] {
            let nonce = format!("{effect:?}");
            nonces.take("one", &nonce, effect).await.unwrap();
            nonces.take("other", &nonce, effect).await.unwrap();
            assert!(matches!(nonces.take("one", &nonce, effect).await, Err(NonceError::Used)));
        }
    }
}
