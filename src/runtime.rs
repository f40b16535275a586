//! The runtime that a command works on.

use std::io;
use std::time::Duration;

use tokio::runtime::Builder;

/// How long the end of a command waits for files that are being written. A look-up of a name may take much
/// longer, and nothing waits for it any more.
const END: Duration = Duration::from_secs(1);

/// Runs asynchronous work to its end on this thread.
pub fn block_on<T>(work: impl Future<Output = T>) -> io::Result<T> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(work);
    runtime.shutdown_timeout(END);
    Ok(result)
}
