//! Takes over a changed configuration file, and keeps the last good one when it is bad.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use claimgate_config::{FileVersion, Loaded, Problems, Snapshot};
use claimgate_gateway::Gateway;
use tokio::signal::unix::Signal;

use super::log_warnings;

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
    match claimgate_config::load_file(config) {
        Ok(loaded) => {
            log_warnings(&loaded.warnings);
            warn_of_what_needs_a_restart(&gateway.snapshot(), &loaded.snapshot);
            gateway.replace_snapshot(loaded.snapshot);
            gateway.metrics().note_configuration(true);
            tracing::info!(file = %config.display(), "configuration reloaded");
        }
        Err(problems) => {
            gateway.metrics().note_configuration(false);
            for problem in &problems.list {
                let (line, column, field) = (problem.line, problem.column, problem.field.as_str());
                tracing::error!(file = %problems.file.display(), line, column, field, "{}", problem.message);
            }
            tracing::error!(file = %config.display(), "configuration refused, the last good one stays");
        }
    }
}

fn warn_of_what_needs_a_restart(old: &Snapshot, new: &Snapshot) {
    let changes = [
        ("gateway.http", old.gateway.http != new.gateway.http),
        ("gateway.workers", old.gateway.workers != new.gateway.workers),
        ("admin.listen", old.admin.listen != new.admin.listen),
    ];
    for (field, _) in changes.iter().filter(|(_, is_changed)| *is_changed) {
        tracing::warn!(field, "the field has changed, which takes effect after a restart");
    }
}
