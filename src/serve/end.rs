//! Accompanies a gateway from its first request to its end, as signals ask for it.

use anyhow::Context;
use claimgate_gateway::Phase;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::systemd;
use super::upgrade::{Predecessor, Upgrade};

/// The signals that end a process, or have another take over.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    upgrade: Signal,
}

impl Signals {
    /// From now on signals do not find their default action.
    pub fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?,
            upgrade: signal(SignalKind::user_defined2()).context("cannot listen for SIGUSR2")?,
        })
    }

    /// Ready when one of them comes; true when another process is to take over.
    async fn asks_for_upgrade(&mut self) -> bool {
        tokio::select! {
            _ = self.terminate.recv() => false,
            _ = self.interrupt.recv() => false,
            _ = self.upgrade.recv() => true,
        }
    }

    async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Tells that requests are taken, and sets the phases that follow, until the last one.
pub async fn accompany(
    mut signals: Signals,
    predecessor: Predecessor,
    upgrade: Upgrade,
    phase: watch::Sender<Phase>,
) {
    if !predecessor.relieve() {
        systemd::ready();
    }
    tokio::spawn(systemd::watchdog());
    let mut successor = None;
    while successor.is_none() && signals.asks_for_upgrade().await {
        successor = match hand_over(&mut signals, &upgrade).await {
            Some(Ok(pid)) => Some(pid),
            Some(Err(error)) => {
                tracing::error!("the upgrade failed, and this process goes on serving: {error:#}");
                None
            }
            None => break,
        };
    }
    // The sockets close with the last that has them.
    drop(upgrade);
    if let Some(pid) = successor {
        systemd::hand_over_to(pid);
        phase.send_replace(Phase::HandedOver);
        tracing::info!(pid, "upgraded: the new process serves, requests in flight are finished");
        signals.stop().await;
    } else {
        systemd::stopping();
    }
    phase.send_replace(Phase::Stopping);
    tracing::info!("stopping: no new connections, requests in flight are finished");
}

/// Has another process take over, and gives its number; `None` when all has to end meanwhile.
async fn hand_over(signals: &mut Signals, upgrade: &Upgrade) -> Option<anyhow::Result<u32>> {
    tracing::info!("upgrading: the program is started anew");
    let mut successor = match upgrade.start() {
        Ok(successor) => successor,
        Err(error) => return Some(Err(error)),
    };
    tokio::select! {
        pid = successor.serves() => Some(pid),
        () = signals.stop() => None,
    }
}
