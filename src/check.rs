//! `claimgate check`: says what is wrong with a configuration.

use std::path::Path;
use std::process::ExitCode;

use claimgate_config::{Severity, Snapshot};
use claimgate_control::catalog::Opened;
use claimgate_control::store::Store;
use claimgate_remote_keys::Fetcher;

use crate::{complain, complain_of, runtime};

/// Checks a configuration file, and on demand what is stored with it; prints every problem.
pub fn run(config: &Path, store: bool) -> ExitCode {
    let loaded = match claimgate_config::load_file(config) {
        Ok(loaded) => loaded,
        Err(problems) => {
            complain_of(&problems);
            return ExitCode::FAILURE;
        }
    };
    complain_of(&loaded.warnings);
    if let Err(error) = Fetcher::new(&loaded.snapshot.gateway.remote_jwks) {
        complain(&format!("{}: error: {error}\n", config.display()));
        return ExitCode::FAILURE;
    }
    for warning in claimgate_functions::warnings(&loaded.snapshot.functions) {
        complain(&format!("{}: warning: {warning}\n", config.display()));
    }
    if store && !check_store(config, loaded.snapshot) {
        return ExitCode::FAILURE;
    }
    complain(&format!("{}: the configuration is good\n", config.display()));
    ExitCode::SUCCESS
}

/// Checks what is stored; prints every problem, and gives whether all of it can be served.
fn check_store(config: &Path, declared: Snapshot) -> bool {
    let Some(settings) = declared.store.clone() else {
        complain(&format!(
            "{}: error: there is no store to check; set store.sqlite or store.etcd\n",
            config.display()
        ));
        return false;
    };
    let opened = runtime::block_on(async {
        match Store::open_to_read(&settings).await? {
            Some(store) => {
                Opened::read(declared, Some(store), None, claimgate_functions::can_run).await.map(Some)
            }
            None => Ok(None),
        }
    });
    let problems = match opened {
        Ok(Ok(opened)) => opened.map(|opened| opened.problems).unwrap_or_default(),
        Ok(Err(error)) => {
            complain(&format!("{}: error: {error}\n", config.display()));
            return false;
        }
        Err(error) => {
            complain(&format!("claimgate: cannot start: {error}\n"));
            return false;
        }
    };
    for problem in &problems {
        complain(&format!("{}/{}: {}\n", problem.kind.list(), problem.name, problem.problem));
    }
    problems.iter().all(|problem| problem.problem.severity != Severity::Error)
}
