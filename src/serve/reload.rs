//! Takes over a changed configuration file, and keeps the last good one when it is bad.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use claimgate_config::{FileVersion, Loaded, Problems, Snapshot};
use claimgate_gateway::{Gateway, Metrics, Serving};
use claimgate_remote_keys::{RemoteKeySources, StartError};
use tokio::signal::unix::Signal;

use super::{log_warnings, remote_keys};

/// How often the file is looked at. Looking works on every file system and through every way of
/// replacing a file, the switch of a symbolic link to a folder included, where notifications do not.
const INTERVAL: Duration = Duration::from_millis(500);

/// A configuration file, and which version of it was loaded last.
#[derive(Debug)]
pub struct ConfigurationFile {
    path: PathBuf,
    loaded: FileVersion,
}

impl ConfigurationFile {
    /// Loads the file for the first time.
    pub fn load(path: &Path) -> Result<(Self, Loaded), Problems> {
        // Looked at before it is read, so that a change while it is read is noticed afterwards.
        let file = Self { path: path.to_owned(), loaded: FileVersion::of(path) };
        claimgate_config::load_file(path).map(|loaded| (file, loaded))
    }

    /// Begins to serve what was loaded.
    pub fn serve(
        &self,
        snapshot: Snapshot,
        previous: &RemoteKeySources,
        metrics: &Metrics,
    ) -> Result<Serving, StartError> {
        remote_keys::start(snapshot, &self.path, previous, metrics)
    }

    /// Reloads the file whenever it changes and on every SIGHUP.
    pub async fn watch(mut self, gateway: Arc<Gateway>, mut hangup: Signal) {
        let mut interval = tokio::time::interval(INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let is_asked = tokio::select! {
                _ = interval.tick() => false,
                _ = hangup.recv() => true,
            };
            let current = FileVersion::of(&self.path);
            if !is_asked && current == self.loaded {
                continue;
            }
            self.loaded = current;
            let (path, gateway) = (self.path.clone(), Arc::clone(&gateway));
            // Parsing thousands of keys takes its time, and no request should wait for it.
            if tokio::task::spawn_blocking(move || reload(&path, &gateway)).await.is_err() {
                tracing::error!("reloading the configuration failed unexpectedly, the last good one stays");
            }
        }
    }
}

fn reload(config: &Path, gateway: &Gateway) {
    let is_good = match claimgate_config::load_file(config) {
        Ok(loaded) => {
            log_warnings(&loaded.warnings);
            let serving = gateway.serving();
            warn_of_what_needs_a_restart(&serving.snapshot, &loaded.snapshot);
            match remote_keys::start(loaded.snapshot, config, &serving.remote_keys, gateway.metrics()) {
                Ok(serving) => {
                    gateway.replace(serving);
                    tracing::info!(file = %config.display(), "configuration reloaded");
                    true
                }
                Err(error) => {
                    tracing::error!(file = %config.display(), "{error}");
                    false
                }
            }
        }
        Err(problems) => {
            for problem in &problems.list {
                let (line, column, field) = (problem.line, problem.column, problem.field.as_str());
                tracing::error!(file = %problems.file.display(), line, column, field, "{}", problem.message);
            }
            false
        }
    };
    gateway.metrics().note_configuration(is_good);
    if !is_good {
        tracing::error!(file = %config.display(), "configuration refused, the last good one stays");
    }
}

fn warn_of_what_needs_a_restart(old: &Snapshot, new: &Snapshot) {
    let changes = [
        ("gateway.http", old.gateway.http != new.gateway.http),
        ("gateway.workers", old.gateway.workers != new.gateway.workers),
        (
            "gateway.verifiedTokenCacheBytes",
            old.gateway.verified_token_cache_bytes != new.gateway.verified_token_cache_bytes,
        ),
        ("admin.listen", old.admin.listen != new.admin.listen),
    ];
    for (field, _) in changes.iter().filter(|(_, is_changed)| *is_changed) {
        tracing::warn!(field, "the field has changed, which takes effect after a restart");
    }
}
