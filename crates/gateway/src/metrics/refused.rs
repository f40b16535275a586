//! The latest requests that were refused or failed, for whoever looks at what happens now.
//!
//! Each thread keeps its own, so that threads share nothing; an accepted request does not come here.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::requests::{Row, RowLabels};
use crate::request_id::RequestId;

/// How many of each thread are kept.
const KEPT: usize = 500;

/// A request that was refused or failed. Nothing of it is kept that could hold a token.
#[derive(Debug, Clone)]
pub struct Refused {
    /// When it began, from the Unix epoch.
    pub began: Duration,
    /// Its id, as client, function and log know it.
    pub id: RequestId,
    /// Address of the client.
    pub client: Box<str>,
    /// Status of the answer.
    pub status: u16,
    /// `refused` or `failed`.
    pub outcome: &'static str,
    /// The word of log and metric.
    pub reason: &'static str,
    pub(crate) row: Row,
}

/// A refused request with its domain, route and function.
#[derive(Debug, Clone)]
pub struct RefusedAt {
    /// The request.
    pub request: Refused,
    /// What it was for; empty when it was for no custom domain.
    pub labels: RowLabels,
}

/// The latest refused requests of one thread, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct LatestRefused(Mutex<VecDeque<Refused>>);

impl LatestRefused {
    pub(crate) fn note(&self, request: Refused) {
        // Waits for nobody but a reader, who copies a few hundred entries now and then.
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if latest.len() == KEPT {
            latest.pop_front();
        }
        latest.push_back(request);
    }

    fn all(&self) -> Vec<Refused> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// Those of all threads, the latest first.
pub(super) fn merge<'a>(
    threads: impl Iterator<Item = &'a LatestRefused>,
    labels: impl Fn(Row) -> RowLabels,
) -> Vec<RefusedAt> {
    let mut all: Vec<Refused> = threads.flat_map(LatestRefused::all).collect();
    all.sort_unstable_by_key(|request| std::cmp::Reverse(request.began));
    all.truncate(KEPT);
    all.into_iter().map(|request| RefusedAt { labels: labels(request.row), request }).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn refused(second: u64) -> Refused {
        Refused {
            began: Duration::from_secs(second),
            id: RequestId::now(),
            client: "192.0.2.1".into(),
            status: 401,
            outcome: "refused",
            reason: "expired",
            row: Row::NO_DOMAIN,
        }
    }

    #[test]
    fn the_latest_of_all_threads_are_kept() {
        let threads: [LatestRefused; 2] = Default::default();
        for second in 0..2000 {
            threads.get(usize::from(second % 4 == 0)).unwrap().note(refused(second));
        }
        let latest = merge(threads.iter(), |_| RowLabels::default());
        let seconds: Vec<u64> = latest.iter().map(|refused| refused.request.began.as_secs()).collect();
        assert_eq!(seconds, (1500..2000).rev().collect::<Vec<_>>());
    }
}
