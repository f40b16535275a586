//! Takes over certificates whose files have changed.

use std::sync::Arc;
use std::time::Duration;

use claimgate_gateway::Gateway;
use tokio::time::MissedTickBehavior;

/// How often the files are looked at, as the configuration's is.
const INTERVAL: Duration = Duration::from_millis(500);

/// Looks at the files of all certificates for as long as the gateway serves.
pub async fn watch(gateway: Arc<Gateway>) {
    let mut interval = tokio::time::interval(INTERVAL);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let serving = gateway.serving();
        if !serving.certificates.has_files() {
            continue;
        }
        let metrics = gateway.metrics().tls().clone();
        // Files may be slow to read, and no connection should wait for them.
        let look = tokio::task::spawn_blocking(move || serving.certificates.look_at_files(&metrics));
        if look.await.is_err() {
            tracing::error!("looking at the files of certificates failed unexpectedly");
        }
    }
}
