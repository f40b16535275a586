//! `claimgate access-key`: keys that requests to the API are signed with, in the store of a configuration.

use std::path::PathBuf;

use claimgate_config::snapshot::Role;
use claimgate_control::access_keys::{self, AccessKeyError};
use claimgate_control::store::Store;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;

use crate::failure::{Failure, load_configuration};
use crate::{files, runtime};

/// What is done with access keys.
#[derive(Subcommand)]
pub enum Command {
    /// Make a key and print it as JSON; its secret is shown this once
    Create {
        #[command(flatten)]
        configuration: Configuration,
        /// What the key is called where changes are told
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// What its holder may do
        #[arg(long, value_enum, default_value = "editor")]
        role: RoleName,
    },
    /// Print all keys of the store as JSON, without their secrets
    List {
        #[command(flatten)]
        configuration: Configuration,
    },
    /// Refuse requests that are signed with a key, from now on
    Disable(Chosen),
    /// Take requests again that are signed with a disabled key
    Enable(Chosen),
    /// Delete a key for good
    Delete(Chosen),
}

#[derive(Args)]
pub struct Configuration {
    /// The configuration file, YAML or JSON; it says where the store is
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

#[derive(Args)]
pub struct Chosen {
    #[command(flatten)]
    configuration: Configuration,
    /// The accessKeyId
    #[arg(value_name = "ID")]
    id: String,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum RoleName {
    /// May read, but no secrets
    Viewer,
    /// May change documents, except for functions that are processes, or at a unix socket or link-local address
    Editor,
    /// May store those too, as far as control.allow does
    Admin,
}

/// Does it.
pub fn run(command: Command) -> Result<(), Failure> {
    runtime::block_on(execute(command)).map_err(Failure::unusable)?
}

async fn execute(command: Command) -> Result<(), Failure> {
    match command {
        Command::Create { configuration, name, role } => {
            let store = configuration.store().await?;
            let role = match role {
                RoleName::Viewer => Role::Viewer,
                RoleName::Editor => Role::Editor,
                RoleName::Admin => Role::Admin,
            };
            let key = access_keys::create(&store, name.as_deref(), role).await.map_err(failure)?;
            print(serde_json::to_value(&key))
        }
        Command::List { configuration } => {
            let store = configuration.store().await?;
            print(serde_json::to_value(access_keys::list(&store).await.map_err(failure)?))
        }
        Command::Disable(Chosen { configuration, id }) => {
            access_keys::set_disabled(&configuration.store().await?, &id, true).await.map_err(failure)
        }
        Command::Enable(Chosen { configuration, id }) => {
            access_keys::set_disabled(&configuration.store().await?, &id, false).await.map_err(failure)
        }
        Command::Delete(Chosen { configuration, id }) => {
            access_keys::delete(&configuration.store().await?, &id).await.map_err(failure)
        }
    }
}

impl Configuration {
    /// Opens the store, which is made when it is a database that is not there yet.
    async fn store(&self) -> Result<Store, Failure> {
        let loaded = load_configuration(&self.config)?;
        let settings = loaded.snapshot.store.ok_or_else(|| {
            let file = self.config.display();
            Failure::unusable(format!(
                "{file} has no store to keep access keys in; add store: {{sqlite: ./claimgate.db}}, or declare \
                 keys in admin.accessKeys"
            ))
        })?;
        Store::open(&settings).await.map_err(Failure::unusable)
    }
}

fn failure(error: AccessKeyError) -> Failure {
    match error {
        AccessKeyError::NotFound(_) | AccessKeyError::Changed => Failure::Refused(error.to_string()),
        AccessKeyError::NoRandomness | AccessKeyError::Store(_) => Failure::unusable(error),
    }
}

fn print(json: serde_json::Result<Value>) -> Result<(), Failure> {
    let json = json.map_err(Failure::unusable)?;
    files::print(format!("{json:#}\n").as_bytes())
}
