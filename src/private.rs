//! Keeps what a serving process knows from other processes of its user, such as the functions that it starts.
//!
//! The process is not dumpable (PR_SET_DUMPABLE of prctl(2)), so that only root can read its memory, its files
//! and its environment in `/proc`. Root reads them all the same, and so do backups and core files of other
//! programs that hold a copy: the environment that the process was started with is therefore replaced. The
//! kernel shows that environment from the process's first stack, which safe code cannot overwrite. So the
//! program runs itself again, under the same process id, with the harmless variables only. The others go there
//! through an unnamed file in memory.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use claimgate_config::environment;
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

/// Says that standard input holds the variables that are not in the environment.
const HANDED_OVER: &str = "CLAIMGATE_ENVIRONMENT";

/// Variables that stay in the environment: what the system's libraries and systemd need, and no secrets. All
/// others may be secrets.
const HARMLESS: [&str; 39] = [
    "CLAIMGATE_LOG",
    "COLORTERM",
    "CREDENTIALS_DIRECTORY",
    "CACHE_DIRECTORY",
    "CONFIGURATION_DIRECTORY",
    "HOME",
    "HOSTNAME",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "LANG",
    "LANGUAGE",
    "LISTEN_FDNAMES",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LISTEN_PIDFDID",
    "LOGNAME",
    "LOGS_DIRECTORY",
    "MAINPID",
    "MEMORY_PRESSURE_WATCH",
    "MEMORY_PRESSURE_WRITE",
    "NOTIFY_SOCKET",
    "NO_COLOR",
    "OTEL_SERVICE_NAME",
    "OLDPWD",
    "PATH",
    "PWD",
    "RUNTIME_DIRECTORY",
    "RUST_BACKTRACE",
    "RUST_LIB_BACKTRACE",
    "SHELL",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "STATE_DIRECTORY",
    "SYSTEMD_EXEC_PID",
    "TERM",
    "TMPDIR",
    "TZ",
    "USER",
    "WATCHDOG_USEC",
];

/// Beginnings of the names of others.
const HARMLESS_BEGINNINGS: [&[u8]; 5] = [b"GLIBC", b"LC_", b"LD_", b"MIMALLOC_", b"WATCHDOG_"];

/// Closes the process to others of its user. To be called first, while there is one thread; it may run the
/// program anew and not come back.
pub fn begin() {
    close();
    if let Err(error) = empty_environment() {
        tracing::warn!(%error, "root can read the variables that the process was started with");
    }
}

/// Closes the process to others of its user until it runs another program.
pub fn close() {
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "other processes of the gateway's user can read its memory");
    }
}

/// Has a successor take over the variables that are not in the environment.
///
/// # Errors
///
/// When there is no memory for them.
pub fn pass_on(command: &mut tokio::process::Command) -> io::Result<()> {
    let mut variables = environment::taken_out().peekable();
    if variables.peek().is_none() {
        command.stdin(Stdio::null()).env_remove(HANDED_OVER);
        return Ok(());
    }
    command.stdin(written(variables)?).env(HANDED_OVER, "stdin");
    Ok(())
}

fn empty_environment() -> io::Result<()> {
    if env::var_os(HANDED_OVER).is_some() {
        environment::note_taken_out(take_over()?);
        return Ok(());
    }
    let (kept, others): (Vec<_>, Vec<_>) = env::vars_os().partition(|(name, _)| is_harmless(name));
    if others.is_empty() {
        return Ok(());
    }
    let mut arguments = env::args_os();
    let mut command = Command::new(env::current_exe()?);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    command.args(arguments).env_clear().envs(kept).env(HANDED_OVER, "stdin");
    let others = others.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()));
    Err(command.stdin(written(others)?).exec())
}

fn is_harmless(name: &OsStr) -> bool {
    HARMLESS.iter().any(|harmless| name == *harmless)
        || HARMLESS_BEGINNINGS.iter().any(|beginning| name.as_bytes().starts_with(beginning))
}

/// An unnamed file in memory: `name=value` and a NUL for each variable, as the kernel has them.
fn written<'a>(variables: impl Iterator<Item = (&'a OsStr, &'a OsStr)>) -> io::Result<File> {
    let mut file = File::from(memfd_create("claimgate-environment", MemfdFlags::CLOEXEC)?);
    for (name, value) in variables {
        file.write_all(&[name.as_bytes(), b"=", value.as_bytes(), b"\0"].concat())?;
    }
    file.rewind()?;
    Ok(file)
}

/// Reads what was passed on, and empties the file, which stays open as standard input.
fn take_over() -> io::Result<BTreeMap<OsString, OsString>> {
    let mut file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut content = Vec::new();
    file.read_to_end(&mut content)?;
    file.set_len(0)?;
    Ok(read(&content))
}

fn read(content: &[u8]) -> BTreeMap<OsString, OsString> {
    let variable = |text: &[u8]| {
        let end = text.iter().position(|byte| *byte == b'=')?;
        let (name, value) = text.split_at(end);
        Some((OsString::from_vec(name.to_owned()), OsString::from_vec(value.get(1..)?.to_owned())))
    };
    content.split(|byte| *byte == 0).filter_map(variable).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn variables_come_back_as_they_were_written() {
        let variables = [("A", "1"), ("EMPTY", ""), ("LINES", "a\nb=c\n"), ("ä", "ö")];
        let pairs = variables.map(|(name, value)| (OsStr::new(name), OsStr::new(value)));
        let mut content = Vec::new();
        written(pairs.into_iter()).unwrap().read_to_end(&mut content).unwrap();
        let found = read(&content);
        let expected = variables.map(|(name, value)| (OsString::from(name), OsString::from(value)));
        assert_eq!(found, BTreeMap::from(expected));
        assert!(read(b"").is_empty());
    }

    #[test]
    fn what_is_not_known_to_be_harmless_is_taken_out() {
        for name in [
            "CLAIMGATE_STORE_KEY",
            "CLAIMGATE_ACCESS_KEY_SECRET",
            "OTEL_EXPORTER_OTLP_HEADERS",
            "PGPASSWORD",
            "path",
            "ANY",
        ] {
            assert!(!is_harmless(OsStr::new(name)), "{name}");
        }
        for name in
            ["PATH", "LC_ALL", "LISTEN_FDS", "NOTIFY_SOCKET", "CLAIMGATE_LOG", "LD_PRELOAD", "WATCHDOG_PID"]
        {
            assert!(is_harmless(OsStr::new(name)), "{name}");
        }
    }
}
