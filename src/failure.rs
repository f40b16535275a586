//! How a command ends that does not give what it was asked for.

use std::fmt::{self, Display};
use std::path::Path;
use std::process::ExitCode;

use claimgate_config::{Loaded, Problems, Severity};

use crate::complain;

/// Why a command does not give what it was asked for.
#[derive(Debug)]
pub enum Failure {
    /// What it was to work on is refused: exit code 1.
    Refused(String),
    /// Wrong usage, or a file that cannot be read, written or used: exit code 2.
    Unusable(String),
}

impl Failure {
    /// Wrong usage, or a file that cannot be read, written or used: exit code 2.
    pub fn unusable(why: impl Display) -> Self {
        Self::Unusable(why.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Refused(why) | Self::Unusable(why)) = self;
        f.write_str(why)
    }
}

/// Loads a configuration that a command works with.
pub fn load_configuration(file: &Path) -> Result<Loaded, Failure> {
    claimgate_config::load_file(file).map_err(|problems| first_of(&problems))
}

/// The first error of a configuration, in one line.
fn first_of(problems: &Problems) -> Failure {
    let errors = || problems.list.iter().filter(|problem| problem.severity == Severity::Error);
    let list = errors().take(1).cloned().collect();
    let first = Problems { file: problems.file.clone(), list };
    match errors().count() {
        0 | 1 => Failure::unusable(first),
        count => Failure::Unusable(format!("{first} (and {} more; `claimgate check` shows all)", count - 1)),
    }
}

/// The exit code of a command; a failure goes to standard error in one line.
pub fn exit_code(result: Result<(), Failure>) -> ExitCode {
    let (why, code) = match result {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Refused(why)) => (why, 1),
        Err(Failure::Unusable(why)) => (why, 2),
    };
    complain(&format!("claimgate: {why}\n"));
    ExitCode::from(code)
}
