//! `claimgate store`: backs up the database of a gateway, restores it, puts a store right that lost its records,
//! and removes history.

use std::path::{Path, PathBuf};
use std::time::Duration;

use claimgate_config::DocumentKind;
use claimgate_config::snapshot::StoreSettings;
use claimgate_control::catalog::{Purge, accept};
use claimgate_control::store::{CommitError, Store, StoreError, backup, init, key_name, restore};
use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use crate::failure::{Failure, load_configuration};
use crate::{complain, files, runtime};

/// What to do with the store.
#[derive(Subcommand)]
pub enum Command {
    /// Copy the database, which may be in use, to a new file
    Backup(Backup),
    /// Make the database, which must not be there, of a backup; exit code 1 when its key is another one
    Restore(Restore),
    /// Make an empty database in place of one that is gone
    Init(Init),
    /// Have gateways take over a store that was set back, replaced or emptied on purpose
    Accept(Accept),
    /// Remove earlier versions of documents for good, those of deleted documents too
    #[command(long_about = PURGE_HISTORY)]
    PurgeHistory(PurgeHistory),
}

const PURGE_HISTORY: &str = "\
Remove earlier versions of documents for good, those of deleted documents too.

The version in which a document is stored stays; change or delete the document first if it is the one to be \
removed. A gateway may use the store meanwhile. The files of a database hold nothing of what was removed \
afterwards; copies do, such as backups. An etcd holds it until it is compacted (etcdctl compact, etcdctl defrag).";

/// Options of `purge-history`.
#[derive(Args)]
#[command(group(ArgGroup::new("which").required(true).multiple(true).args(["kind", "name", "older_than", "all"])))]
pub struct PurgeHistory {
    /// The configuration file that names the store
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Of documents of this kind only
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// Of the document of this name only, which may have been deleted
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Only versions that were made longer ago, as 30d, 12h or 90min
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    older_than: Option<Duration>,
    /// Of all documents
    #[arg(long, conflicts_with_all = ["kind", "name", "older_than"])]
    all: bool,
    /// Only print how many there are
    #[arg(long)]
    dry_run: bool,
}

/// What documents are about.
#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// Custom domains
    Domain,
    /// Functions, with their HTTP triggers
    Function,
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

/// Options of `init`.
#[derive(Args)]
pub struct Init {
    /// The configuration file that names the store
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Options of `accept`.
#[derive(Args)]
pub struct Accept {
    /// The configuration file that names the store
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The generation of the documents that gateways serve, as they log it; what is stored becomes a newer one
    #[arg(long, value_name = "GENERATION", default_value_t = 0)]
    above: u64,
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
            Command::PurgeHistory(options) => purge_history(options).await?,
            Command::Restore(Restore { config, from }) => {
                restore(&settings(&config)?, &from).await.map_err(failure)?;
            }
            Command::Init(Init { config }) => {
                let path = init(&settings(&config)?).await.map_err(failure)?;
                complain(&format!("claimgate: made the empty database {}\n", path.display()));
            }
            Command::Accept(Accept { config, above }) => {
                let store = Store::open(&settings(&config)?).await.map_err(failure)?;
                let generation = accept(&store, above).await.map_err(|error| match error {
                    CommitError::Store(error) => failure(error),
                    error => Failure::unusable(error),
                })?;
                complain(&format!("claimgate: what is stored is generation {generation} from now on\n"));
            }
        }
        Ok(())
    });
    done.map_err(|error| Failure::unusable(format!("cannot start: {error}")))?
}

async fn purge_history(options: PurgeHistory) -> Result<(), Failure> {
    let PurgeHistory { config, kind, name, older_than, all: _, dry_run } = options;
    let kind = kind.map(|kind| match kind {
        Kind::Domain => DocumentKind::CustomDomain,
        Kind::Function => DocumentKind::Function,
    });
    let store = Store::open(&settings(&config)?).await.map_err(failure)?;
    let purged = Purge { kind, name, older_than }.make(&store, dry_run).await.map_err(failure)?;
    let done = if dry_run { "would be removed" } else { "removed" };
    let text = format!("{} versions of {} documents {done}\n", purged.versions, purged.documents);
    files::print(text.as_bytes())
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
