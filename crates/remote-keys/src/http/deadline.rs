//! The end of a fetch as a whole.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::error::FetchError;

/// When a fetch has to be over.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    at: Instant,
    limit: Duration,
}

impl Deadline {
    /// A time from now.
    pub fn after(limit: Duration) -> Self {
        Self { at: Instant::now() + limit, limit }
    }

    /// Waits for `work`, which is a `stage` of the fetch.
    pub async fn within<T>(
        self,
        stage: &'static str,
        work: impl Future<Output = T>,
    ) -> Result<T, FetchError> {
        let limit = self.limit;
        timeout_at(self.at, work).await.map_err(|_| FetchError::Timeout { limit, stage })
    }

    /// Waits for `work` for one of `parts` equal parts of the time that is left.
    pub async fn within_part<T>(
        self,
        parts: u32,
        stage: &'static str,
        work: impl Future<Output = T>,
    ) -> Result<T, FetchError> {
        let left = self.at.saturating_duration_since(Instant::now());
        let part = Self { at: Instant::now() + left / parts.max(1), ..self };
        part.within(stage, work).await
    }
}
