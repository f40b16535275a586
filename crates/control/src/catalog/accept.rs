//! Lets gateways take over a store that was set back or replaced.

use super::records::{self, GENERATION};
use crate::store::{CommitError, Condition, Store, StoreError, Write};

/// Makes what a store holds the newest generation of its documents, newer than `above`, so that all gateways
/// take it over whatever they served before. Gives the generation.
///
/// # Errors
///
/// When it could not be written; [`CommitError::Conflict`] when documents were changed at the same moment.
pub async fn accept(store: &Store, above: u64) -> Result<u64, CommitError> {
    let stored = records::read_stamp(store).await?;
    let generation = stored
        .generation
        .max(above)
        .checked_add(1)
        .ok_or_else(|| StoreError::Failed(format!("no generation can be above {above}")))?;
    let key = GENERATION.to_owned();
    let condition = match stored.record {
        Some(version) => Condition::At { key: key.clone(), version },
        None => Condition::Absent { key: key.clone() },
    };
    let write = Write::Put { key, value: generation.to_string().into_bytes(), expires_in: None };
    store.commit(&[condition], &[write]).await?;
    Ok(generation)
}
