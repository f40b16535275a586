//! Another version of the program takes over, and no connection is refused meanwhile: it is started with the
//! listening sockets, and the process that runs goes on until the new one says that it serves.

use std::env;
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram as StdDatagram;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use command_fds::{CommandFdExt, FdMapping};
use listenfd::ListenFd;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio::net::UnixDatagram;
use tokio::process::{Child, Command};
use tokio::time::Instant;

use super::listeners::Named;
use crate::private;

/// The name of the socket on which a new process says that it serves.
pub const PREDECESSOR: &str = "claimgate-upgrade";

/// What is said on it when the new process serves.
const READY: &[u8] = b"ready";

/// What is said on it before the number of the process that takes over, by the one that has started it.
const STARTED: &[u8] = b"started ";

/// Tells a new process to start the one that takes over, and to exit. systemd supervises a main process only if it is
/// its child, and a process becomes its child when its parent exits.
const DETACH: &str = "CLAIMGATE_DETACH";

/// Between looks at whether the process that takes over is still there.
const LOOK: Duration = Duration::from_millis(200);

/// How long a new process may take until it serves; a configuration of 100,000 domains takes some seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// The first of the sockets that a process is handed over (`SD_LISTEN_FDS_START`).
const FIRST_SOCKET: i32 = 3;

/// The process that waits for this one to serve, if it was started to take over.
#[derive(Debug)]
pub struct Predecessor(pub Option<StdDatagram>);

impl Predecessor {
    /// Tells it that this process serves; nothing, and false, when there is none.
    pub fn relieve(self) -> bool {
        let Some(socket) = self.0 else {
            return false;
        };
        if let Err(error) = socket.send(READY) {
            tracing::warn!(%error, "the process that was to be replaced has ended already");
        }
        true
    }
}

/// What a new process is started with.
#[derive(Debug)]
pub struct Upgrade {
    program: PathBuf,
    arguments: Vec<OsString>,
    sockets: Vec<Named>,
}

impl Upgrade {
    /// Notes how this process was started. Later its file may be another.
    pub fn prepare(sockets: Vec<Named>) -> anyhow::Result<Self> {
        let program = installed_path().context("cannot find the program's own file")?;
        Ok(Self { program, arguments: env::args_os().skip(1).collect(), sockets })
    }

    /// Starts the program that is installed now.
    pub fn start(&self) -> anyhow::Result<Successor> {
        if std::process::id() == 1 {
            bail!("this process is the first of its container, which ends with it; replace the container");
        }
        let (ours, theirs) = StdDatagram::pair()?;
        ours.set_nonblocking(true)?;
        let mut names = vec![PREDECESSOR];
        let mut files = vec![OwnedFd::from(theirs)];
        for (name, socket) in &self.sockets {
            names.push(name);
            files.push(socket.try_clone()?);
        }
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env("LISTEN_FDS", files.len().to_string())
            .env("LISTEN_FDNAMES", names.join(":"))
            .env(DETACH, "1")
            // Both would name this process. Where they are missing, they mean whoever reads them.
            .env_remove("LISTEN_PID")
            .env_remove("WATCHDOG_PID");
        private::pass_on(&mut command).context("cannot pass the environment on")?;
        let numbered = (FIRST_SOCKET..).zip(files);
        command
            .fd_mappings(numbered.map(|(child_fd, parent_fd)| FdMapping { parent_fd, child_fd }).collect())?;
        let process = command.spawn().with_context(|| format!("cannot run {}", self.program.display()))?;
        Ok(Successor { process, detached: None, reports: UnixDatagram::from_std(ours)?, serves: false })
    }
}

/// Starts the process that takes over if [`DETACH`] is set; true when this process is to exit. No inherited socket may
/// have been taken before.
pub fn detach() -> anyhow::Result<bool> {
    if env::var_os(DETACH).is_none() {
        return Ok(false);
    }
    private::close();
    let mut arguments = env::args_os();
    let mut command = std::process::Command::new(env::current_exe()?);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    // It has the same descriptors, standard input with the variables that are passed on included.
    let started =
        command.args(arguments).env_remove(DETACH).spawn().context("cannot run the program again")?;
    let position = env::var("LISTEN_FDNAMES").unwrap_or_default();
    let position = position
        .split(':')
        .position(|name| name == PREDECESSOR)
        .context("no socket of the previous process was passed")?;
    let socket = ListenFd::from_env()
        .take_unix_datagram(position)?
        .context("no socket of the previous process was passed")?;
    socket.send(&[STARTED, started.id().to_string().as_bytes()].concat())?;
    Ok(true)
}

/// A process that is about to take over. It ends with this unless it serves.
#[derive(Debug)]
pub struct Successor {
    /// The one that was started.
    process: Child,
    /// The one that takes over, when the other has started it. A version that knows nothing of that takes over itself.
    detached: Option<Pid>,
    reports: UnixDatagram,
    serves: bool,
}

impl Successor {
    /// Waits until it serves, and gives its number.
    pub async fn serves(&mut self) -> anyhow::Result<u32> {
        let started = self.process.id().unwrap_or_default();
        let end = Instant::now() + PATIENCE;
        let mut has_ended = false;
        loop {
            let mut report = [0; 64];
            tokio::select! {
                // What was said before an end comes first.
                biased;
                received = self.reports.recv(&mut report) => {
                    let length = received.context("cannot hear from the new process")?;
                    match number_of_started(report.get(..length).unwrap_or_default()) {
                        Some(pid) => self.detached = Some(pid),
                        None => {
                            self.serves = true;
                            let detached = self.detached.and_then(|pid| pid.as_raw_nonzero().get().try_into().ok());
                            return Ok(detached.unwrap_or(started));
                        }
                    }
                }
                status = self.process.wait(), if !has_ended => {
                    let status = status?;
                    if self.detached.is_none() {
                        bail!("the new process ended before it served: {status}");
                    }
                    has_ended = true;
                }
                () = tokio::time::sleep(LOOK), if self.detached.is_some() => {
                    if self.detached.is_some_and(|pid| test_kill_process(pid).is_err()) {
                        bail!("the new process ended before it served");
                    }
                }
                () = tokio::time::sleep_until(end) => {
                    bail!("the new process does not serve within {} s", PATIENCE.as_secs())
                }
            }
        }
    }
}

fn number_of_started(report: &[u8]) -> Option<Pid> {
    let number = std::str::from_utf8(report.strip_prefix(STARTED)?).ok()?;
    Pid::from_raw(number.parse().ok()?)
}

impl Drop for Successor {
    fn drop(&mut self) {
        if !self.serves {
            // They may have ended already.
            let _ = self.process.start_kill();
            let _ = self.detached.map(|pid| kill_process(pid, Signal::KILL));
        }
    }
}

/// The path by which the program was started, so that a symbolic link may lead to another version next time;
/// where that is not known, the path of the file itself.
fn installed_path() -> std::io::Result<PathBuf> {
    let running = env::current_exe()?;
    let Some(name) = env::args_os().next() else {
        return Ok(running);
    };
    let name = Path::new(&name);
    let is_running = |path: &PathBuf| path.canonicalize().is_ok_and(|path| path == running);
    let named = if name.components().count() > 1 {
        std::path::absolute(name).ok().filter(is_running)
    } else {
        let folders = env::var_os("PATH").unwrap_or_default();
        env::split_paths(&folders).map(|folder| folder.join(name)).find(is_running)
    };
    Ok(named.unwrap_or(running))
}
