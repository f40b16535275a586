//! Follows the store: takes over what others change in it.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::records::{self, Contents, DOCUMENTS, GENERATION, number};
use super::status::{Age, Refusal, Stamp};
use super::{Catalog, Status, blocking, lock};
use crate::store::{Event, Record, Store, StoreError};

/// Between attempts to read a store that does not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// Between looks at which state the store is in, whatever it said of changes.
const LOOK: Duration = Duration::from_secs(5);

/// What becomes of following the store.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It goes on.
    Watch,
    /// Everything is read anew.
    Read,
}

/// Takes over every change after a revision, for as long as the process runs.
pub async fn follow(catalog: Catalog) {
    let Some(store) = catalog.shared.store.clone() else { return };
    // What was kept from an earlier time may be of a store that is no more.
    let is_of_store = catalog.status().unreachable.is_none() && catalog.status().refused.is_none();
    let mut from = is_of_store.then(|| lock(&catalog.shared.state).contents.revision);
    let mut not_writable = store.not_writable();
    let mut look = interval_at(Instant::now() + LOOK, LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let after = match from.take() {
            Some(revision) => revision,
            None => match catalog.read_anew(&store).await {
                Ok(revision) => {
                    catalog.note_unreachable(None);
                    revision
                }
                Err(error) => {
                    catalog.note_unreachable(Some(error.to_string()));
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            },
        };
        let mut watch = store.watch(DOCUMENTS, after);
        let mut next = Next::Watch;
        while next == Next::Watch {
            next = tokio::select! {
                event = watch.next() => catalog.take_event(event).await,
                _ = look.tick() => catalog.look(&store).await,
                Ok(()) = not_writable.changed() => {
                    catalog.note_not_writable(not_writable.borrow_and_update().clone());
                    Next::Watch
                }
            };
        }
    }
}

impl Catalog {
    async fn take_event(&self, event: Event) -> Next {
        match event {
            Event::Changed { revision, records } => self.take(revision, records).await,
            // Behind the same address may be another store by now.
            Event::Lost | Event::Reachable => Next::Read,
            Event::Unreachable(why) => {
                self.note_unreachable(Some(why));
                Next::Watch
            }
        }
    }

    /// Reads all that is stored, and makes it active if it is newer; gives the revision of it.
    pub(super) async fn read_anew(&self, store: &Store) -> Result<u64, StoreError> {
        let known = lock(&self.shared.state).contents.clone();
        let served = known.stamp();
        let contents = records::read_all(store, &known).await?;
        let revision = contents.revision;
        self.take_read(contents, served).await;
        Ok(revision)
    }

    /// Makes active what was read while a state was `served`, if it is newer.
    pub(super) async fn take_read(&self, contents: Contents, served: Stamp) {
        let refused = match contents.stamp().compared_with(served) {
            Age::Refused(refusal) => Some(refusal),
            Age::Same => None,
            Age::Newer => {
                let catalog = self.clone();
                let advanced =
                    blocking(move || catalog.advance(&mut lock(&catalog.shared.state), contents)).await;
                advanced.err().map(|why| Refusal::Unservable(why.to_string()))
            }
        };
        self.note_refused(refused);
    }

    pub(super) async fn take(&self, revision: u64, records: Vec<(String, Option<Record>)>) -> Next {
        let catalog = self.clone();
        let taken = blocking(move || {
            let mut state = lock(&catalog.shared.state);
            let generation = records.iter().find(|(key, _)| key == GENERATION);
            let generation = generation.and_then(|(_, record)| number(&record.as_ref()?.value));
            // This process's own changes are active before the store sends them.
            if generation.is_some_and(|generation| generation <= state.contents.generation) {
                return Some(Next::Watch);
            }
            // Without what was refused, a change that follows it would be half of a set.
            if generation.is_none() || catalog.status().refused.is_some() {
                return Some(Next::Read);
            }
            let mut contents = state.contents.clone();
            contents.revision = revision;
            for (key, record) in &records {
                let record = record.as_ref().map(|record| (record.value.as_slice(), record.version));
                contents.take(key, record);
            }
            catalog.advance(&mut state, contents).err().map(|why| {
                catalog.note_refused(Some(Refusal::Unservable(why.to_string())));
                Next::Watch
            })
        });
        if let Some(next) = taken.await {
            return next;
        }
        tracing::info!("a change of the store is active");
        self.note_refused(None);
        Next::Watch
    }

    /// Looks which state the store is in: an event may be late or lost, and a store may be set back.
    pub(super) async fn look(&self, store: &Store) -> Next {
        let served = self.stamp();
        let stored = match records::read_stamp(store).await {
            Ok(stored) => stored,
            Err(error) => {
                self.note_unreachable(Some(error.to_string()));
                return Next::Watch;
            }
        };
        self.note_unreachable(None);
        store.look_for_room().await;
        let known = self.status().refused;
        match stored.compared_with(served) {
            Age::Same => {
                self.note_refused(None);
                let catalog = self.clone();
                if let Err(why) = blocking(move || catalog.try_again()).await {
                    self.note_refused(Some(Refusal::Unservable(why.to_string())));
                }
                Next::Watch
            }
            Age::Refused(refusal) if known.as_ref() == Some(&refusal) => Next::Watch,
            Age::Newer | Age::Refused(_) => Next::Read,
        }
    }

    pub(super) fn note_not_writable(&self, why: Option<String>) {
        match (&self.status().not_writable, &why) {
            (None, None) => return,
            (None, Some(why)) => tracing::error!("no change can be stored: {why}"),
            (Some(_), None) => tracing::info!("changes can be stored again"),
            (Some(_), Some(_)) => {}
        }
        self.note_status(|status| Status { not_writable: why, ..status });
    }

    pub(super) fn note_refused(&self, refused: Option<Refusal>) {
        let before = self.status().refused;
        if let Some(why) = refused.as_ref().filter(|why| before.as_ref() != Some(why)) {
            tracing::error!("what is stored is not active, the previous configuration stays active: {why}");
        }
        if before != refused {
            self.shared.gateway.metrics().note_configuration(refused.is_none());
        }
        self.note_status(|status| Status { refused, ..status });
    }

    fn note_unreachable(&self, why: Option<String>) {
        match (&self.status().unreachable, &why) {
            (None, Some(why)) => tracing::warn!("{why}; what was read last is served"),
            (Some(_), None) => tracing::info!("the store answers again"),
            _ => {}
        }
        self.note_status(|status| Status { unreachable: why, ..status });
    }
}
