//! Opens the store of a configuration, and reads what is in it.

use anyhow::Context;
use claimgate_config::Snapshot;
use claimgate_control::catalog::Opened;
use claimgate_control::store::Store;

/// Reads what is stored, on top of what the configuration file declares.
pub async fn read(declared: Snapshot) -> anyhow::Result<Opened> {
    let store = match &declared.store {
        Some(settings) => Some(Store::open(settings).await.context("cannot open the store")?),
        None => None,
    };
    let opened = Opened::read(declared, store).await?;
    for warning in &opened.warnings {
        let document = format!("{}/{}", warning.kind.list(), warning.name);
        tracing::warn!(document, field = warning.problem.field, "{}", warning.problem.message);
    }
    Ok(opened)
}
