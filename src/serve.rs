//! `claimgate serve`: serves a configuration until it is told to stop.

mod access_log;
mod certificates;
mod descriptors;
mod end;
mod first_user;
mod listeners;
mod memory;
mod reload;
mod serving;
mod spans;
mod store;
mod systemd;
mod upgrade;

pub use reload::ConfigurationFile;
pub use upgrade::detach;

use std::net::SocketAddr;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use claimgate_config::reach;
use claimgate_config::{Loaded, Problems, Snapshot};
use claimgate_control::DataPlane;
use claimgate_functions::Functions;
use claimgate_gateway::{Drained, Gateway, Listeners, Metrics, Phase};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::{logging, runtime};
use descriptors::Shares;
use end::Signals;
use listeners::Sockets;
use upgrade::Upgrade;

/// Serves a configuration file.
pub fn run(config: &Path, log_format: logging::Format) -> anyhow::Result<()> {
    match ConfigurationFile::load(config) {
        Ok((file, loaded)) => start(file, loaded, log_format, TakenPort::Fail, |_| Ok(())),
        Err(problems) => {
            crate::complain_of(&problems);
            bail!("the configuration is not usable, so nothing is served");
        }
    }
}

/// What happens when a port of the configuration is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakenPort {
    /// Nothing is served.
    Fail,
    /// A free one is used in its place.
    UseFree,
}

/// Serves what was loaded from a file; `listening` is called with the data plane's address once
/// requests are taken.
pub fn start(
    file: ConfigurationFile,
    loaded: Loaded,
    log_format: logging::Format,
    taken_port: TakenPort,
    listening: impl FnOnce(SocketAddr) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let sockets = Sockets::take()?;
    // This thread accepts connections, reloads and answers the admin listener; others serve requests.
    runtime::block_on(serve(file, loaded, log_format, taken_port, sockets, listening))
        .context("cannot start")?
}

async fn serve(
    file: ConfigurationFile,
    loaded: Loaded,
    log_format: logging::Format,
    taken_port: TakenPort,
    mut sockets: Sockets,
    listening: impl FnOnce(SocketAddr) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    // Before anything is announced, so that no signal finds its default action.
    let signals = Signals::listen()?;
    let hangup = signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?;

    log_warnings(&loaded.warnings);
    let workers = match loaded.snapshot.gateway.workers {
        Some(workers) => workers,
        None => std::thread::available_parallelism().map_or(1, NonZero::get),
    };
    let functions: Result<Vec<Functions>, _> = (0..workers).map(|_| Functions::new()).collect();
    let functions = functions.context("cannot prepare connections to functions")?;
    if functions.iter().all(|functions| functions.root_certificates() == 0) {
        tracing::warn!(
            "no root certificates found, so functions behind https cannot be verified and will fail"
        );
    }
    let Snapshot { gateway: settings, admin, .. } = &loaded.snapshot;
    let (http, https, mut admin) = (settings.http, settings.https, admin.clone());
    let shares = descriptors::share(Shares {
        data_plane: settings.limits.connections,
        admin: admin.listen.map_or(0, |_| admin.limits.connections),
    });
    admin.limits.connections = shares.admin;
    let listeners = Listeners {
        http: sockets.listen("http", http, taken_port).await?,
        https: match https {
            Some(https) => Some(sockets.listen("https", https, taken_port).await?),
            None => None,
        },
    };
    let admin_listener = match admin.listen {
        Some(address) => Some(sockets.listen("admin", address, taken_port).await?),
        None => None,
    };
    let own = [Some(&listeners.http), listeners.https.as_ref(), admin_listener.as_ref()];
    for listener in own.into_iter().flatten() {
        reach::note_own_listener(listener.local_addr()?);
    }
    let (used, predecessor) = sockets.finish()?;
    let upgrade = Upgrade::prepare(used)?;
    let metrics = Metrics::default();
    let access_log = access_log::start(&settings.access_log, log_format, &metrics)?;
    let spans = spans::start(settings.tracing.as_ref(), &metrics)?;
    let config = file.path().to_owned();
    let stored = store::read(loaded.snapshot, &config).await?;
    let serving = serving::start(stored.snapshot.clone(), &config, None, &metrics)?;
    let gateway = Arc::new(Gateway::new(serving, metrics, access_log, spans));
    let metrics = gateway.metrics().clone();
    let catalog = stored.follow(Arc::clone(&gateway), move |snapshot, previous| {
        serving::start(snapshot, &config, Some(previous), &metrics)
    });
    gateway.metrics().note_configuration(true);
    let store = catalog.store().cloned();

    let (phase, observed) = watch::channel(Phase::Serving);
    if let Some(listener) = admin_listener {
        let address = listener.local_addr()?;
        first_user::invite(&catalog, address, admin.tls.is_some()).await;
        let data_plane = DataPlane {
            http: listeners.http.local_addr()?,
            https: listeners.https.as_ref().map(|listener| listener.local_addr()).transpose()?,
        };
        claimgate_control::serve(listener, &admin, catalog.clone(), data_plane, observed.clone())?;
        announce("admin", address);
    }
    tokio::spawn(file.watch(catalog, hangup));
    tokio::spawn(certificates::watch(Arc::clone(&gateway)));
    tokio::spawn(memory::give_back());
    let address = listeners.http.local_addr()?;
    announce("http", address);
    if let Some(listener) = &listeners.https {
        announce("https", listener.local_addr()?);
    }
    listening(address)?;

    // Its turn comes when this task waits for connections: from then on requests are taken.
    tokio::spawn(end::accompany(signals, predecessor, upgrade, phase));
    let served =
        claimgate_gateway::serve(listeners, Arc::clone(&gateway), functions, shares.data_plane, observed);
    let drained = served.await;
    gateway.access_log().finish();
    gateway.spans().finish();
    gateway.serving().processes.stop().await;
    if let Some(store) = &store
        && let Err(error) = store.close().await
    {
        tracing::warn!(
            "the store is not closed in order, which costs nothing but time at the next start: {error}"
        );
    }
    match drained? {
        Drained::Completely => tracing::info!("stopped"),
        Drained::CutOff => {
            tracing::warn!("stopped: the time to drain ran out, and requests in flight were cut off")
        }
    }
    Ok(())
}

fn announce(listener: &str, address: SocketAddr) {
    tracing::info!(listener, address = %address, "listening");
}

fn log_warnings(warnings: &Problems) {
    for warning in &warnings.list {
        let (line, column, field) = (warning.line, warning.column, warning.field.as_str());
        tracing::warn!(file = %warnings.file.display(), line, column, field, "{}", warning.message);
    }
}
