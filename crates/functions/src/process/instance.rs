//! The life of an instance: started, ready, ended.

use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::Uri;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

use super::child::Child;
use super::instances::Instances;
use super::ports::Lease;

/// How often it is looked whether a new process accepts connections, at the beginning and at last.
const LOOK_AGAIN: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(100));

/// An instance that is ready.
#[derive(Debug)]
pub(super) struct Instance {
    /// Where it listens, as a URI.
    pub(super) origin: Uri,
    port: u16,
    has_answered: AtomicBool,
    wake: Notify,
}

impl Instance {
    fn new(origin: Uri, port: u16) -> Self {
        Self { origin, port, has_answered: AtomicBool::new(false), wake: Notify::new() }
    }

    /// Notes an answer, and tells whether it is the first.
    pub(super) fn note_answer(&self) -> bool {
        // Written once, as all threads read it.
        !self.has_answered() && !self.has_answered.swap(true, Ordering::Relaxed)
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn has_answered(&self) -> bool {
        self.has_answered.load(Ordering::Relaxed)
    }

    /// Makes whoever watches it look whether it is still needed.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }
}

/// Why there is no instance.
#[derive(Debug, thiserror::Error)]
enum StartFailure {
    #[error("port {0} is taken by another process")]
    PortTaken(u16),
    #[error("no port is free")]
    NoPort,
    #[error("{0}")]
    Spawn(String),
    #[error("it ended before it accepted connections: {0}")]
    Ended(ExitStatus),
    #[error("it did not accept connections on its port within startTimeoutSeconds ({} s)", .0.as_secs())]
    Timeout(Duration),
    #[error("it is not needed any more")]
    Cancelled,
}

/// Why an instance ends.
enum End {
    /// By itself.
    Crash(ExitStatus),
    /// Because the gateway ends it.
    Stop(&'static str),
}

/// Starts an instance and accompanies it to its end.
pub(super) async fn live(instances: Arc<Instances>) {
    let id = format!("{:016x}", fastrand::u64(..));
    let function = instances.function.as_str();
    let began = Instant::now();
    instances.metrics.instances.inc();
    match start(&instances, &id, began).await {
        Ok((mut child, lease, origin)) => {
            let instance = Arc::new(Instance::new(origin, lease.port()));
            tracing::info!(
                function,
                instance = id,
                pid = child.pid(),
                port = lease.port(),
                start_ms = millis(began.elapsed()),
                "function instance ready"
            );
            instances.add(&instance);
            match watch(&instances, &instance, &mut child).await {
                End::Crash(status) => {
                    instances.metrics.crashes.inc();
                    // First of all no more requests, then the rest of it.
                    instances.remove(&instance, true);
                    instances.recent.note_end(&id, format!("it crashed: {status}"), true);
                    tracing::warn!(
                        function,
                        instance = id,
                        status = %status,
                        age_ms = millis(began.elapsed()),
                        "function instance crashed"
                    );
                    child.kill().await;
                }
                End::Stop(why) => {
                    instances.remove(&instance, false);
                    instances.recent.note_end(&id, format!("it was stopped: {why}"), false);
                    child.terminate(instances.settings.stop_timeout).await;
                    tracing::info!(function, instance = id, why, "function instance stopped");
                }
            }
        }
        Err(StartFailure::Cancelled) => instances.note_not_started(false),
        Err(failure) => {
            instances.metrics.start_failures.inc();
            instances.recent.note_end(&id, format!("it did not start: {failure}"), true);
            tracing::error!(function, instance = id, error = %failure, "function instance did not start");
            instances.note_not_started(true);
        }
    }
    instances.metrics.instances.dec();
}

/// Starts a process and waits until it accepts connections. What is left of one that does not is ended.
async fn start<'i>(
    instances: &'i Instances,
    id: &str,
    began: Instant,
) -> Result<(Child, Lease<'i>, Uri), StartFailure> {
    let limit = instances.settings.start_timeout;
    let mut alarm = std::pin::pin!(sleep_until(began + limit));
    let lease = tokio::select! {
        lease = lease(instances) => lease?,
        () = &mut alarm => return Err(StartFailure::PortTaken(instances.settings.port.unwrap_or_default())),
        () = instances.closed.cancelled() => return Err(StartFailure::Cancelled),
        () = instances.supervisor.stopped().cancelled() => return Err(StartFailure::Cancelled),
    };
    instances.metrics.starts.inc();
    let mut child = Child::start(instances, id, lease.port()).map_err(StartFailure::Spawn)?;
    let failure = tokio::select! {
        biased;
        status = child.ended() => StartFailure::Ended(status),
        origin = listening(lease.port()) => return Ok((child, lease, origin)),
        () = &mut alarm => StartFailure::Timeout(limit),
        () = instances.closed.cancelled() => StartFailure::Cancelled,
        () = instances.supervisor.stopped().cancelled() => StartFailure::Cancelled,
    };
    match failure {
        StartFailure::Ended(_) => child.kill().await,
        _ => child.terminate(instances.settings.stop_timeout).await,
    }
    Err(failure)
}

/// A port: the configured one as soon as it is free, or any.
async fn lease(instances: &Instances) -> Result<Lease<'_>, StartFailure> {
    let ports = instances.supervisor.ports();
    let Some(port) = instances.settings.port else {
        return ports.any().ok_or(StartFailure::NoPort);
    };
    let mut is_told = false;
    loop {
        if let Some(lease) = ports.this(port) {
            return Ok(lease);
        }
        if !is_told {
            is_told = true;
            tracing::warn!(function = instances.function, port, "the port is taken, so it is waited for");
        }
        sleep(LOOK_AGAIN.1).await;
    }
}

