//! How the processes of a function fare, for whoever looks at it now.

use std::sync::Arc;
use std::time::Duration;

use super::ProcessFunctions;
use super::recent::{InstanceEnd, OutputLine};

/// How the processes of a function fare.
#[derive(Debug, Clone)]
pub struct ProcessState {
    /// The instances that take requests.
    pub instances: Vec<InstanceState>,
    /// How many instances start.
    pub starting: usize,
    /// How many requests wait for an instance.
    pub waiting: usize,
    /// How long no instance is started, as the last ones failed.
    pub retry_after: Option<Duration>,
    /// How many instances were started since the gateway has started.
    pub cold_starts: u64,
    /// How many of them did not become ready.
    pub start_failures: u64,
    /// How many ended by themselves after that.
    pub crashes: u64,
    /// How the last instance ended.
    pub last_end: Option<InstanceEnd>,
}

/// An instance that takes requests.
#[derive(Debug, Clone, Copy)]
pub struct InstanceState {
    /// The port that it listens on.
    pub port: u16,
    /// How many requests it works on.
    pub requests: usize,
    /// How long it has had nothing to do.
    pub idle: Option<Duration>,
}

impl ProcessFunctions {
    /// How the processes of a function fare; `None` when it is no function of processes.
    pub fn state(&self, function: &str) -> Option<ProcessState> {
        self.by_name.get(function).map(|entry| entry.0.0.state_now())
    }

    /// What the processes of a function have printed last, the oldest line first.
    pub fn output(&self, function: &str) -> Vec<Arc<OutputLine>> {
        self.by_name.get(function).map(|entry| entry.0.0.recent.lines()).unwrap_or_default()
    }
}
