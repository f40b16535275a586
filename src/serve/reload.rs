//! Takes over a changed configuration file, and keeps the last good one when it is bad.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use claimgate_config::snapshot::AdminSettings;
use claimgate_config::{FileVersion, Loaded, Problems, Snapshot};
use claimgate_control::Catalog;
use tokio::runtime::Handle;
use tokio::signal::unix::Signal;
use tokio::sync::oneshot;

use super::{log_warnings, systemd};

/// How often the file is looked at. Looking works on every file system and through every way of
/// replacing a file, the switch of a symbolic link to a folder included, where notifications do not.
const INTERVAL: Duration = Duration::from_millis(500);

/// Added to the nice value of the thread that reloads, so that it gives way to those that serve requests.
const NICE: i32 = 15;

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

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reloads the file whenever it changes and on every SIGHUP, which also reopens the access log.
    pub async fn watch(mut self, catalog: Catalog, mut hangup: Signal) {
        let mut interval = tokio::time::interval(INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let is_asked = tokio::select! {
                _ = interval.tick() => false,
                _ = hangup.recv() => true,
            };
            let unused = catalog.take_unused();
            if !unused.is_empty() {
                aside(move || drop(unused)).await;
            }
            if is_asked {
                systemd::reloading();
                catalog.gateway().access_log().reopen();
            }
            let current = FileVersion::of(&self.path);
            if !is_asked && current == self.loaded {
                continue;
            }
            self.loaded = current;
            let (path, catalog) = (self.path.clone(), catalog.clone());
            aside(move || reload(&path, &catalog)).await;
            if is_asked {
                systemd::ready();
            }
        }
    }
}

/// Does long work on a thread of its own, to which no request gives way; `None` when it failed unexpectedly.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, result) = oneshot::channel();
    let runtime = Handle::current();
    let thread = thread::Builder::new().name("claimgate-reload".to_owned()).spawn(move || {
        // On Linux this is the nice value of the thread alone. Without it the work is done all the same.
        if let Err(error) = rustix::process::nice(NICE) {
            tracing::debug!(error = &error as &dyn std::error::Error, "cannot lower a thread's priority");
        }
        let _entered = runtime.enter();
        // Nobody waits any more when serving has ended.
        let _ = sender.send(work());
    });
    if let Err(error) = thread {
        tracing::error!(error = &error as &dyn std::error::Error, "cannot start a thread");
    }
    let result = result.await.ok();
    if result.is_none() {
        tracing::error!("reloading the configuration failed unexpectedly, the last good one stays");
    }
    result
}

/// Serves the file as it is now, if it is good.
fn reload(config: &Path, catalog: &Catalog) {
    let is_served = match claimgate_config::load_file(config) {
        Ok(loaded) => {
            log_warnings(&loaded.warnings);
            warn_of_what_needs_a_restart(&catalog.gateway().serving().snapshot, &loaded.snapshot);
            match catalog.declare(loaded.snapshot) {
                Ok(()) => {
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
    catalog.gateway().metrics().note_configuration(is_served);
    if !is_served {
        tracing::error!(file = %config.display(), "configuration refused, the last good one stays");
    }
}

/// Everything except the access keys, which take effect at once.
fn of_listener(admin: &AdminSettings) -> AdminSettings {
    AdminSettings { access_keys: Vec::new(), ..admin.clone() }
}

fn warn_of_what_needs_a_restart(old: &Snapshot, new: &Snapshot) {
    let changes = [
        ("gateway.http", old.gateway.http != new.gateway.http),
        ("gateway.https", old.gateway.https != new.gateway.https),
        ("gateway.workers", old.gateway.workers != new.gateway.workers),
        (
            "gateway.verifiedTokenCacheBytes",
            old.gateway.verified_token_cache_bytes != new.gateway.verified_token_cache_bytes,
        ),
        ("gateway.accessLog", old.gateway.access_log != new.gateway.access_log),
        ("gateway.tracing", old.gateway.tracing != new.gateway.tracing),
        ("admin", of_listener(&old.admin) != of_listener(&new.admin)),
        ("store", old.store != new.store),
    ];
    for (field, _) in changes.iter().filter(|(_, is_changed)| *is_changed) {
        tracing::warn!(field, "the field has changed, which takes effect after a restart");
    }
}
