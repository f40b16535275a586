//! WebSockets: once both sides have switched protocols, bytes pass both ways untouched.

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_util::task::TaskTracker;

/// The tunnels that are open.
#[derive(Debug, Default)]
pub struct Tunnels(TaskTracker);

impl Tunnels {
    /// Joins a client and a function when both have switched. Nothing that the client sent before
    /// reaches the function, as its side is there only after the answer 101 went out.
    pub fn open(&self, client: OnUpgrade, function: OnUpgrade) {
        self.0.spawn(async move {
            let (client, function) = match tokio::try_join!(client, function) {
                Ok(sides) => sides,
                Err(error) => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "a WebSocket did not open");
                    return;
                }
            };
            let (mut client, mut function) = (TokioIo::new(client), TokioIo::new(function));
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
