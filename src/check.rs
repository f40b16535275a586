//! `claimgate check`: tells what is wrong with a configuration.

use std::path::Path;
use std::process::ExitCode;

use claimgate_remote_keys::Fetcher;

use crate::{complain, complain_of};

/// Checks a configuration file; prints every problem.
pub fn run(config: &Path) -> ExitCode {
    match claimgate_config::load_file(config) {
        Ok(loaded) => {
            complain_of(&loaded.warnings);
            if let Err(error) = Fetcher::new(&loaded.snapshot.gateway.remote_jwks) {
                complain(&format!("{}: error: {error}\n", config.display()));
                return ExitCode::FAILURE;
            }
            for warning in claimgate_functions::warnings(&loaded.snapshot.functions) {
                complain(&format!("{}: warning: {warning}\n", config.display()));
            }
            complain(&format!("{}: the configuration is good\n", config.display()));
            ExitCode::SUCCESS
        }
        Err(problems) => {
            complain_of(&problems);
            ExitCode::FAILURE
        }
    }
}
