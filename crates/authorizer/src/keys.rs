//! The keys that sign tokens: one signs, those before it stay published until their last token has
//! expired, and one may be published that signs later.

pub(crate) mod folder;
mod key;
mod rotate;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use key::Key;
pub(crate) use rotate::first_key;
pub use rotate::{KeySettings, RotateError, Rotated, rotate};

/// How long a key stays published after its last token has expired: gateways may allow 300 s of leeway,
/// and clocks differ.
const MARGIN: Duration = Duration::from_secs(360);

/// The keys of a folder at a moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyRing {
    /// In the order in which they sign.
    keys: Vec<Arc<Key>>,
    lifetime: Duration,
}

impl KeyRing {
    /// `lifetime` is that of tokens.
    pub(crate) fn new(mut keys: Vec<Key>, lifetime: Duration) -> Self {
        // Two keys of the same second have the same order everywhere.
        keys.sort_by(|a, b| (a.signs_from, &a.id).cmp(&(b.signs_from, &b.id)));
        Self { keys: keys.into_iter().map(Arc::new).collect(), lifetime }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key that signs: the one that began last. When none has begun, as the clock was set back, it
    /// is the first one. `now` counts from 1970.
    pub(crate) fn active(&self, now: Duration) -> Option<&Key> {
        let begun = self.keys.iter().rfind(|key| key.signs_from <= now);
        begun.or_else(|| self.keys.first()).map(Arc::as_ref)
    }

    /// The key that signs later.
    pub(crate) fn pending(&self, now: Duration) -> Option<&Key> {
        let active = self.active(now)?;
        self.keys.iter().map(Arc::as_ref).find(|key| key.signs_from > now && key.id != active.id)
    }

    /// The keys whose tokens may still be valid, and those that are to sign.
    pub(crate) fn published(&self, now: Duration) -> impl Iterator<Item = &Key> {
        self.with_successors().filter(move |(_, next)| !self.is_over(*next, now)).map(|(key, _)| key)
    }

    /// The keys that no valid token is signed with any more.
    pub(crate) fn over(&self, now: Duration) -> impl Iterator<Item = &Key> {
        self.with_successors().filter(move |(_, next)| self.is_over(*next, now)).map(|(key, _)| key)
    }

    /// The first second from `time` on in which no key begins to sign: two that begin in the same second
    /// have no order that means anything.
    pub(crate) fn free_second(&self, time: Duration) -> Duration {
        let mut second = Duration::from_secs(time.as_secs());
        while self.keys.iter().any(|key| key.signs_from == second) {
            second += Duration::from_secs(1);
        }
        second
    }

    fn with_successors(&self) -> impl Iterator<Item = (&Key, Option<&Key>)> {
        let next = self.keys.iter().skip(1).map(|key| Some(key.as_ref())).chain([None]);
        self.keys.iter().map(Arc::as_ref).zip(next)
    }

    /// Whether the tokens of a key have expired, which signed until `next` began.
    fn is_over(&self, next: Option<&Key>, now: Duration) -> bool {
        next.is_some_and(|next| next.signs_from + self.lifetime + MARGIN < now)
    }
}

#[cfg(test)]
mod tests;
