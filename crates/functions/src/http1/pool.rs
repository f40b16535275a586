//! Connections that wait for their next request.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use claimgate_config::reach::Reach;
use http::Uri;
use rustc_hash::FxHashMap;
use tokio::time::sleep;

use super::connection::Connection;

/// How often connections are looked after: one that has waited since the time before is closed, so that none
/// waits for more than twice as long. Node's and uvicorn's servers close theirs after five seconds; a
/// request that meets the closing is lost.
const SWEEP: Duration = Duration::from_secs(2);

/// Kept connections by address. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool(Arc<Mutex<Addresses>>);

#[derive(Debug, Default)]
struct Addresses {
    /// By authority, one table for each scheme.
    http: FxHashMap<String, Slot>,
    https: FxHashMap<String, Slot>,
    unix: FxHashMap<String, Slot>,
    /// Connections of functions that may not reach every address, which were judged when they were opened.
    bounded: FxHashMap<Reach, [FxHashMap<String, Slot>; 2]>,
    /// Whether a task closes connections that have waited for too long.
    is_swept: bool,
}

/// The connections to one address, each with whether it has waited since the last sweep. They come back
/// without a look at the tables, and at the clock.
pub(crate) type Slot = Arc<Mutex<Vec<(Box<Connection>, bool)>>>;

impl Pool {
    /// The slot of an address, a URI's scheme and authority.
    pub(crate) fn slot(&self, address: &Uri, reach: Reach) -> Slot {
        let mut addresses = lock(&self.0);
        let slots = match (address.scheme_str(), reach) {
            (Some("http"), Reach::Everywhere) => &mut addresses.http,
            (Some("https"), Reach::Everywhere) => &mut addresses.https,
            (Some(scheme @ ("http" | "https")), bounded) => {
                let [http, https] = addresses.bounded.entry(bounded).or_default();
                if scheme == "http" { http } else { https }
            }
            _ => &mut addresses.unix,
        };
        let authority = address.authority().map_or("", |authority| authority.as_str());
        if let Some(slot) = slots.get(authority) {
            return Arc::clone(slot);
        }
        let slot = Slot::default();
        slots.insert(authority.to_owned(), Arc::clone(&slot));
        if !addresses.is_swept {
            addresses.is_swept = true;
            tokio::spawn(self.clone().sweep());
        }
        slot
    }

    /// Sweeps again and again, until there is no address.
    async fn sweep(self) {
        loop {
            sleep(SWEEP).await;
            if lock(&self.0).sweep() {
                return;
            }
        }
    }
}

impl Addresses {
    /// Closes what has waited for too long, and forgets addresses without connections; tells whether it has
    /// forgotten them all.
    fn sweep(&mut self) -> bool {
        let Self { http, https, unix, bounded, is_swept } = self;
        for slots in [&mut *http, https, unix].into_iter().chain(bounded.values_mut().flatten()) {
            slots.retain(|_, slot| {
                lock(slot).retain_mut(|(_, has_waited)| !std::mem::replace(has_waited, true));
                // Those whose connections are in use come back.
                Arc::strong_count(slot) > 1 || !lock(slot).is_empty()
            });
        }
        bounded.retain(|_, slots| slots.iter().any(|slots| !slots.is_empty()));
        *is_swept = !(bounded.is_empty() && http.is_empty() && https.is_empty() && unix.is_empty());
        !*is_swept
    }
}

/// The connection that was used last, among those that the function has not closed.
pub(crate) fn take(slot: &Slot) -> Option<Box<Connection>> {
    let mut connections = lock(slot);
    while let Some((mut connection, _)) = connections.pop() {
        if connection.is_idle(&mut Context::from_waker(Waker::noop())) {
            return Some(connection);
        }
    }
    None
}

/// Keeps a connection.
pub(crate) fn put(slot: &Slot, connection: Box<Connection>) {
    lock(slot).push((connection, false));
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used)]
    use super::*;

    #[tokio::test]
    async fn a_connection_is_kept_through_one_sweep_and_closed_in_the_next() {
        let (pool, address) = (Pool::default(), Uri::from_static("http://function"));
        let slot = pool.slot(&address, Reach::Everywhere);
        let (stream, _function) = tokio::io::duplex(1);
        put(&slot, Box::new(Connection::new(Box::new(stream), Slot::clone(&slot))));
        let sweep = || lock(&pool.0).sweep();

        sweep();
        let used = take(&slot).expect("it has waited through one sweep");
        sweep();
        sweep();
        put(&slot, used);
        sweep();
        put(&slot, take(&slot).expect("the time of its use does not count"));
        sweep();
        sweep();
        assert!(take(&slot).is_none());
        drop(slot);
        assert!(sweep(), "the address is not forgotten");
    }
}
