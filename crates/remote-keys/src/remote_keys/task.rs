//! Fetches the keys of one source when they are due and when a request asks.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use claimgate_config::snapshot::{RemoteJwksSettings, RemoteKeySource};
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use super::{Fetches, RemoteKeys, Shared};
use crate::disk::{Kept, KeyFile};
use crate::error::FetchError;
use crate::fetch::{Fetcher, Memory, News, PublishedKeys, describe};
use crate::freshness;
use crate::metrics::Metrics;

/// The first pause after a failure; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What fetches the keys of one source.
#[derive(Debug)]
pub struct Task {
    shared: Arc<Shared>,
    fetcher: Arc<Fetcher>,
    settings: RemoteJwksSettings,
    file: Option<KeyFile>,
    memory: Memory,
    /// Failures since the last success.
    failures: u32,
    /// Why the last fetch failed, and the last writing, so that the log tells of each cause once.
    told: Option<String>,
    told_of_file: Option<String>,
}

/// When a task fetches for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstFetch {
    AtOnce,
    WhenAsked,
}

/// What a task begins with.
#[derive(Debug, Default)]
pub struct Beginning {
    /// The last good set.
    pub published: Option<Arc<PublishedKeys>>,
    /// When it was fetched.
    pub fetched_at: Option<SystemTime>,
}

impl Beginning {
    /// What a file holds. One that cannot be used is named in the log.
    pub fn from_file(file: &KeyFile, name: &str) -> Self {
        match file.read() {
            Ok(Some(Kept { published, fetched_at })) => {
                let age = SystemTime::now().duration_since(fetched_at).unwrap_or_default().as_secs();
                tracing::info!(
                    source = name,
                    age_seconds = age,
                    keys = published.keys.keys().len(),
                    file = %file.path().display(),
                    "keys of an earlier run are used until they are fetched"
                );
                Self { published: Some(Arc::new(published)), fetched_at: Some(fetched_at) }
            }
            Ok(None) => Self::default(),
            Err(why) => {
                tracing::warn!(
                    source = name,
                    file = %file.path().display(),
                    why,
                    "keys of an earlier run cannot be used"
                );
                Self::default()
            }
        }
    }
}

impl Task {
    pub fn new(
        source: RemoteKeySource,
        fetcher: Arc<Fetcher>,
        settings: &RemoteJwksSettings,
        file: Option<KeyFile>,
        beginning: Beginning,
        metrics: Metrics,
    ) -> Self {
        let fetches = Fetches { succeeded: beginning.fetched_at, ..Fetches::default() };
        let shared = Arc::new(Shared {
            name: source.to_string(),
            source,
            published: beginning.published.into(),
            failure: None.into(),
            fetches: watch::Sender::new(fetches),
            asked: Notify::new(),
            cooldown: settings.unknown_key_id_cooldown,
            wait: settings.wait,
            metrics,
        });
        let settings = settings.clone();
        Self {
            shared,
            fetcher,
            settings,
            file,
            memory: Memory::default(),
            failures: 0,
            told: None,
            told_of_file: None,
        }
    }

    /// Starts the task on the runtime that this is called on.
    pub fn start(self, first_fetch: FirstFetch) -> RemoteKeys {
        self.drop_stale_keys();
        self.note_keys();
        let shared = Arc::clone(&self.shared);
        if first_fetch == FirstFetch::AtOnce {
            // Requests wait for it even when they come before it has begun.
            shared.fetches.send_modify(|fetches| fetches.is_underway = true);
        }
        RemoteKeys { shared, task: tokio::spawn(self.run(first_fetch)).abort_handle() }
    }

    async fn run(mut self, first_fetch: FirstFetch) {
        let mut is_asked = match first_fetch {
            FirstFetch::AtOnce => false,
            FirstFetch::WhenAsked => self.pause(Duration::MAX).await,
        };
        loop {
            self.shared.fetches.send_modify(|fetches| fetches.is_underway = true);
            let result = self.fetcher.fetch_again(&self.shared.source, &mut self.memory).await;
            let pause = match result {
                Ok(news) => self.take_over(news),
                Err(error) => self.note_failure(error),
            };
            self.note_keys();
            self.shared.fetches.send_modify(|fetches| {
                fetches.is_underway = false;
                fetches.ended += 1;
                if is_asked {
                    fetches.asked_ended = Some(Instant::now());
                }
            });
            if self.failures == 0 {
                self.keep().await;
            }
            is_asked = self.pause(pause).await;
        }
    }

