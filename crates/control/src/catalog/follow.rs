//! Follows the store: takes over what others change in it.

use std::time::Duration;

use super::records::{self, DOCUMENTS, GENERATION, number};
use super::{Catalog, ServeError, Status, blocking, lock};
use crate::store::{Event, Record, Store, StoreError};

/// Between attempts to read a store that does not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// Takes over every change after a revision, for as long as the process runs.
pub async fn follow(catalog: Catalog) {
    let Some(store) = catalog.shared.store.clone() else { return };
    // What was kept from an earlier time is gone on from; whatever has changed since follows.
    let mut from = Some(lock(&catalog.shared.state).contents.revision);
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
        loop {
            let event = tokio::select! {
                event = watch.next() => event,
                // What was refused may go together with another configuration file.
                () = catalog.shared.declared_anew.notified() => Event::Lost,
            };
            match event {
                // Without what was refused, a change that follows it would be half of a set.
                Event::Changed { .. } if catalog.status().refused.is_some() => break,
                Event::Changed { revision, records } => catalog.take(revision, records).await,
                Event::Unreachable(why) => catalog.note_unreachable(Some(why)),
                Event::Reachable => catalog.note_unreachable(None),
                Event::Lost => break,
            }
        }
    }
}

impl Catalog {
    /// Reads all that is stored; gives the revision that this is of.
    async fn read_anew(&self, store: &Store) -> Result<u64, StoreError> {
        let known = lock(&self.shared.state).contents.clone();
        let contents = records::read_all(store, &known).await?;
        let revision = contents.revision;
        let catalog = self.clone();
        let served = blocking(move || catalog.serve(&mut lock(&catalog.shared.state), contents)).await;
        self.note_refused(served.err());
        Ok(revision)
    }

    async fn take(&self, revision: u64, records: Vec<(String, Option<Record>)>) {
        let catalog = self.clone();
        let taken = blocking(move || {
            let mut state = lock(&catalog.shared.state);
            let generation = records.iter().find(|(key, _)| key == GENERATION);
            let generation = generation.and_then(|(_, record)| number(&record.as_ref()?.value));
            // This process's own changes are in force before the store tells of them.
            if generation.is_some_and(|generation| generation <= state.contents.generation) {
                return Ok(());
            }
            let mut contents = state.contents.clone();
            contents.revision = revision;
            for (key, record) in &records {
                let record = record.as_ref().map(|record| (record.value.as_slice(), record.version));
                contents.take(key, record).map_err(|problem| ServeError::Refused(vec![problem]))?;
            }
            catalog.serve(&mut state, contents)
        });
        let taken = taken.await;
        if taken.is_ok() {
            tracing::info!("a change of the store is in force");
        }
        self.note_refused(taken.err());
    }

    fn note_refused(&self, refused: Option<ServeError>) {
        if let Some(why) = &refused {
            tracing::error!("what is stored is not in force, the last good configuration stays: {why}");
        }
        self.shared.gateway.metrics().note_configuration(refused.is_none());
        let refused = refused.map(|why| why.to_string());
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
