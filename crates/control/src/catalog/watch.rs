//! Follows the store: takes over what others change in it.

use std::time::Duration;

use super::records::{self, DOCUMENTS, GENERATION, number};
use super::{Catalog, ServeError, Status, blocking, lock};
use crate::store::{Event, Record, Store, StoreError};

/// Between attempts to read a store that does not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// Takes over every change after a revision, for as long as the process runs.
pub async fn follow(catalog: Catalog, revision: Option<u64>) {
    let Some(store) = catalog.shared.store.clone() else { return };
    let mut from = revision;
    loop {
        let after = match from.take() {
            Some(revision) => revision,
            None => match catalog.read_anew(&store).await {
                Ok(revision) => revision,
                Err(error) => {
                    catalog.note_unreachable(Some(error.to_string()));
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            },
        };
        catalog.note_unreachable(None);
        let mut watch = store.watch(DOCUMENTS, after);
        loop {
            match watch.next().await {
                Event::Changed { records, .. } => catalog.take(records).await,
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
        let (contents, revision) = records::read_all(store, &known).await?;
        let catalog = self.clone();
        let served = blocking(move || catalog.serve(&mut lock(&catalog.shared.state), contents)).await;
        self.note_refused(served.err());
        Ok(revision)
    }

    async fn take(&self, records: Vec<(String, Option<Record>)>) {
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
        lock(&self.shared.status).refused = refused.map(|why| why.to_string());
    }

    fn note_unreachable(&self, why: Option<String>) {
        let mut status = lock(&self.shared.status);
        if status.unreachable == why {
            return;
        }
        match &why {
            Some(why) => tracing::warn!("{why}; what was read last is served"),
            None => tracing::info!("the store answers again"),
        }
        *status = Status { unreachable: why, ..status.clone() };
    }
}
