//! Takes over changed files: users, keys and the certificate.

use std::sync::Arc;
use std::time::Duration;

use claimgate_config::FileVersion;
use claimgate_tls::ListenerCertificate;
use tokio::signal::unix::Signal;

use crate::authorizer::Authorizer;
use crate::configuration::{Configuration, UsersSettings};
use crate::keys::folder::FolderVersion;
use crate::log;
use crate::users::Users;

/// How often files are looked at, which works on every file system.
const INTERVAL: Duration = Duration::from_millis(500);

/// Which versions of the files were read last.
pub(crate) struct Versions {
    users: Option<FileVersion>,
    keys: FolderVersion,
    tls: Option<[FileVersion; 2]>,
}

impl Versions {
    /// What is there now. Taken before the files are read, so that a change meanwhile is noticed.
    pub(crate) fn of(configuration: &Configuration) -> Self {
        let users = match &configuration.users {
            UsersSettings::File(file) => Some(FileVersion::of(file)),
            UsersSettings::PostgreSql(_) => None,
        };
        let tls = configuration.tls.as_ref();
        Self {
            users,
            keys: configuration.keys.folder.version(),
            tls: tls.map(|files| [&files.certificate, &files.private_key].map(|file| FileVersion::of(file))),
        }
    }
}

/// Reloads what has changed, and everything on each SIGHUP.
pub(crate) async fn watch(
    authorizer: Arc<Authorizer>,
    tls: Option<Arc<ListenerCertificate>>,
    mut versions: Versions,
    mut hangup: Signal,
) {
    let mut interval = tokio::time::interval(INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let is_asked = tokio::select! {
            _ = interval.tick() => false,
            _ = hangup.recv() => true,
        };
        let (authorizer, tls) = (Arc::clone(&authorizer), tls.clone());
        // Files may be large or slow, and no request should wait for them.
        let look = move || {
            let current = Versions::of(&authorizer.configuration);
            if is_asked || current.users != versions.users {
                reload_users(&authorizer);
            }
            if is_asked || current.keys != versions.keys {
                reload_keys(&authorizer);
            }
            if is_asked || current.tls != versions.tls {
                reload_tls(&authorizer, tls.as_deref());
            }
            current
        };
        match tokio::task::spawn_blocking(look).await {
            Ok(current) => versions = current,
            Err(_) => {
                tracing::error!("files are no longer looked at, as reading them failed unexpectedly");
                return;
            }
        }
    }
}

fn reload_users(authorizer: &Authorizer) {
    let Users::File(users) = &authorizer.users else {
        return;
    };
    let (is_good, problems) = match users.reload() {
        Ok(warnings) => (true, warnings),
        Err(problems) => (false, problems),
    };
    log::problems(&problems);
    authorizer.metrics.note_reload("users", is_good);
    let file = users.path().display();
    if is_good {
        tracing::info!(%file, "users reloaded");
    } else {
        tracing::error!(%file, "users refused, the last good ones stay");
    }
}

fn reload_keys(authorizer: &Authorizer) {
    let loaded = authorizer.load_keys();
    authorizer.metrics.note_reload("keys", loaded.is_ok());
    if let Err(error) = loaded {
        tracing::error!("keys refused, the last good ones stay: {error}");
    }
}

fn reload_tls(authorizer: &Authorizer, tls: Option<&ListenerCertificate>) {
    let Some(tls) = tls else {
        return;
    };
    let loaded = tls.reload();
    authorizer.metrics.note_reload("tls", loaded.is_ok());
    match loaded {
        Ok(()) => tracing::info!("certificate reloaded"),
        Err(reason) => tracing::error!("certificate refused, the last good one stays: {reason}"),
    }
}
