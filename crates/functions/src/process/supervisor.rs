//! The thread that processes are started, watched and ended on.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::folders::Folders;
use super::metrics::ProcessMetrics;
use super::ports::Ports;
use super::privileges;

/// What all process functions share. Clones share it too.
#[derive(Debug, Clone)]
pub(super) struct Supervisor(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// `None` before the first configuration.
    runtime: Mutex<Option<Handle>>,
    instances: TaskTracker,
    stopped: CancellationToken,
    ports: Ports,
    folders: Folders,
    metrics: ProcessMetrics,
}

impl Supervisor {
    pub(super) fn new(metrics: ProcessMetrics) -> Self {
        Self(Arc::new(Shared {
            runtime: Mutex::new(None),
            instances: TaskTracker::new(),
            stopped: CancellationToken::new(),
            ports: Ports::new(),
            folders: Folders::default(),
            metrics,
        }))
    }

    /// The thread's runtime. The thread lives as long as the gateway, so that a process may ask the
    /// system to be told of the gateway's end (`PR_SET_PDEATHSIG` means the thread that started it).
    pub(super) fn runtime(&self) -> io::Result<Handle> {
        let mut started = self.0.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = &*started {
            return Ok(handle.clone());
        }
        // What the gateway's own parent left open is not for functions; all else is closed on exec anyway.
        close_fds::set_fds_cloexec(3, &[]);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let run = move || {
            privileges::give_up();
            runtime.block_on(std::future::pending::<()>());
        };
        std::thread::Builder::new().name("claimgate-processes".to_owned()).spawn(run)?;
        *started = Some(handle.clone());
        Ok(handle)
    }

    /// Runs the life of an instance.
    pub(super) fn spawn(&self, runtime: &Handle, life: impl Future<Output = ()> + Send + 'static) {
        self.0.instances.spawn_on(life, runtime);
    }

    /// Ends every instance and waits for that.
    pub(super) async fn stop(&self) {
        self.0.stopped.cancel();
        self.0.instances.close();
        self.0.instances.wait().await;
        self.0.folders.remove();
    }

    /// Ready when everything has to end.
    pub(super) fn stopped(&self) -> &CancellationToken {
        &self.0.stopped
    }

    pub(super) fn ports(&self) -> &Ports {
        &self.0.ports
    }

    pub(super) fn folders(&self) -> &Folders {
        &self.0.folders
    }

    pub(super) fn metrics(&self) -> &ProcessMetrics {
        &self.0.metrics
    }
}
