//! Whether this machine has what a process needs.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use claimgate_config::snapshot::{Function, ProcessSettings};

use super::child::program;
use super::user::User;

/// What would keep the processes of a configuration from running on this machine, a line each.
pub fn warnings(functions: &HashMap<String, Arc<Function>>) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, settings) in super::processes(functions) {
        if let Some(trouble) = trouble(settings) {
            lines.push(format!("the function {name}: {trouble}"));
        }
        if let Some(Err(error)) = settings.user.as_deref().map(User::may_run_as) {
            lines.push(format!("the function {name}: process.user: {error}"));
        }
    }
    lines.sort_unstable();
    lines
}

/// Why a command cannot be run, as far as that can be seen.
pub(super) fn trouble(settings: &ProcessSettings) -> Option<String> {
    if !settings.cwd.is_dir() {
        return Some(format!("process.cwd: there is no folder {}", settings.cwd.display()));
    }
    let program = program(settings);
    if program.components().count() > 1 {
        return (!is_program(&program))
            .then(|| format!("process.command: {} is no file that can be run", program.display()));
    }
    let path = match settings.env.0.get("PATH") {
        Some(path) => path.into(),
        None => std::env::var_os("PATH").unwrap_or_default(),
    };
    let is_there =
        std::env::split_paths(&path).any(|folder| is_program(&settings.cwd.join(folder).join(&program)));
    (!is_there).then(|| format!("process.command: there is no {} in the folders of PATH", program.display()))
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}