    /// Waits until a set is due, or a request asks; tells whether one did.
    async fn pause(&self, pause: Duration) -> bool {
        let mut due = std::pin::pin!(sleep(pause));
        loop {
            tokio::select! {
                () = &mut due => return false,
                () = self.shared.asked.notified() => {
                    // Several may ask at once, and the last of them when the fetch is over.
                    let fetches = *self.shared.fetches.borrow();
                    if !self.shared.is_cooling_down(&fetches) {
                        return true;
                    }
                }
            }
        }
    }

    /// Puts what was fetched in place; gives the time until the next fetch.
    fn take_over(&mut self, news: News) -> Duration {
        let (shared, name) = (&self.shared, self.shared.name.as_str());
        let current = shared.published.load();
        let is_same = |keys: &PublishedKeys| current.as_ref().is_some_and(|current| current.is_same_as(keys));
        match news.keys.filter(|keys| !is_same(keys)) {
            Some(published) => {
                log_keys(name, &published);
                shared.published.store(Some(Arc::new(published)));
                shared.metrics.count_fetch(name, "changed");
            }
            None => {
                tracing::debug!(source = name, "keys fetched, and they are the same");
                shared.metrics.count_fetch(name, "unchanged");
            }
        }
        if self.failures > 0 {
            tracing::info!(source = name, failures = self.failures, "keys can be fetched again");
        }
        shared.failure.store(None);
        self.failures = 0;
        self.told = None;
        shared.fetches.send_modify(|fetches| fetches.succeeded = Some(SystemTime::now()));
        freshness::until_refresh(news.fresh_for, &self.settings, fastrand::f64())
    }

    /// Tells of a failure; gives the time until the next try.
    fn note_failure(&mut self, error: FetchError) -> Duration {
        let (shared, name, why) = (&self.shared, self.shared.name.as_str(), error.to_string());
        shared.metrics.count_fetch(name, error.reason());
        let is_known = self.told.as_ref() == Some(&why);
        match shared.published.load().as_ref() {
            _ if is_known => {
                tracing::debug!(source = name, reason = error.reason(), why, "keys cannot be fetched")
            }
            Some(_) => tracing::warn!(
                source = name,
                reason = error.reason(),
                why,
                "keys cannot be fetched, the last good ones stay"
            ),
            None => tracing::error!(
                source = name,
                reason = error.reason(),
                why,
                "keys cannot be fetched, and there are none of an earlier time"
            ),
        }
        shared.failure.store(Some(Arc::new(error)));
        self.told = Some(why);
        self.drop_stale_keys();
        let doubled = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16)).min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        doubled.mul_f64(1.0 - 0.5 * fastrand::f64())
    }

    /// Drops keys that are older than the configuration allows.
    fn drop_stale_keys(&self) {
        let Some(max_stale) = self.settings.max_stale else {
            return;
        };
        let fetched_at = self.shared.fetches.borrow().succeeded;
        let age = fetched_at.and_then(|at| SystemTime::now().duration_since(at).ok());
        if age.is_some_and(|age| age > max_stale) && self.shared.published.swap(None).is_some() {
            tracing::error!(
                source = self.shared.name,
                max_stale_seconds = max_stale.as_secs(),
                "the last good keys are too old and are no longer used"
            );
        }
    }

    /// Keeps the set for the next start.
    async fn keep(&mut self) {
        let (Some(file), Some(published)) = (self.file.clone(), self.shared.published.load_full()) else {
            return;
        };
        let fetched_at = self.shared.fetches.borrow().succeeded.unwrap_or_else(SystemTime::now);
        let path = file.path().to_owned();
        let written =
            tokio::task::spawn_blocking(move || file.write(published.public.clone(), fetched_at)).await;
        let failure =
            written.map_or_else(|error| Some(error.to_string()), |result| Some(result.err()?.to_string()));
        if let Some(why) = failure.as_ref().filter(|_| self.told_of_file != failure) {
            tracing::warn!(
                source = self.shared.name,
                file = %path.display(),
                why,
                "keys cannot be kept for the next start"
            );
        }
        self.told_of_file = failure;
    }

    fn note_keys(&self) {
        let published = self.shared.published.load();
        let keys = published.as_ref().map_or(0, |published| published.keys.keys().len());
        let fetched_at = self.shared.fetches.borrow().succeeded;
        self.shared.metrics.note_keys(&self.shared.name, keys, fetched_at);
    }
}

fn log_keys(name: &str, published: &PublishedKeys) {
    let keys = published.keys.keys();
    let key_ids: Vec<&str> = keys.iter().filter_map(|key| key.key_id()).take(20).collect();
    tracing::info!(source = name, keys = keys.len(), key_ids = ?key_ids, "keys fetched");
    for problem in &published.problems {
        tracing::warn!(source = name, "{}", describe(problem));
    }
}
