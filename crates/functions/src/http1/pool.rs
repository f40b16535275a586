//! Connections that wait for their next request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use http::Uri;
use tokio::time::{Instant, sleep};

use super::connection::Connection;

/// How long a connection is kept without a request. Node's and uvicorn's servers close theirs after
/// five seconds; a request that meets the closing is lost.
const KEEP_ALIVE: Duration = Duration::from_secs(4);

/// Kept connections by address. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    connections: HashMap<Uri, Vec<(Box<Connection>, Instant)>>,
    /// Whether a task closes those that have waited for too long.
    is_swept: bool,
}

impl Pool {
    /// The connection to an address that was used last, among those that the function has not closed.
    pub(crate) fn take(&self, address: &Uri, now: Instant) -> Option<Box<Connection>> {
        let mut kept = self.kept();
        let connections = kept.connections.get_mut(address)?;
        while let Some((mut connection, since)) = connections.pop() {
            let is_late = now.duration_since(since) >= KEEP_ALIVE;
            if !is_late && connection.is_idle(&mut Context::from_waker(Waker::noop())) {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection.
    pub(crate) fn put(&self, connection: Box<Connection>) {
        let mut kept = self.kept();
        let entry = (connection, Instant::now());
        match kept.connections.get_mut(entry.0.address()) {
            Some(connections) => connections.push(entry),
            None => {
                kept.connections.insert(entry.0.address().clone(), vec![entry]);
            }
        }
        if !kept.is_swept {
            kept.is_swept = true;
            tokio::spawn(self.clone().sweep());
        }
    }

    async fn sweep(self) {
        loop {
            sleep(KEEP_ALIVE / 2).await;
            let now = Instant::now();
            let mut kept = self.kept();
            kept.connections.retain(|_, connections| {
                connections.retain(|(_, since)| now.duration_since(*since) < KEEP_ALIVE);
                !connections.is_empty()
            });
            if kept.connections.is_empty() {
                kept.is_swept = false;
                return;
            }
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
