//! The instances of one function, and the requests that wait for one.
//!
//! Whoever wants a place takes it under one lock, which is held for a few dozen instructions. Requests
//! wait in one queue, and a place that becomes free goes to the first of them before anybody else sees it,
//! so none is overtaken and none is forgotten.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use claimgate_config::snapshot::ProcessSettings;
use thiserror::Error;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::back_off::BackOff;
use super::instance::{self, Instance};
use super::metrics::FunctionMetrics;
use super::output_limit::OutputLimit;
use super::place::Place;
use super::recent::Recent;
use super::state::{InstanceState, ProcessState};
use super::supervisor::Supervisor;
use super::user::User;

/// Why a request got no place on an instance. The function's fault, or the configuration's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NoInstance {
    /// The function's processes end before they answer, or do not become ready in time, again and again.
    #[error("the function does not start; see the log for its output")]
    NotStarted {
        /// Until the next start is tried.
        retry_after: Duration,
    },
    /// No place within `waitTimeoutSeconds`.
    #[error("no instance of the function had room in time")]
    WaitTimeout,
    /// As many requests wait as may.
    #[error("too many requests wait for an instance of the function")]
    TooManyWaiting,
    /// The gateway is stopping.
    #[error("the gateway is stopping, and starts no function any more")]
    Stopping,
}

impl NoInstance {
    /// A word for logs and metrics that stays the same.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotStarted { .. } => "not_started",
            Self::WaitTimeout => "instance_wait_timeout",
            Self::TooManyWaiting => "too_many_waiting",
            Self::Stopping => "stopping",
        }
    }

    /// How long to wait before the request is sent again; whole seconds, one at least.
    pub fn retry_after(&self) -> Duration {
        match self {
            Self::NotStarted { retry_after } => Duration::from_secs(retry_after.as_secs() + 1),
            _ => Duration::from_secs(1),
        }
    }
}

/// The instances of one function.
#[derive(Debug)]
pub(super) struct Instances {
    pub(super) function: String,
    pub(super) settings: Arc<ProcessSettings>,
    pub(super) user: Option<User>,
    pub(super) supervisor: Supervisor,
    pub(super) metrics: FunctionMetrics,
    /// Ready when no configuration needs the function any more.
    pub(super) closed: CancellationToken,
    pub(super) recent: Arc<Recent>,
    pub(super) output: Arc<OutputLimit>,
    runtime: Handle,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    ready: Vec<Load>,
    starting: usize,
    /// In the order in which they came; some may have given up.
    waiting: VecDeque<oneshot::Sender<Result<Place, NoInstance>>>,
    back_off: BackOff,
}

/// How much an instance has to do.
#[derive(Debug)]
struct Load {
    instance: Arc<Instance>,
    in_use: usize,
    idle_since: Instant,
    /// Whether a request met a closed connection, and it has not been seen yet that the instance lives.
    is_doubtful: bool,
}

impl Instances {
    pub(super) fn new(
        function: &str,
        settings: Arc<ProcessSettings>,
        user: Option<User>,
        supervisor: Supervisor,
        runtime: Handle,
    ) -> Self {
        let metrics = supervisor.metrics().of(function);
        let output = Arc::new(OutputLimit::new(function, &metrics));
        Self {
            function: function.to_owned(),
            settings,
            user,
            supervisor,
            metrics,
            closed: CancellationToken::new(),
            recent: Arc::default(),
            output,
            runtime,
            state: Mutex::default(),
        }
    }

    /// A place on the instance that has the least to do; when none has room, the next one in the order of
    /// the requests.
    pub(super) async fn place(self: &Arc<Self>) -> Result<Place, NoInstance> {
        let waiting = {
            let mut state = self.lock();
            // Who waits has tried in vain, and nothing became free since.
            if let Some(instance) = state.take_place(self.settings.instance_concurrency) {
                return Ok(Place::new(Arc::clone(self), instance));
            }
            state.waiting.retain(|waiting| !waiting.is_closed());
            self.refusal(&state)?;
            let (sender, receiver) = oneshot::channel();
            state.waiting.push_back(sender);
            self.start_enough(&mut state);
            receiver
        };
        let _counted = Counted::new(&self.metrics);
        match timeout(self.settings.wait_timeout, waiting).await {
            Ok(answer) => answer.unwrap_or(Err(NoInstance::Stopping)),
            Err(_) => Err(NoInstance::WaitTimeout),
        }
    }

