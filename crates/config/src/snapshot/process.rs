//! Functions that are processes of this machine, started on demand.
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// `process`: how a function's instances are started, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessSettings {
    /// The program and its arguments; never empty.
    pub command: Vec<String>,
    /// The folder that instances work in; `None` gives the function an empty one of its own.
    pub cwd: Option<PathBuf>,
    /// Where a relative path in [`command`](Self::command) begins when there is no `cwd`: the configuration
    /// file's folder.
    pub folder: PathBuf,
    /// What instances find in their environment beside what each one finds there.
    pub env: Environment,
    /// The port that the one instance listens on; `None` gives each instance a free one.
    pub port: Option<u16>,
    /// How many requests an instance works on at the same time.
    pub instance_concurrency: usize,
    /// How many instances there are at most, not counting those that are being stopped.
    pub max_instances: usize,
    /// How long an instance is kept without a request.
    pub idle_timeout: Duration,
    /// From an instance's start until it accepts connections.
    pub start_timeout: Duration,
    /// From SIGTERM to SIGKILL.
    pub stop_timeout: Duration,
    /// How long a request waits for room on an instance.
    pub wait_timeout: Duration,
    /// How many requests may wait at the same time.
    pub max_waiting_requests: usize,
    /// The user that instances run as, by name or number; `None` means the gateway's.
    pub user: Option<String>,
}

impl ProcessSettings {
    /// Takes a relative `cwd` as beginning at a folder.
    pub(crate) fn resolve_paths(&mut self, folder: &Path) {
        // A file that was named without a folder has the empty one, which no process can be started in.
        let absolute = |path: PathBuf| std::path::absolute(Path::new(".").join(&path)).unwrap_or(path);
        self.cwd = self.cwd.take().map(|cwd| absolute(folder.join(cwd)));
        self.folder = absolute(folder.to_owned());
    }

    /// The program to run: a name to find in the folders of `PATH`, or an absolute path.
    pub fn program(&self) -> PathBuf {
        let program = Path::new(self.command.first().map_or("", String::as_str));
        if program.components().count() > 1 {
            self.cwd.as_ref().unwrap_or(&self.folder).join(program)
        } else {
            program.to_owned()
        }
    }
}

/// Environment variables, by name.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment(pub BTreeMap<String, String>);

impl fmt::Debug for Environment {
    /// Without the values, which may be secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}
