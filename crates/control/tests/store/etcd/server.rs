//! An etcd of the test's own, on sockets in a folder of the test's own.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::support::until;

pub struct Server {
    folder: TempDir,
    options: Vec<String>,
    process: Child,
}

impl Server {
    pub async fn start() -> Self {
        Self::start_with(tempfile::tempdir().unwrap(), &["--listen-client-urls=unix://client:0"]).await
    }

    /// Starts it with options that name files in a folder.
    pub async fn start_with(folder: TempDir, options: &[&str]) -> Self {
        let options: Vec<_> = options.iter().map(|option| (*option).to_owned()).collect();
        let process = spawn(folder.path(), &options);
        let server = Self { folder, options, process };
        server.until_ready().await;
        server
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where it listens.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("client:0")
    }

    /// As a crash of its machine.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        // Left behind, it would have the next one not listen.
        for socket in ["client:0", "peer:0"] {
            let _ = std::fs::remove_file(self.folder.path().join(socket));
        }
    }

    /// Starts it again after it was killed.
    pub async fn restart(&mut self) {
        self.process = spawn(self.folder.path(), &self.options);
        self.until_ready().await;
    }

    /// As if its data were lost.
    pub fn forget(&self) {
        std::fs::remove_dir_all(self.folder.path().join("data")).unwrap();
    }

    pub fn stop(&self) {
        self.signal(Signal::STOP);
    }

    pub fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    /// Runs `etcdctl` against it, and gives what it prints.
    pub fn control(&self, arguments: &[&str]) -> Result<String, String> {
        let scheme =
            if self.options.iter().any(|option| option.contains("unixs:")) { "unixs" } else { "unix" };
        let output = Command::new("etcdctl")
            .current_dir(self.folder.path())
            .env("ETCDCTL_API", "3")
            .arg(format!("--endpoints={scheme}://client:0"))
            .args(arguments)
            .output()
            .expect("etcdctl is needed: apt-get install etcd-client");
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// Forgets all revisions before this one.
    pub fn compact(&self, revision: u64) {
        self.control(&["compaction", &revision.to_string()]).unwrap();
    }

    async fn until_ready(&self) {
        // It is ready when it has a leader, which is itself.
        let log = self.folder.path().join("log");
        until("etcd is ready", || async {
            std::fs::read_to_string(&log).is_ok_and(|log| log.contains("ready to serve client requests"))
        })
        .await;
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(folder: &Path, options: &[String]) -> Child {
    let log = File::create(folder.join("log")).unwrap();
    Command::new("etcd")
        .current_dir(folder)
        .args(["--data-dir=data", "--log-outputs=stderr", "--listen-peer-urls=unix://peer:0"])
        // Nobody asks there; they only have to agree.
        .args([
            "--advertise-client-urls=http://localhost:1",
            "--initial-advertise-peer-urls=http://localhost:2",
        ])
        .arg("--initial-cluster=default=http://localhost:2")
        .args(options)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("etcd is needed: apt-get install etcd-server")
}
