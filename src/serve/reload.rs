//! Takes over a changed configuration file, and keeps the last good one when it is bad.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use claimgate_config::{FileVersion, Loaded, Problems, Snapshot};
use claimgate_gateway::{Gateway, Metrics, Serving};
use tokio::runtime::Handle;
use tokio::signal::unix::Signal;
use tokio::sync::oneshot;

use super::{log_warnings, serving, systemd};

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

    /// Begins to serve what was loaded.
    pub fn serve(&self, snapshot: Snapshot, metrics: &Metrics) -> anyhow::Result<Serving> {
        serving::start(snapshot, &self.path, None, metrics)
    }

    /// Reloads the file whenever it changes and on every SIGHUP, which also reopens the access log.
    pub async fn watch(mut self, gateway: Arc<Gateway>, mut hangup: Signal) {
        let mut interval = tokio::time::interval(INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // With many domains it takes a while to free a configuration, and the request that lets go of it last
        // must not pay for it.
        let mut replaced: Vec<Arc<Serving>> = Vec::new();
        loop {
            let is_asked = tokio::select! {
                _ = interval.tick() => false,
                _ = hangup.recv() => true,
            };
            let unused =
                replaced.extract_if(.., |serving| Arc::strong_count(serving) == 1).collect::<Vec<_>>();
            if !unused.is_empty() {
                aside(move || drop(unused)).await;
            }
            if is_asked {
                systemd::reloading();
                gateway.access_log().reopen();
            }
            let current = FileVersion::of(&self.path);
            if !is_asked && current == self.loaded {
                continue;
            }
            self.loaded = current;
            let (path, gateway) = (self.path.clone(), Arc::clone(&gateway));
            replaced.extend(aside(move || reload(&path, &gateway)).await.flatten());
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

/// Serves the file as it is now, if it is good; gives what was served before.
fn reload(config: &Path, gateway: &Gateway) -> Option<Arc<Serving>> {
    let replaced = match claimgate_config::load_file(config) {
        Ok(loaded) => {
            log_warnings(&loaded.warnings);
            let previous = gateway.serving();
            warn_of_what_needs_a_restart(&previous.snapshot, &loaded.snapshot);
            match serving::start(loaded.snapshot, config, Some(&*previous), gateway.metrics()) {
                Ok(next) => {
                    gateway.replace(next);
                    tracing::info!(file = %config.display(), "configuration reloaded");
                    Some(previous)
                }
                Err(error) => {
                    tracing::error!(file = %config.display(), "{error:#}");
                    None
                }
            }
        }
        Err(problems) => {
            for problem in &problems.list {
                let (line, column, field) = (problem.line, problem.column, problem.field.as_str());
                tracing::error!(file = %problems.file.display(), line, column, field, "{}", problem.message);
            }
            None
        }
    };
    gateway.metrics().note_configuration(replaced.is_some());
    if replaced.is_none() {
        tracing::error!(file = %config.display(), "configuration refused, the last good one stays");
    }
    replaced
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
        ("admin.listen", old.admin.listen != new.admin.listen),
    ];
    for (field, _) in changes.iter().filter(|(_, is_changed)| *is_changed) {
        tracing::warn!(field, "the field has changed, which takes effect after a restart");
    }
}
