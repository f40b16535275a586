//! Another version of the program takes over, and no connection is refused meanwhile: it is started with the
//! listening sockets, and the process that runs goes on until the new one says that it serves.

use std::env;
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram as StdDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use command_fds::{CommandFdExt, FdMapping};
use tokio::net::UnixDatagram;
use tokio::process::{Child, Command};

use super::listeners::Named;
use crate::private;

/// The name of the socket on which a new process says that it serves.
pub const PREDECESSOR: &str = "claimgate-upgrade";

/// All that is said on it.
const READY: &[u8] = b"ready";

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
            // Both would name this process. Where they are missing, they mean whoever reads them.
            .env_remove("LISTEN_PID")
            .env_remove("WATCHDOG_PID");
        private::pass_on(&mut command).context("cannot pass the environment on")?;
        let numbered = (FIRST_SOCKET..).zip(files);
        command
            .fd_mappings(numbered.map(|(child_fd, parent_fd)| FdMapping { parent_fd, child_fd }).collect())?;
        let process = command.spawn().with_context(|| format!("cannot run {}", self.program.display()))?;
        Ok(Successor { process, reports: UnixDatagram::from_std(ours)?, serves: false })
    }
}

/// A process that is about to take over. It ends with this unless it serves.
#[derive(Debug)]
pub struct Successor {
    process: Child,
    reports: UnixDatagram,
    serves: bool,
}

impl Successor {
    /// Waits until it serves, and gives its number.
    pub async fn serves(&mut self) -> anyhow::Result<u32> {
        let mut report = [0; READY.len()];
        let pid = self.process.id().unwrap_or_default();
        tokio::select! {
            received = self.reports.recv(&mut report) => {
                received.context("cannot hear from the new process")?;
                self.serves = true;
                Ok(pid)
            }
            status = self.process.wait() => bail!("the new process ended before it served: {}", status?),
            () = tokio::time::sleep(PATIENCE) => {
                bail!("the new process does not serve within {} s", PATIENCE.as_secs())
            }
        }
    }
}

impl Drop for Successor {
    fn drop(&mut self) {
        if !self.serves {
            // It may have ended already.
            let _ = self.process.start_kill();
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