    /// Ends instances as soon as they have nothing to do, and starts none any more.
    pub(super) fn close(&self) {
        self.closed.cancel();
    }

    /// Takes an instance into use that has become ready.
    pub(super) fn add(self: &Arc<Self>, instance: &Arc<Instance>) {
        let mut state = self.lock();
        state.starting -= 1;
        let instance = Arc::clone(instance);
        state.ready.push(Load { instance, in_use: 0, idle_since: Instant::now(), is_doubtful: false });
        self.serve_waiting(&mut state);
    }

    /// Notes that an instance did not become ready; `is_failure` unless it was told to end.
    pub(super) fn note_not_started(self: &Arc<Self>, is_failure: bool) {
        let mut state = self.lock();
        state.starting -= 1;
        self.note_end(&mut state, is_failure);
    }

    /// Gives no more requests to an instance that has ended by itself, or has to.
    pub(super) fn remove(self: &Arc<Self>, instance: &Arc<Instance>, has_crashed: bool) {
        let mut state = self.lock();
        state.ready.retain(|load| !Arc::ptr_eq(&load.instance, instance));
        self.note_end(&mut state, has_crashed && !instance.has_answered());
    }

    /// Gives no more requests to an instance that is not needed any more, or tells when to ask again.
    pub(super) fn remove_if_idle(&self, instance: &Arc<Instance>) -> Option<Duration> {
        let limit = self.settings.idle_timeout;
        let mut state = self.lock();
        let position = state.ready.iter().position(|load| Arc::ptr_eq(&load.instance, instance))?;
        let load = state.ready.get(position)?;
        if load.in_use > 0 {
            return Some(limit);
        }
        let left = limit.saturating_sub(load.idle_since.elapsed());
        if !left.is_zero() && !self.closed.is_cancelled() {
            return Some(left);
        }
        state.ready.remove(position);
        None
    }

    pub(super) fn release(self: &Arc<Self>, instance: &Arc<Instance>) {
        let mut state = self.lock();
        if state.give_back(instance) == Some(0) && self.closed.is_cancelled() {
            instance.wake();
        }
        self.serve_waiting(&mut state);
    }

    /// Gives no more requests to an instance until it has been seen that it lives. It is called before the
    /// request that met a closed connection frees its place, so that a process that was killed costs no
    /// more requests than it had room for.
    pub(super) fn doubt(&self, instance: &Arc<Instance>) {
        if let Some(load) = self.lock().load(instance) {
            load.is_doubtful = true;
            instance.wake();
        }
    }

    pub(super) fn is_doubtful(&self, instance: &Arc<Instance>) -> bool {
        self.lock().load(instance).is_some_and(|load| load.is_doubtful)
    }

    /// Gives requests to an instance again.
    pub(super) fn trust(self: &Arc<Self>, instance: &Arc<Instance>) {
        let mut state = self.lock();
        if let Some(load) = state.load(instance) {
            load.is_doubtful = false;
        }
        self.serve_waiting(&mut state);
    }

    /// Notes that the function works: an instance has answered its first request.
    pub(super) fn note_success(&self) {
        self.lock().back_off.succeed();
    }

    /// How they fare now.
    pub(super) fn state_now(&self) -> ProcessState {
        let metrics = &self.metrics;
        let state = self.lock();
        let instances = state.ready.iter().map(|load| InstanceState {
            port: load.instance.port(),
            requests: load.in_use,
            idle: (load.in_use == 0).then(|| load.idle_since.elapsed()),
        });
        ProcessState {
            instances: instances.collect(),
            starting: state.starting,
            waiting: state.waiting.iter().filter(|waiting| !waiting.is_closed()).count(),
            retry_after: state.back_off.remaining(Instant::now()),
            cold_starts: metrics.starts.get(),
            start_failures: metrics.start_failures.get(),
            crashes: metrics.crashes.get(),
            last_end: self.recent.last_end(),
        }
    }

