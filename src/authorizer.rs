//! `claimgate authorizer`: logs users in and issues tokens.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use claimgate_authorizer::{Configuration, RotateError, StartError};
use claimgate_config::Problems;
use claimgate_login::password::{Parameters, PasswordHash};
use clap::{Args, Subcommand};

use crate::failure::{Failure, exit_code};
use crate::{complain, complain_of, files, password};

/// What the authorizer is to do; without a command it serves.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// The authorizer's configuration file, YAML or JSON
    #[arg(long, value_name = "FILE", required = true)]
    config: Option<PathBuf>,
}

impl Arguments {
    /// Whether it serves, and is no command.
    pub fn serves(&self) -> bool {
        self.command.is_none()
    }
}

#[derive(Subcommand)]
enum Command {
    /// Check a configuration and its file of users: exit code 0 good, 1 bad, 2 not readable
    Check {
        /// The authorizer's configuration file, YAML or JSON
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Print the Argon2id hash of a password, which is asked for or read from standard input
    Hash(HashArguments),
    /// Make a key that is published at once and signs after keys.publishAheadSeconds; remove old ones
    Rotate {
        /// The authorizer's configuration file, YAML or JSON
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Sign at once, as after a disclosure: tokens are refused until gateways fetch the new key
        #[arg(long)]
        now: bool,
    },
}

#[derive(Args)]
struct HashArguments {
    /// Memory in KiB
    #[arg(long, value_name = "KIB", default_value_t = Parameters::default().memory_kib)]
    memory_kib: u32,
    /// Passes over the memory
    #[arg(long, value_name = "N", default_value_t = Parameters::default().iterations)]
    iterations: u32,
    /// Lanes
    #[arg(long, value_name = "N", default_value_t = Parameters::default().parallelism)]
    parallelism: u32,
}

/// Runs a command, or serves.
pub fn run(arguments: Arguments) -> ExitCode {
    match (arguments.command, arguments.config) {
        (Some(Command::Hash(arguments)), _) => exit_code(hash(&arguments)),
        (Some(Command::Check { config }), _) => {
            with(&config, |loaded, warnings| check(&config, &loaded, &warnings))
        }
        (Some(Command::Rotate { config, now }), _) => {
            with(&config, |loaded, _| exit_code(rotate(&loaded, now)))
        }
        (None, Some(config)) => with(&config, serve),
        (None, None) => exit_code(Err(Failure::unusable("name the configuration with --config FILE"))),
    }
}

fn with(config: &Path, work: impl FnOnce(Configuration, Problems) -> ExitCode) -> ExitCode {
    match Configuration::load(config) {
        Ok((configuration, warnings)) => work(configuration, warnings),
        Err(problems) => refuse(&problems),
    }
}

fn refuse(problems: &Problems) -> ExitCode {
    complain_of(problems);
    // A problem of the whole file is that it cannot be read.
    let is_unreadable = problems.list.iter().any(|problem| problem.line == 0);
    ExitCode::from(if is_unreadable { 2 } else { 1 })
}

fn serve(configuration: Configuration, warnings: Problems) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit_code(Err(Failure::Unusable(format!("cannot start: {error}")))),
    };
    let served = runtime.block_on(claimgate_authorizer::serve(configuration, &warnings));
    // A password that is being hashed for a client that was cut off is waited for by nobody.
    runtime.shutdown_background();
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(StartError::Users(problems)) => refuse(&problems),
        Err(error) => exit_code(Err(Failure::Refused(error.to_string()))),
    }
}

fn check(config: &Path, configuration: &Configuration, warnings: &Problems) -> ExitCode {
    complain_of(warnings);
    match configuration.check_users() {
        Ok(warnings) => {
            complain_of(&warnings);
            complain(&format!("{}: the configuration is good\n", config.display()));
            ExitCode::SUCCESS
        }
        Err(problems) => refuse(&problems),
    }
}

fn rotate(configuration: &Configuration, at_once: bool) -> Result<(), Failure> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_err(Failure::unusable)?;
    let rotated =
        claimgate_authorizer::rotate(&configuration.keys, now, at_once).map_err(|error| match error {
            RotateError::Folder { .. } => Failure::unusable(error),
            _ => Failure::Refused(error.to_string()),
        })?;
    for warning in &rotated.warnings {
        complain(&format!("claimgate: {warning}\n"));
    }
    let mut told = format!("{} is published and signs ", rotated.key_id);
    told += &match rotated.signs_in.as_secs() {
        0 => "from now on\n".to_owned(),
        seconds => format!("in {seconds} s\n"),
    };
    for file in &rotated.removed {
        told += &format!("{} is removed, as its last token has expired\n", file.display());
    }
    files::print(told.as_bytes())
}

fn hash(arguments: &HashArguments) -> Result<(), Failure> {
    let &HashArguments { memory_kib, iterations, parallelism } = arguments;
    let parameters = Parameters { memory_kib, iterations, parallelism };
    // Before anybody types in vain.
    PasswordHash::of_nobody(parameters).map_err(Failure::unusable)?;
    let password = password::read()?;
    let hash = PasswordHash::of(&password, parameters).and_then(|hash| hash.to_phc());
    files::print(format!("{}\n", hash.map_err(Failure::unusable)?).as_bytes())
}
