//! Connections that wait for their next request.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use http::Uri;
use rustc_hash::FxHashMap;
use tokio::time::{Instant, sleep};

use super::connection::Connection;

/// How long a connection is kept without a request. Node's and uvicorn's servers close theirs after
/// five seconds; a request that meets the closing is lost.
const KEEP_ALIVE: Duration = Duration::from_secs(4);

/// Kept connections by address. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool(Arc<Mutex<Addresses>>);

#[derive(Debug, Default)]
struct Addresses {
    /// By authority, one table for each scheme.
    http: FxHashMap<String, Slot>,
    https: FxHashMap<String, Slot>,
    unix: FxHashMap<String, Slot>,
    /// Whether a task closes connections that have waited for too long.
    is_swept: bool,
}

/// The connections to one address, each with the time since when it waits. They come back without a
/// look at the tables.
pub(crate) type Slot = Arc<Mutex<Vec<(Box<Connection>, Instant)>>>;

impl Pool {
    /// The slot of an address, a URI's scheme and authority.
    pub(crate) fn slot(&self, address: &Uri) -> Slot {
        let mut addresses = lock(&self.0);
        let slots = match address.scheme_str() {
            Some("http") => &mut addresses.http,
            Some("https") => &mut addresses.https,
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

    /// Closes what has waited for too long, and forgets addresses without connections.
    async fn sweep(self) {
        loop {
            sleep(KEEP_ALIVE / 2).await;
            let now = Instant::now();
            let mut addresses = lock(&self.0);
            let Addresses { http, https, unix, is_swept } = &mut *addresses;
            for slots in [&mut *http, https, unix] {
                slots.retain(|_, slot| {
                    lock(slot).retain(|(_, since)| now.duration_since(*since) < KEEP_ALIVE);
                    // Those whose connections are in use come back.
                    Arc::strong_count(slot) > 1 || !lock(slot).is_empty()
                });
            }
            if http.is_empty() && https.is_empty() && unix.is_empty() {
                *is_swept = false;
                return;
            }
        }
    }
}

/// The connection that was used last, among those that the function has not closed.
pub(crate) fn take(slot: &Slot, now: Instant) -> Option<Box<Connection>> {
    let mut connections = lock(slot);
    while let Some((mut connection, since)) = connections.pop() {
        let is_late = now.duration_since(since) >= KEEP_ALIVE;
        if !is_late && connection.is_idle(&mut Context::from_waker(Waker::noop())) {
            return Some(connection);
        }
    }
    None
}

/// Keeps a connection.
pub(crate) fn put(slot: &Slot, connection: Box<Connection>) {
    lock(slot).push((connection, Instant::now()));
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
