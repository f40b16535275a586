//! What changed in a store.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::Record;
use super::seal::Seal;

/// Something that happened to watched records, or to the connection over which they are watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Records were written or removed. All changes of a commit come in one event; an event may hold those
    /// of several, and then of each record the last.
    Changed {
        /// The last commit that is included. It may be a later one than that of any of the records.
        revision: u64,
        /// Each key with its record, or `None` where that was removed or has expired.
        records: Vec<(String, Option<Record>)>,
    },
    /// Changes were missed, or cannot be read: list the records anew, and watch from there. Nothing follows.
    Lost,
    /// The store does not answer, for this reason. It is tried again, until `Reachable` or `Lost` follows.
    Unreachable(String),
    /// It answers again. Whatever changed in the meantime follows.
    Reachable,
}

/// The events of records whose keys begin alike, in order. It ends when it is dropped.
#[derive(Debug)]
pub struct Watch {
    events: mpsc::Receiver<Event>,
    seal: Arc<Seal>,
    lost: bool,
}

impl Watch {
    /// Takes events with sealed records.
    pub(super) fn new(events: mpsc::Receiver<Event>, seal: Arc<Seal>) -> Self {
        Self { events, seal, lost: false }
    }

    /// Waits for the next event. May be cancelled without losing one.
    pub async fn next(&mut self) -> Event {
        if self.lost {
            return Event::Lost;
        }
        let event = self.events.recv().await.unwrap_or(Event::Lost);
        let event = match event {
            Event::Changed { revision, records } => self.open(revision, records),
            other => other,
        };
        self.lost = event == Event::Lost;
        event
    }

    fn open(&self, revision: u64, records: Vec<(String, Option<Record>)>) -> Event {
        let open = |(key, record): (String, Option<Record>)| {
            Ok((key, record.map(|record| self.seal.open_record(record)).transpose()?))
        };
        match records.into_iter().map(open).collect::<Result<_, super::StoreError>>() {
            Ok(records) => Event::Changed { revision, records },
            // Whoever lists anew is told what is wrong.
            Err(_) => Event::Lost,
        }
    }
}
