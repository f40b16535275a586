//! The keys of one source, and the task that keeps them fresh.

mod task;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use arc_swap::{ArcSwapOption, Guard};
use claimgate_config::snapshot::RemoteKeySource;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;

use crate::error::FetchError;
use crate::fetch::PublishedKeys;
use crate::metrics::Metrics;
pub use task::{Beginning, FirstFetch, Task};

/// The keys of one source. They are fetched as long as this is not dropped.
#[derive(Debug)]
pub struct RemoteKeys {
    shared: Arc<Shared>,
    task: AbortHandle,
}

/// What requests and the task share.
#[derive(Debug)]
pub struct Shared {
    source: RemoteKeySource,
    /// As the source is written in logs and metrics.
    name: String,
    /// The last good set; `None` until there is one.
    published: ArcSwapOption<PublishedKeys>,
    /// Why the last fetch brought nothing.
    failure: ArcSwapOption<FetchError>,
    fetches: watch::Sender<Fetches>,
    /// A request asks for a fetch.
    asked: Notify,
    cooldown: Duration,
    wait: Duration,
    metrics: Metrics,
}

/// How far the task is.
#[derive(Debug, Clone, Copy, Default)]
struct Fetches {
    /// Fetches that have ended; what they brought is in place before it is counted here.
    ended: u64,
    is_underway: bool,
    /// When the last fetch ended that a request had asked for.
    asked_ended: Option<Instant>,
    /// When the set was fetched last.
    succeeded: Option<SystemTime>,
}

impl RemoteKeys {
    /// The last good set; `None` as long as there is none.
    pub fn current(&self) -> Guard<Option<Arc<PublishedKeys>>> {
        self.shared.published.load()
    }

    /// Another set than `known`, which lacks a token's key; `None` when there is none to be had now.
    ///
    /// Waits for a fetch that is underway, or starts one, unless one was asked for shortly before: so
    /// many requests cause one fetch, and tokens with invented keys no more than one in a while. The
    /// wait is bounded, and its end, or that of the request, leaves the fetch alone.
    pub async fn other_than(&self, known: Option<&Arc<PublishedKeys>>) -> Option<Arc<PublishedKeys>> {
        let shared = &self.shared;
        let mut fetches = shared.fetches.subscribe();
        // Looked at before the keys are: a fetch that ends in between is seen in one place or the other.
        let before = *fetches.borrow_and_update();
        if let Some(other) = shared.other_than(known) {
            return Some(other);
        }
        if !before.is_underway {
            if shared.is_cooling_down(&before) {
                return None;
            }
            shared.asked.notify_one();
        }
        let ended = fetches.wait_for(|now| now.ended != before.ended);
        let _ = tokio::time::timeout(shared.wait, ended).await;
        let other = shared.other_than(known);
        shared.metrics.count_wait(&shared.name, other.is_some());
        other
    }

    /// The source as it is written in the configuration.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Why the last fetch brought nothing; `None` when it brought something, or there was none.
    pub fn failure(&self) -> Option<Arc<FetchError>> {
        self.shared.failure.load_full()
    }

    /// When it makes sense to ask again after [`other_than`](Self::other_than) had nothing.
    pub fn retry_after(&self) -> Duration {
        self.shared.cooldown
    }

    /// Where the keys come from.
    pub(crate) fn source(&self) -> &RemoteKeySource {
        &self.shared.source
    }

    /// What another task for the same source begins with.
    pub(crate) fn kept(&self) -> Beginning {
        let fetched_at = self.shared.fetches.borrow().succeeded;
        Beginning { published: self.shared.published.load_full(), fetched_at }
    }
}

impl Drop for RemoteKeys {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn other_than(&self, known: Option<&Arc<PublishedKeys>>) -> Option<Arc<PublishedKeys>> {
        let current = self.published.load_full()?;
        let is_known = known.is_some_and(|known| Arc::ptr_eq(known, &current));
        if is_known { None } else { Some(current) }
    }

    fn is_cooling_down(&self, fetches: &Fetches) -> bool {
        fetches.asked_ended.is_some_and(|ended| ended.elapsed() < self.cooldown)
    }
}
