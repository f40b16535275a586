//! `claimgate store`: copies of a gateway's database.

use std::path::{Path, PathBuf};

use claimgate_config::snapshot::StoreSettings;
use claimgate_control::store::{self, StoreError};
use clap::Subcommand;

use crate::failure::{self, Failure};
use crate::{files, runtime};

/// What is done with the store.
#[derive(Subcommand)]
pub enum Command {
    /// Copy the database, which may be in use, to a new file; keep the store's key elsewhere
    Backup {
        /// The configuration file, YAML or JSON
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// The file to make
        to: PathBuf,
    },
    /// Make the database of a backup, where there is none; the store's key has to be there
    Restore {
        /// The configuration file, YAML or JSON
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// The backup
        from: PathBuf,
    },
}

/// Does what a command asks for.
pub fn run(command: Command) -> Result<(), Failure> {
    let (result, done) = match command {
        Command::Backup { config, to } => {
            let settings = settings(&config)?;
            (runtime::block_on(store::backup(&settings, &to)), format!("{} made\n", to.display()))
        }
        Command::Restore { config, from } => {
            let settings = settings(&config)?;
            (runtime::block_on(store::restore(&settings, &from)), "the database is restored\n".to_owned())
        }
    };
    let result: Result<(), StoreError> =
        result.map_err(|error| Failure::Unusable(format!("cannot start: {error}")))?;
    result.map_err(Failure::unusable)?;
    files::print(done.as_bytes())
}

fn settings(config: &Path) -> Result<StoreSettings, Failure> {
    let snapshot = failure::load_configuration(config)?.snapshot;
    snapshot.store.ok_or_else(|| Failure::Unusable(format!("{}: there is no store in it", config.display())))
}
