//! What systemd is told (sd_notify(3)). Without systemd, nobody is.

use std::process;

use sd_notify::NotifyState;

/// Requests are taken, and the configuration that was asked for is loaded.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The configuration is being loaded again, until [`ready`].
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// The process ends.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Another process is the service's main one from now on.
pub fn hand_over_to(pid: u32) {
    tell(&[NotifyState::MainPid(pid)]);
}

/// Shows twice in each `WatchdogSec=` that the thread which accepts connections does not hang.
pub async fn watchdog() {
    let Some(time) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut interval = tokio::time::interval(time / 2);
    loop {
        interval.tick().await;
        tell(&[NotifyState::Watchdog]);
    }
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(pid = process::id(), %error, "cannot tell systemd the state of the service");
    }
}
