//! Whether this machine has what a process needs.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use claimgate_config::snapshot::{Function, ProcessSettings};

use super::user::User;

/// What would keep the processes of a configuration from running on this machine, a line each.
pub fn warnings(functions: &HashMap<String, Arc<Function>>) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, settings) in super::processes(functions) {
        for trouble in [trouble(settings), out_of_reach(settings)] {
            lines.extend(trouble.map(|trouble| format!("the function {name}: {trouble}")));
        }
        if let Some(Err(error)) = settings.user.as_deref().map(User::may_run_as) {
            lines.push(format!("the function {name}: process.user: {error}"));
        }
    }
    lines.sort_unstable();
    lines
}

/// What to know of processes of this gateway when it runs as root, a line each.
pub fn warnings_as_root(functions: &HashMap<String, Arc<Function>>) -> Vec<String> {
    if !rustix::process::geteuid().is_root() {
        return Vec::new();
    }
    let without_user = super::processes(functions).filter(|(_, settings)| settings.user.is_none());
    let mut lines: Vec<_> = without_user
        .map(|(name, _)| {
            format!(
                "the function {name}: process.user is not set and the gateway runs as root, so the function runs as \
                 root and can read every file of root, such as the key of the store; set process.user to another user"
            )
        })
        .collect();
    lines.sort_unstable();
    lines
}

/// Why a command cannot be run, as far as that can be seen.
pub(super) fn trouble(settings: &ProcessSettings) -> Option<String> {
    if let Some(cwd) = settings.cwd.as_ref().filter(|cwd| !cwd.is_dir()) {
        return Some(format!("process.cwd: there is no folder {}", cwd.display()));
    }
    let program = settings.program();
    if program.components().count() > 1 {
        return (!is_program(&program))
            .then(|| format!("process.command: {} is no file that can be run", program.display()));
    }
    let path = match settings.env.0.get("PATH") {
        Some(path) => path.into(),
        None => std::env::var_os("PATH").unwrap_or_default(),
    };
    let base = settings.cwd.as_ref().unwrap_or(&settings.folder);
    let is_there = std::env::split_paths(&path).any(|folder| is_program(&base.join(folder).join(&program)));
    (!is_there).then(|| format!("process.command: there is no {} in the folders of PATH", program.display()))
}

/// A file of the configuration's folder that an argument names, where the process works in another.
fn out_of_reach(settings: &ProcessSettings) -> Option<String> {
    if settings.cwd.is_some() {
        return None;
    }
    let names_file = |argument: &&String| {
        let path = Path::new(argument.as_str());
        path.is_relative() && !argument.is_empty() && settings.folder.join(path).is_file()
    };
    let argument = settings.command.iter().skip(1).find(names_file)?;
    Some(format!(
        "process.command: {argument} is a file in {}, but without process.cwd the function works in an empty \
         folder of its own; set process.cwd to the folder of its files",
        settings.folder.display()
    ))
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}
