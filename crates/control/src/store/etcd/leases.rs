//! Leases, by which etcd removes records.
//!
//! A lease lives for as long as is asked and a tenth more. During that tenth it serves further records that
//! are kept as long, so that a busy gateway does not make one for each.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::super::StoreError;
use super::client::Client;
use super::messages::{GRANT_LEASE, LeaseGrantRequest, LeaseGrantResponse};

/// What etcd takes, in seconds.
const MAX_TTL: i64 = 9_000_000_000;

/// The leases that may serve further records, by the seconds that these are kept.
#[derive(Debug, Default)]
pub(super) struct Leases(Mutex<HashMap<u64, Lease>>);

#[derive(Debug)]
struct Lease {
    id: i64,
    usable_until: Instant,
}

impl Leases {
    /// A lease that lives at least so long.
    pub(super) async fn lease(&self, client: &Client, time: Duration) -> Result<i64, StoreError> {
        let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
        if let Some(id) = self.usable(seconds) {
            return Ok(id);
        }
        let more = (seconds / 10).max(1);
        let usable_until = Instant::now() + Duration::from_secs(more);
        let ttl = i64::try_from(seconds.saturating_add(more)).unwrap_or(MAX_TTL).min(MAX_TTL);
        let granted: LeaseGrantResponse = client.call(GRANT_LEASE, &LeaseGrantRequest { ttl }).await?;
        self.leases().insert(seconds, Lease { id: granted.id, usable_until });
        Ok(granted.id)
    }

    /// Forgets all, as etcd does not know one of them.
    pub(super) fn forget(&self) {
        self.leases().clear();
    }

    fn usable(&self, seconds: u64) -> Option<i64> {
        let mut leases = self.leases();
        let now = Instant::now();
        leases.retain(|_, lease| lease.usable_until > now);
        leases.get(&seconds).map(|lease| lease.id)
    }

    fn leases(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Lease>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