    fn note_end(self: &Arc<Self>, state: &mut State, is_failure: bool) {
        let now = Instant::now();
        if is_failure {
            state.back_off.fail(now);
        }
        if let Some(retry_after) = state.hopeless_for(now) {
            for waiting in state.waiting.drain(..) {
                // Who does not wait any more need not know.
                let _ = waiting.send(Err(NoInstance::NotStarted { retry_after }));
            }
        }
        self.start_enough(state);
    }

    /// Why a request is not even let wait.
    fn refusal(&self, state: &State) -> Result<(), NoInstance> {
        if self.supervisor.stopped().is_cancelled() {
            return Err(NoInstance::Stopping);
        }
        if let Some(retry_after) = state.hopeless_for(Instant::now()) {
            return Err(NoInstance::NotStarted { retry_after });
        }
        if state.waiting.len() >= self.settings.max_waiting_requests {
            return Err(NoInstance::TooManyWaiting);
        }
        Ok(())
    }

    /// Gives free places to those who wait.
    fn serve_waiting(self: &Arc<Self>, state: &mut State) {
        while let Some(waiting) = state.waiting.pop_front() {
            let Some(instance) = state.take_place(self.settings.instance_concurrency) else {
                state.waiting.push_front(waiting);
                break;
            };
            if let Err(Ok(unsent)) = waiting.send(Ok(Place::new(Arc::clone(self), instance))) {
                // Not dropped, which would wait for the lock that is held here.
                state.give_back(&unsent.abandon());
            }
        }
        self.start_enough(state);
    }

    /// Starts as many instances as those who wait need, within the bounds.
    fn start_enough(self: &Arc<Self>, state: &mut State) {
        let may_start = !state.waiting.is_empty()
            && !self.supervisor.stopped().is_cancelled()
            && state.back_off.remaining(Instant::now()).is_none();
        if !may_start {
            return;
        }
        let most = if state.back_off.is_trying() { 1 } else { self.settings.max_instances };
        while state.starting * self.settings.instance_concurrency < state.waiting.len()
            && state.starting < most
            && state.ready.len() + state.starting < self.settings.max_instances
        {
            state.starting += 1;
            self.supervisor.spawn(&self.runtime, instance::live(Arc::clone(self)));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// How long nobody needs to wait for a place, as there is no instance and none will be started.
    fn hopeless_for(&self, now: Instant) -> Option<Duration> {
        self.back_off.remaining(now).filter(|_| self.ready.is_empty() && self.starting == 0)
    }

    fn load(&mut self, instance: &Arc<Instance>) -> Option<&mut Load> {
        self.ready.iter_mut().find(|load| Arc::ptr_eq(&load.instance, instance))
    }

    fn take_place(&mut self, concurrency: usize) -> Option<Arc<Instance>> {
        // Of equals the oldest, so that the others become idle.
        let trusted = self.ready.iter_mut().filter(|load| !load.is_doubtful);
        let load = trusted.min_by_key(|load| load.in_use)?;
        (load.in_use < concurrency).then(|| {
            load.in_use += 1;
            Arc::clone(&load.instance)
        })
    }

    /// Frees a place, and tells how many are still taken unless the instance has ended meanwhile.
    fn give_back(&mut self, instance: &Arc<Instance>) -> Option<usize> {
        let load = self.load(instance)?;
        load.in_use -= 1;
        if load.in_use == 0 {
            load.idle_since = Instant::now();
        }
        Some(load.in_use)
    }
}

/// A request that waits, in the metric.
struct Counted<'a>(&'a FunctionMetrics);

impl<'a> Counted<'a> {
    fn new(metrics: &'a FunctionMetrics) -> Self {
        metrics.waiting.inc();
        Self(metrics)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.waiting.dec();
    }
}
