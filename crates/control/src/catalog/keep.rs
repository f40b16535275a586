//! Keeps what was read last in a file, so that a gateway can start while its store is away.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::records::{Contents, read_listing};
use super::status::{Age, Refusal, Stamp};
use super::{Catalog, lock};
use crate::store::{Store, StoreError};

/// Changes that come within this time are kept together.
const PAUSE: Duration = Duration::from_secs(1);

/// What was kept; the store does not answer, for a reason.
pub async fn load(store: &Store, file: &Path, why: &str) -> Result<Contents, StoreError> {
    let Some(kept) = store.load_snapshot(file).await? else {
        return Err(StoreError::Unreachable(format!(
            "{why}; and there is nothing of it in {}",
            file.display()
        )));
    };
    let saved_at = humantime::format_rfc3339_seconds(kept.saved_at);
    tracing::warn!("the store cannot be reached: {why}; what was kept of it at {saved_at} is served");
    Ok(read_listing(&kept.listing, &Contents::default()))
}

/// What was kept, and why it is served, where the store holds what does not follow it.
pub async fn newer_than(stored: Stamp, store: &Store, file: &Path) -> Option<(Contents, Refusal)> {
    let kept = match store.load_snapshot(file).await {
        Ok(kept) => read_listing(&kept?.listing, &Contents::default()),
        Err(error) => {
            tracing::warn!("what was kept of the store cannot be compared with it: {error}");
            return None;
        }
    };
    match stored.compared_with(kept.stamp()) {
        Age::Newer | Age::Same => None,
        Age::Refused(refusal) => {
            tracing::error!("what is stored is not active, the copy that was kept is: {refusal}");
            Some((kept, refusal))
        }
    }
}

/// Keeps what is stored, now and whenever it changes.
pub async fn keep(catalog: Catalog, store: Store, file: PathBuf) {
    loop {
        let listing = Arc::new(lock(&catalog.shared.state).contents.listing());
        if let Err(error) = store.save_snapshot(&file, listing).await {
            tracing::error!("what was read from the store cannot be kept for a start without it: {error}");
        }
        catalog.shared.taken_over.notified().await;
        tokio::time::sleep(PAUSE).await;
    }
}
