//! `claimgate serve`: serves a configuration until it is told to stop.

mod access_log;
mod certificates;
mod descriptors;
mod reload;
mod serving;
mod spans;

pub use reload::ConfigurationFile;

use std::io;
use std::net::SocketAddr;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use claimgate_config::{Loaded, Problems, Snapshot};
use claimgate_control::Readiness;
use claimgate_functions::Functions;
use claimgate_gateway::{Drained, Gateway, Listeners, Metrics};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::{logging, runtime};

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
    // This thread accepts connections, reloads and answers the admin listener; others serve requests.
    runtime::block_on(serve(file, loaded, log_format, taken_port, listening)).context("cannot start")?
}

async fn serve(
    file: ConfigurationFile,
    loaded: Loaded,
    log_format: logging::Format,
    taken_port: TakenPort,
    listening: impl FnOnce(SocketAddr) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    // Before anything is announced, so that no signal finds its default action.
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let hangup = signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?;

    log_warnings(&loaded.warnings);
    descriptors::raise(loaded.snapshot.gateway.limits.connections);
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
    let (http, https, admin) = (settings.http, settings.https, admin.listen);
    let listeners = Listeners {
        http: bind("gateway.http", http, taken_port).await?,
        https: match https {
            Some(https) => Some(bind("gateway.https", https, taken_port).await?),
            None => None,
        },
    };
    let metrics = Metrics::default();
    let access_log = access_log::start(&settings.access_log, log_format, &metrics)?;
    let spans = spans::start(settings.tracing.as_ref(), &metrics)?;
    let serving = file.serve(loaded.snapshot, &metrics)?;
    let gateway = Arc::new(Gateway::new(serving, metrics, access_log, spans));
    gateway.metrics().note_configuration(true);

    let (readiness, observed) = watch::channel(Readiness::Ready);
    if let Some(address) = admin {
        let listener = bind("admin.listen", address, taken_port).await?;
        announce("admin", listener.local_addr()?);
        let gateway = Arc::clone(&gateway);
        tokio::spawn(async move { claimgate_control::serve(listener, &gateway, observed).await });
    }
    tokio::spawn(file.watch(Arc::clone(&gateway), hangup));
    tokio::spawn(certificates::watch(Arc::clone(&gateway)));
    let address = listeners.http.local_addr()?;
    announce("http", address);
    if let Some(listener) = &listeners.https {
        announce("https", listener.local_addr()?);
    }
    listening(address)?;

    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        readiness.send_replace(Readiness::Draining);
        tracing::info!("stopping: no new connections, requests in flight are finished");
    };
    let drained = claimgate_gateway::serve(listeners, Arc::clone(&gateway), functions, stop).await;
    gateway.access_log().finish();
    gateway.spans().finish();
    gateway.serving().processes.stop().await;
    match drained? {
        Drained::Completely => tracing::info!("stopped"),
        Drained::CutOff => {
            tracing::warn!("stopped: the time to drain ran out, and requests in flight were cut off")
        }
    }
    Ok(())
}

async fn bind(field: &str, address: SocketAddr, taken_port: TakenPort) -> anyhow::Result<TcpListener> {
    let bound = match TcpListener::bind(address).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && taken_port == TakenPort::UseFree => {
            TcpListener::bind(SocketAddr::new(address.ip(), 0)).await
        }
        bound => bound,
    };
    bound.with_context(|| format!("cannot listen on {field} {address}"))
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
