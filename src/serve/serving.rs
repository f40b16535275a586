//! What stands beside a configuration and changes while it does not: fetched keys, certificates and processes.

use std::env;
use std::path::{Path, PathBuf};

use claimgate_config::Snapshot;
use claimgate_config::snapshot::CacheFolder;
use claimgate_functions::ProcessFunctions;
use claimgate_gateway::{Metrics, Serving};
use claimgate_remote_keys::RemoteKeySources;
use claimgate_tls::Certificates;

/// Begins to serve a configuration. What was fetched for the `previous` one goes on being used.
pub fn start(
    snapshot: Snapshot,
    config: &Path,
    previous: Option<&Serving>,
    metrics: &Metrics,
) -> anyhow::Result<Serving> {
    let state = state_folder(config);
    let settings = &snapshot.gateway.remote_jwks;
    let folder = match &settings.cache_folder {
        CacheFolder::At(folder) => Some(folder.clone()),
        CacheFolder::Default => Some(state.join("jwks")),
        CacheFolder::None => None,
    };
    let sources = &snapshot.remote_key_sources;
    let (none, counted) = (RemoteKeySources::default(), metrics.remote_keys());
    let fetched = previous.map_or(&none, |previous| &previous.remote_keys);
    let remote_keys = RemoteKeySources::start(sources, settings, folder.as_deref(), fetched, counted)?;
    let loaded = previous.map(|previous| &previous.certificates);
    let certificates = Certificates::start(&snapshot, &state.join("acme"), loaded, metrics.tls())?;
    let as_root = claimgate_functions::warnings_as_root(&snapshot.functions);
    for warning in claimgate_functions::warnings(&snapshot.functions).into_iter().chain(as_root) {
        tracing::warn!(file = %config.display(), "{warning}");
    }
    let processes = match previous {
        Some(previous) => previous.processes.next(&snapshot.functions)?,
        None => ProcessFunctions::new(metrics.processes()).next(&snapshot.functions)?,
    };
    Ok(Serving::new(snapshot, remote_keys, certificates, processes, metrics))
}

/// Where the process keeps its state: where systemd says (systemd.exec(5), `StateDirectory=`), else beside
/// the configuration.
pub fn state_folder(config: &Path) -> PathBuf {
    let given = env::var_os("STATE_DIRECTORY").filter(|given| !given.is_empty());
    match given.as_ref().and_then(|given| env::split_paths(given).next()) {
        Some(folder) => folder,
        None => config.parent().unwrap_or(Path::new("")).join(".claimgate"),
    }
}
