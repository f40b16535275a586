//! What happened in the last hours: requests, refusals and durations, sampled from the gateway's counters and
//! kept in memory.
//!
//! Sampling reads what threads that serve requests count anyway, so it costs requests nothing. A domain that has
//! had no request for a day takes no memory, and each other at most some hundred kilobytes; `limits.countedRoutes`
//! bounds how many routes the gateway counts separately.

mod numbers;
mod series;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use claimgate_gateway::{Metrics, RowLabels};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

pub use numbers::Numbers;
pub use series::Span;

use series::History;

/// How often counters are read: the length of the shortest step.
pub const INTERVAL: Duration = Duration::from_secs(5);

/// What happened lately. Clones are the same.
#[derive(Debug, Clone)]
pub struct Traffic(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    metrics: Metrics,
    histories: Mutex<Histories>,
    sampled: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Histories {
    /// What the counters of each route said at the last sample.
    counters: HashMap<RowLabels, Numbers>,
    all: History,
    domains: HashMap<String, History>,
}

/// The steps of a span of time, the oldest first.
#[derive(Debug, Clone)]
pub struct Steps {
    /// How long each is.
    pub length: Duration,
    /// When the last one ended.
    pub end: SystemTime,
    /// What happened in each.
    pub steps: Vec<Numbers>,
}

impl Traffic {
    /// Begins to sample in a task, on the runtime that this is called on.
    pub fn start(metrics: Metrics) -> Self {
        let (sampled, _) = watch::channel(0);
        let traffic = Self(Arc::new(Shared { metrics, histories: Mutex::default(), sampled }));
        traffic.sample();
        tokio::spawn(traffic.clone().run());
        traffic
    }

    async fn run(self) {
        let mut interval = tokio::time::interval(INTERVAL);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        interval.tick().await;
        loop {
            interval.tick().await;
            self.sample();
            self.0.sampled.send_modify(|count| *count += 1);
        }
    }

    fn sample(&self) {
        let now = SystemTime::now();
        let rows = self.0.metrics.traffic();
        let mut histories = self.lock();
        let before = std::mem::take(&mut histories.counters);
        for row in rows {
            let numbers = Numbers::of(&row);
            // A route that was removed, and has come again, is counted anew.
            let before = before.get(&row.labels).filter(|before| !numbers.is_behind(before));
            let more = before.map_or_else(|| numbers.clone(), |before| numbers.since(before));
            histories.all.add(&more);
            if !row.labels.domain.is_empty() && more.requests() > 0 {
                histories.domains.entry(row.labels.domain.clone()).or_default().add(&more);
            }
            histories.counters.insert(row.labels, numbers);
        }
        histories.all.note(now);
        histories.domains.retain(|_, history| {
            history.note(now);
            !history.is_empty()
        });
    }

    /// Tells each time that there is something new.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.0.sampled.subscribe()
    }

    /// The steps of all requests, or of one domain's; none when it had no request.
    pub fn steps(&self, domain: Option<&str>, span: Span) -> Steps {
        let histories = self.lock();
        let history = match domain {
            None => Some(&histories.all),
            Some(domain) => histories.domains.get(domain),
        };
        history.map_or_else(|| Steps::none(span), |history| history.steps(span))
    }

    /// The domains that had requests, by name.
    pub fn domains(&self) -> Vec<String> {
        let mut domains: Vec<String> = self.lock().domains.keys().cloned().collect();
        domains.sort_unstable();
        domains
    }

    fn lock(&self) -> MutexGuard<'_, Histories> {
        self.0.histories.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Steps {
    fn none(span: Span) -> Self {
        Self { length: span.step(), end: SystemTime::now(), steps: Vec::new() }
    }

    /// All steps as one.
    pub fn total(&self) -> Numbers {
        let mut total = Numbers::default();
        for step in &self.steps {
            total.add(step);
        }
        total
    }

    /// The same with steps that are longer, and end as these do.
    pub fn merged(&self, together: usize) -> Self {
        let together = together.max(1);
        let mut steps: Vec<Numbers> = self.steps.rchunks(together).map(Numbers::sum).collect();
        steps.reverse();
        let length = self.length.saturating_mul(u32::try_from(together).unwrap_or(u32::MAX));
        Self { length, end: self.end, steps }
    }
}
