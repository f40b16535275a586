//! Opens the store of a configuration, and reads what is in it.

use std::path::Path;

use anyhow::Context;
use claimgate_config::Snapshot;
use claimgate_config::snapshot::StoreBackend;
use claimgate_control::catalog::{Opened, log_not_served};
use claimgate_control::store::Store;

use super::serving::state_folder;

/// Where what was read from an etcd is kept, unless the configuration says where.
const SNAPSHOT: &str = "store-snapshot";

/// Reads what is stored, on top of what the configuration file declares.
pub async fn read(declared: Snapshot, config: &Path) -> anyhow::Result<Opened> {
    let (store, kept) = match &declared.store {
        None => (None, None),
        Some(settings) => {
            let kept = match &settings.backend {
                StoreBackend::Sqlite(_) => None,
                StoreBackend::Etcd(etcd) => {
                    let usual = || state_folder(config).join(SNAPSHOT);
                    Some(etcd.snapshot_file.clone().unwrap_or_else(usual))
                }
            };
            (Some(Store::open(settings).await.context("cannot open the store")?), kept)
        }
    };
    if let Some(folder) = kept.as_deref().and_then(Path::parent) {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let opened = Opened::read(declared, store, kept, claimgate_functions::can_run).await?;
    for problem in &opened.problems {
        if problem.is_error() {
            log_not_served(problem);
            continue;
        }
        let document = format!("{}/{}", problem.kind.list(), problem.name);
        tracing::warn!(document, field = problem.problem.field, "{}", problem.problem.message);
    }
    Ok(opened)
}
