//! Keeps a domain's certificate good.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use claimgate_config::certificate::Certificate;
use tokio::task::AbortHandle;

use super::Acme;
use crate::certificates::Current;

/// The longest sleep at once, so that a clock that is set is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(3600);
/// The longest time from a failure to the next try.
const LONGEST_RETRY: Duration = Duration::from_secs(24 * 3600);

/// A domain whose certificate is obtained, and renewed for as long as this is not dropped.
#[derive(Debug)]
pub struct AcmeDomain {
    pub current: Arc<Current>,
    task: AbortHandle,
}

impl AcmeDomain {
    /// Begins with the certificate that is kept, else with the one `before`, on the runtime that this is
    /// called on.
    pub fn start(acme: Arc<Acme>, domain: &str, before: Option<Arc<Certificate>>) -> Self {
        let kept = acme.folder.certificate(domain).unwrap_or_else(|error| {
            tracing::error!(domain, "the certificate that was kept is not used: {error}");
            None
        });
        let renew_at = kept.as_ref().map_or(SystemTime::UNIX_EPOCH, renewal);
        let current = Arc::new(Current::new(kept.map(Arc::new).or(before)));
        let task = tokio::spawn(keep_good(acme, domain.to_owned(), Arc::clone(&current), renew_at));
        Self { current, task: task.abort_handle() }
    }
}

impl Drop for AcmeDomain {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep_good(acme: Arc<Acme>, domain: String, current: Arc<Current>, mut renew_at: SystemTime) {
    let mut failures = 0;
    loop {
        sleep_until(renew_at).await;
        renew_at = match acme.obtain(&domain, failures).await {
            Ok(certificate) => {
                failures = 0;
                let renew_at = renewal(&certificate);
                acme.metrics.note_certificate(&domain, &certificate);
                acme.metrics.count_update(&domain, true);
                current.replace(Arc::new(certificate));
                tracing::info!(domain, "a certificate was obtained from the ACME server");
                renew_at
            }
            Err(error) => {
                let wait = retry(acme.settings.retry, failures);
                failures += 1;
                acme.metrics.count_update(&domain, false);
                let seconds = wait.as_secs();
                tracing::error!(
                    domain,
                    "no certificate could be obtained, trying again in {seconds} s: {error}"
                );
                SystemTime::now() + wait
            }
        };
    }
}

async fn sleep_until(time: SystemTime) {
    while let Ok(left) = time.duration_since(SystemTime::now())
        && !left.is_zero()
    {
        tokio::time::sleep(left.min(LONGEST_SLEEP)).await;
    }
}

/// When two thirds of a certificate's life are over.
fn renewal(certificate: &Certificate) -> SystemTime {
    let life = certificate.not_after().duration_since(certificate.not_before()).unwrap_or_default();
    certificate.not_before() + life * 2 / 3
}

/// How long to wait after so many failures and one more.
fn retry(first: Duration, failures: usize) -> Duration {
    let factor = 1_u32.checked_shl(u32::try_from(failures).unwrap_or(u32::MAX)).unwrap_or(u32::MAX);
    first.saturating_mul(factor).min(LONGEST_RETRY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_doubles_the_wait_up_to_a_day() {
        let minute = Duration::from_secs(60);
        for (failures, minutes) in
            [(0, 1), (1, 2), (5, 32), (10, 1024), (11, 1440), (40, 1440), (usize::MAX, 1440)]
        {
            assert_eq!(retry(minute, failures), minute * minutes);
        }
    }
}
