//! `claimgate store`: backs up the database of a gateway, and restores it.

use std::path::{Path, PathBuf};

use claimgate_config::snapshot::StoreSettings;
use claimgate_control::store::{StoreError, backup, key_name, restore};
use clap::{Args, Subcommand};

use crate::failure::{Failure, load_configuration};
use crate::{complain, runtime};

/// What to do with the store.
#[derive(Subcommand)]
pub enum Command {
    /// Copy the database, which may be in use, to a new file
    Backup(Backup),
    /// Make the database, which must not be there, of a backup; exit code 1 when its key is another one
    Restore(Restore),
}

/// Options of `backup`.
#[derive(Args)]
pub struct Backup {
    /// The configuration file that names the store
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The file to make; nothing is overwritten
    #[arg(value_name = "BACKUP")]
    to: PathBuf,
}

/// Options of `restore`.
#[derive(Args)]
pub struct Restore {
    /// The configuration file that names the store
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// What `claimgate store backup` made
    #[arg(value_name = "BACKUP")]
    from: PathBuf,
}

/// Does it.
pub fn run(command: Command) -> Result<(), Failure> {
    let done = runtime::block_on(async {
        match command {
            Command::Backup(Backup { config, to }) => {
                let settings = settings(&config)?;
                backup(&settings, &to).await.map_err(failure)?;
                let (to, key) = (to.display(), key_name(&settings));
                complain(&format!(
                    "claimgate: {to} is encrypted with {key}; keep that too, and not in the same place\n"
                ));
            }
            Command::Restore(Restore { config, from }) => {
                restore(&settings(&config)?, &from).await.map_err(failure)?;
            }
        }
        Ok(())
    });
    done.map_err(|error| Failure::unusable(format!("cannot start: {error}")))?
}

fn settings(config: &Path) -> Result<StoreSettings, Failure> {
    let store = load_configuration(config)?.snapshot.store;
    store.ok_or_else(|| Failure::unusable(format!("{} has no store", config.display())))
}

fn failure(error: StoreError) -> Failure {
    match error {
        StoreError::WrongKey(_) => Failure::Refused(error.to_string()),
        error => Failure::unusable(error),
    }
}
