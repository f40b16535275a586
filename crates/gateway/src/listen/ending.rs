//! How the gateway's end reaches its connections.

use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How far the gateway's end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It takes connections.
    Serving,
    /// Another process has its listeners. A connection may bring one more request, whose answer makes the
    /// client open another, so that no request meets a connection that is being closed.
    HandedOver,
    /// A connection ends as soon as no request is on it.
    Stopping,
}

/// What connections see of it.
#[derive(Debug, Clone)]
pub struct Ending {
    /// Each connection ends with the answer to its next request.
    pub leaving: CancellationToken,
    /// So do connections that no request is on.
    pub stop: CancellationToken,
}

impl Ending {
    pub fn new() -> Self {
        let stop = CancellationToken::new();
        Self { leaving: stop.child_token(), stop }
    }

    /// Ready when connections on which nothing happens have had the time that they get.
    pub async fn patience(mut phase: watch::Receiver<Phase>, time: Duration) {
        // A sender that is gone cannot tell any more.
        let told = phase.wait_for(|phase| *phase == Phase::Stopping);
        let _ = tokio::time::timeout(time, told).await;
    }
}
