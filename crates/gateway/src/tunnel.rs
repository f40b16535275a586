//! WebSockets: once both sides have switched protocols, bytes pass both ways untouched.

use claimgate_functions::Upgraded;
use tokio_util::task::TaskTracker;

use crate::listen::ClientSide;
use crate::metrics::OpenWebSocket;

/// The tunnels that are open.
#[derive(Debug, Default)]
pub struct Tunnels(TaskTracker);

impl Tunnels {
    /// Joins a client and a function that has switched. Nothing that the client sent before reaches the
    /// function, as the client's side is there only after the answer 101 went out.
    pub fn open(&self, client: ClientSide, mut function: Upgraded, open: OpenWebSocket) {
        self.0.spawn(async move {
            let _open = open;
            // It never comes when the client left before the answer.
            let Ok(mut client) = client.await else { return };
            if let Err(error) = tokio::io::copy_bidirectional(&mut client, &mut function).await {
                tracing::debug!(error = &error as &dyn std::error::Error, "a WebSocket broke off");
            }
        });
    }

    /// Waits until all have ended.
    pub async fn ended(&self) {
        self.0.close();
        self.0.wait().await;
    }
}