/// The address at which a port of this machine accepts connections, as soon as it does.
async fn listening(port: u16) -> Uri {
    let (mut pause, most) = LOOK_AGAIN;
    loop {
        for host in ["127.0.0.1", "[::1]"] {
            let address = format!("{host}:{port}");
            let Ok(stream) = TcpStream::connect(&address).await else {
                continue;
            };
            // A socket that looks for a port may find itself.
            let is_itself = stream.local_addr().ok() == stream.peer_addr().ok();
            if let (false, Ok(origin)) = (is_itself, format!("http://{address}/").parse()) {
                return origin;
            }
        }
        sleep(pause).await;
        pause = (pause * 2).min(most);
    }
}

/// Waits until an instance ends or is not needed any more.
async fn watch(instances: &Arc<Instances>, instance: &Arc<Instance>, child: &mut Child) -> End {
    loop {
        if instances.is_doubtful(instance)
            && let Some(end) = probe(instances, instance, child).await
        {
            return end;
        }
        let is_closed = instances.closed.is_cancelled();
        let Some(look_again) = instances.remove_if_idle(instance) else {
            return End::Stop(if is_closed { "the configuration has changed" } else { "idle" });
        };
        tokio::select! {
            biased;
            status = child.ended() => return End::Crash(status),
            () = instances.supervisor.stopped().cancelled() => return End::Stop("the gateway stops"),
            () = instances.closed.cancelled(), if !is_closed => {}
            () = instance.wake.notified() => {}
            () = sleep(look_again) => {}
        }
    }
}

/// Waits until an instance that closed a connection has ended, or accepts one.
async fn probe(instances: &Arc<Instances>, instance: &Arc<Instance>, child: &mut Child) -> Option<End> {
    tokio::select! {
        biased;
        status = child.ended() => Some(End::Crash(status)),
        () = instances.supervisor.stopped().cancelled() => Some(End::Stop("the gateway stops")),
        _ = listening(instance.port), if !child.is_ending() => {
            instances.trust(instance);
            None
        }
        () = sleep(instances.settings.start_timeout) => Some(End::Stop("it does not listen any more")),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
