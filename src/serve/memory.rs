//! Memory that is not used any more goes back to the system.

use std::hint::black_box;
use std::time::Duration;

/// Longer than mimalloc keeps freed memory in the hope that it is needed again (a second).
const INTERVAL: Duration = Duration::from_secs(2);

/// So much has pages of its own in mimalloc, of which none is touched here.
const OWN_PAGES: usize = 4 * 1024 * 1024;

/// Gives freed memory back, as long as the process runs. mimalloc does so only while it frees other pages: without
/// this, a burst of large requests would leave its memory to a process that is idle afterwards.
pub async fn give_back() {
    loop {
        tokio::time::sleep(INTERVAL).await;
        drop(black_box(Vec::<u8>::with_capacity(OWN_PAGES)));
    }
}
