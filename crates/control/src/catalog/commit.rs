//! Makes changes: judged, written, in force.

use std::sync::Arc;
use std::time::{Duration, Instant};

use claimgate_config::Snapshot;
use claimgate_gateway::Serving;

use super::change::{Applied, ApplyError, Author, Change};
use super::judge::{Before, Judged, Made, judge};
use super::records::{self, Contents, GENERATION, Value};
use super::status::{Age, Refusal};
use super::{Catalog, blocking, in_one_problem, lock, read};
use crate::store::{CommitError, Condition, Store, StoreError, Write};

/// How long changes are judged again because those of others came first.
const PATIENCE: Duration = Duration::from_secs(20);

/// The longest pause before that. Without one, writers of many gateways would all come at once again and again, and
/// all but one for nothing.
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// How many versions of a document are kept.
const MOST_VERSIONS: usize = 100;

/// What is ready to be put in force, unless something else was meanwhile.
pub(super) struct Ready {
    pub(super) judged: Judged,
    next: Serving,
    /// What was in force when it was made.
    before: Arc<Serving>,
}

impl Catalog {
    /// Makes changes, all or none; they are stored and in force when this returns.
    ///
    /// # Errors
    ///
    /// [`ApplyError`]; nothing was changed then.
    pub async fn apply(&self, changes: Vec<Change>, author: &Author) -> Result<Applied, ApplyError> {
        let Some(store) = &self.shared.store else { return Err(ApplyError::ReadOnly) };
        if changes.is_empty() {
            return Ok(Applied::default());
        }
        let changes: Arc<[Change]> = Arc::from(changes);
        let _changing = self.shared.changing.lock().await;
        let started = Instant::now();
        let mut pause = Duration::from_millis(5);
        loop {
            let ready = self.make_ready(Arc::clone(&changes), author.clone()).await?;
            let (conditions, writes) = written(&ready.judged, store).await?;
            let revision = match store.commit(&conditions, &writes).await {
                Ok(revision) => revision,
                Err(CommitError::Conflict { .. }) => {
                    // Others came first.
                    self.read_anew(store).await?;
                    match self.status().refused {
                        Some(refusal) => return Err(ApplyError::Refused(refusal)),
                        None if started.elapsed() > PATIENCE => return Err(ApplyError::Busy),
                        None => {
                            tokio::time::sleep(pause.mul_f64(fastrand::f64())).await;
                            pause = (pause * 2).min(LONGEST_PAUSE);
                            continue;
                        }
                    }
                }
                Err(CommitError::Unknown(why)) => match revision_of(store, &writes).await? {
                    Some(revision) => revision,
                    None => return Err(StoreError::Unreachable(why).into()),
                },
                Err(CommitError::Store(error)) => return Err(error.into()),
            };
            return self.put_ready_in_force(ready, revision).await;
        }
    }

    pub(super) async fn make_ready(
        &self,
        changes: Arc<[Change]>,
        author: Author,
    ) -> Result<Ready, ApplyError> {
        let catalog = self.clone();
        blocking(move || {
            let before = catalog.shared.gateway.serving();
            let (snapshot, judged) = catalog.judge(&before, &changes, &author)?;
            let next = (catalog.shared.prepare)(snapshot, &before).map_err(|error| {
                let problems = changes.iter().take(1);
                let problems = problems.flat_map(|change| in_one_problem(change.kind, &change.name, &error));
                ApplyError::Invalid(problems.collect())
            })?;
            Ok(Ready { judged, next, before })
        })
        .await
    }

    /// Judges changes; compiles on the calling thread.
    pub(super) fn judge(
        &self,
        before: &Serving,
        changes: &[Change],
        author: &Author,
    ) -> Result<(Snapshot, Judged), ApplyError> {
        let state = lock(&self.shared.state);
        let not_served = self.status().not_served;
        let before = Before {
            state: &state,
            index: &read(&self.shared.index),
            snapshot: &before.snapshot,
            not_served: &not_served,
            can_run: &self.shared.can_run,
        };
        judge(&before, changes, author, records::now())
    }

    pub(super) async fn put_ready_in_force(
        &self,
        ready: Ready,
        revision: u64,
    ) -> Result<Applied, ApplyError> {
        let catalog = self.clone();
        blocking(move || {
            let Ready { judged, next, before } = ready;
            let Judged { mut contents, not_served, applied, .. } = judged;
            contents.generation_record = Some(revision);
            contents.revision = revision;
            let mut state = lock(&catalog.shared.state);
            let serving = catalog.shared.gateway.serving();
            let is_next = contents.stamp().compared_with(state.contents.stamp()) == Age::Newer;
            if is_next && Arc::ptr_eq(&before, &serving) {
                catalog.put_in_force(next, serving);
                catalog.note_not_served(not_served);
                catalog.note(&mut state, contents);
                return Ok(applied);
            }
            // A reload, or the store's word of this change or of those behind it, came first.
            let advanced = catalog.advance(&mut state, contents);
            drop(state);
            if let Err(why) = advanced {
                // Written it is; it is tried again when the store is looked at next.
                catalog.note_refused(Some(Refusal::Unservable(why.to_string())));
            }
            Ok(applied)
        })
        .await
    }
}

/// What the store is asked to do.
pub(super) async fn written(
    judged: &Judged,
    store: &Store,
) -> Result<(Vec<Condition>, Vec<Write>), StoreError> {
    let Contents { generation, generation_record, .. } = &judged.contents;
    let key = GENERATION.to_owned();
    let condition = match generation_record {
        Some(version) => Condition::At { key, version: *version },
        None => Condition::Absent { key },
    };
    let put = |key: String, value: Vec<u8>| Write::Put { key, value, expires_in: None };
    let mut writes = vec![put(GENERATION.to_owned(), generation.to_string().into_bytes())];
    for Made { kind, name, stored, json } in &judged.made {
        let value = Value::of(stored, json.as_deref()).to_bytes();
        let key = records::key(*kind, name);
        writes.push(match json {
            Some(_) => put(key, value.clone()),
            None => Write::Delete { key },
        });
        writes.push(put(records::history_key(*kind, name, stored.version), value));
        // What was just created has no history, unless one of its name was deleted before.
        if stored.created != stored.modified {
            let history = store.list(&records::history(*kind, name)).await?.records;
            let surplus = (history.len() + 1).saturating_sub(MOST_VERSIONS);
            writes.extend(history.into_iter().take(surplus).map(|record| Write::Delete { key: record.key }));
        }
    }
    Ok((vec![condition], writes))
}

/// The revision at which something was written, if it was, after an answer that did not come.
async fn revision_of(store: &Store, writes: &[Write]) -> Result<Option<u64>, StoreError> {
    let mut revision = None;
    for write in writes {
        if let Write::Put { key, value, .. } = write {
            let Some(record) = store.get(key).await?.filter(|record| record.value == *value) else {
                return Ok(None);
            };
            revision = Some(record.version);
        }
    }
    Ok(revision)
}
