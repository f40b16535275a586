//! A process and the group that it leads.

use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, geteuid, kill_process_group, test_kill_process_group};
use tokio::process::Command;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::environment;
use super::instances::Instances;
use super::machine;
use super::output::{self, Source};

/// How often it is looked whether a group has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How long the last lines of an ended process are waited for: a process that has left the group may hold
/// its output open.
const LAST_LINES: Duration = Duration::from_millis(500);

/// A process, its group, and its output on the way to the log.
#[derive(Debug)]
pub(super) struct Child {
    process: tokio::process::Child,
    group: Option<Pid>,
    output: Vec<JoinHandle<()>>,
}

impl Child {
    /// Starts a process in a group of its own: signals to the gateway's group, as Ctrl-C in a terminal sends
    /// them, do not reach it.
    ///
    /// # Errors
    /// Why it cannot be started, in words.
    pub(super) fn start(instances: &Instances, id: &str, port: u16) -> Result<Self, String> {
        let settings = &instances.settings;
        let user = instances.user.as_ref().filter(|_| geteuid().is_root());
        let cwd = match &settings.cwd {
            Some(cwd) => cwd.clone(),
            None => instances.supervisor.folders().of(&instances.function, user).map_err(|error| {
                format!("its folder cannot be made: {error}; set process.cwd to give it another")
            })?,
        };
        let mut command = Command::new(settings.program());
        command
            .args(settings.command.iter().skip(1))
            .current_dir(cwd)
            .env_clear()
            .envs(environment::of(instances, id, port))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        if let Some(user) = user {
            // The gateway's other groups are dropped with its user.
            command.gid(user.gid).uid(user.uid);
        }
        let mut process = command.spawn().map_err(|error| {
            machine::trouble(settings).unwrap_or_else(|| format!("it cannot be run: {error}"))
        })?;
        let group = process.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let source = Source {
            function: instances.function.clone(),
            instance: id.to_owned(),
            recent: Arc::clone(&instances.recent),
            limit: Arc::clone(&instances.output),
        };
        let mut output = Vec::new();
        if let Some(stream) = process.stdout.take() {
            output.push(tokio::spawn(output::log(stream, "stdout", source.clone())));
        }
        if let Some(stream) = process.stderr.take() {
            output.push(tokio::spawn(output::log(stream, "stderr", source)));
        }
        Ok(Self { process, group, output })
    }

    /// Its number, as long as it has not ended.
    pub(super) fn pid(&self) -> Option<u32> {
        self.process.id()
    }

    /// Whether the process has begun to end. Its connections close only after that, and its listener may do
    /// so after them.
    pub(super) fn is_ending(&self) -> bool {
        /// `PF_EXITING` of the kernel's `include/linux/sched.h`.
        const EXITING: u32 = 4;
        let Some(pid) = self.pid() else {
            return true;
        };
        // proc_pid_stat(5): the name may hold anything; the flags are the seventh field behind it.
        let line = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields = line.rsplit_once(')').map_or("", |(_, fields)| fields);
        let flags = fields.split_whitespace().nth(6).and_then(|flags| flags.parse::<u32>().ok());
        flags.is_some_and(|flags| flags & EXITING != 0)
    }

    /// Waits until the process itself has ended; others of its group may be left.
    pub(super) async fn ended(&mut self) -> ExitStatus {
        match self.process.wait().await {
            Ok(status) => status,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "cannot wait for a process");
                std::future::pending().await
            }
        }
    }

    /// Asks the whole group to end, and ends what is left of it after a time.
    pub(super) async fn terminate(mut self, grace: Duration) {
        self.signal(Signal::TERM);
        let ended = async {
            let _ = self.process.wait().await;
            // The group's number is nobody else's as long as one process of it is left.
            while self.group.is_some_and(|group| test_kill_process_group(group) != Err(Errno::SRCH)) {
                sleep(LOOK_AGAIN).await;
            }
        };
        if timeout(grace, ended).await.is_err() {
            self.signal(Signal::KILL);
        }
        self.end().await;
    }

    /// Ends what is left of the group at once.
    pub(super) async fn kill(mut self) {
        self.signal(Signal::KILL);
        self.end().await;
    }

    async fn end(&mut self) {
        let _ = self.process.wait().await;
        for mut output in self.output.drain(..) {
            if timeout(LAST_LINES, &mut output).await.is_err() {
                output.abort();
            }
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // A group that has ended needs none.
            let _ = kill_process_group(group, signal);
        }
    }
}
