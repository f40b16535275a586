//! `claimgate domain`, `function` and `trigger`: documents of a gateway that runs, changed over its API.

mod apply;
mod gateway;
mod input;
mod output;
mod profile;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::files;
use crate::runtime;
use gateway::{Gateway, Method};
use output::Format;
pub use profile::Connection;

/// What documents are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Custom domains.
    Domain,
    /// Functions.
    Function,
    /// HTTP triggers, each named by its function.
    Trigger,
}

impl Kind {
    /// As the API's paths and documents name it.
    fn path(self) -> &'static str {
        match self {
            Self::Domain => "custom-domains",
            Self::Function => "functions",
            Self::Trigger => "triggers",
        }
    }
}

/// What is done with documents of a kind.
#[derive(Subcommand)]
pub enum Command {
    /// Print a document
    Get {
        /// Its name
        name: String,
        #[command(flatten)]
        shared: Shared,
    },
    /// List documents
    List {
        /// What their names begin with
        #[arg(long, value_name = "TEXT", default_value = "")]
        prefix: String,
        #[command(flatten)]
        shared: Shared,
    },
    /// Create or change the documents of a file or folder: all or none
    Apply {
        #[command(flatten)]
        files: Files,
        /// Only if the one document is in this version, as `history` lists them; 0 if there is to be none yet
        #[arg(long, value_name = "VERSION")]
        if_version: Option<u64>,
        /// Only tell whether they would be taken
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        connection: Connection,
    },
    /// Delete documents: all or none
    Delete {
        /// Their names
        #[arg(required = true)]
        names: Vec<String>,
        /// Only if the one document is in this version, as `history` lists them
        #[arg(long, value_name = "VERSION")]
        if_version: Option<u64>,
        #[command(flatten)]
        connection: Connection,
    },
    /// Show what `apply` would change: exit code 0 nothing, 1 something
    Diff {
        #[command(flatten)]
        files: Files,
        #[command(flatten)]
        connection: Connection,
    },
    /// List the versions of a document
    History {
        /// Its name
        name: String,
        #[command(flatten)]
        shared: Shared,
    },
    /// Make a document what it was in an earlier version
    Rollback {
        /// Its name
        name: String,
        /// A version of its history
        version: u64,
        #[command(flatten)]
        connection: Connection,
    },
}

/// Options of commands that print documents.
#[derive(Args)]
pub struct Shared {
    /// How it is printed; YAML for one document and a table for several, unless said
    #[arg(long, short, value_enum)]
    output: Option<Format>,
    #[command(flatten)]
    connection: Connection,
}

/// Files with documents.
#[derive(Args)]
pub struct Files {
    /// A file, or a folder whose .yaml, .yml and .json files are taken; - for standard input
    #[arg(long = "file", short = 'f', value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
}

/// Does what a command of one kind asks for.
pub fn run(kind: Kind, command: Command) -> Result<(), Failure> {
    runtime::block_on(follow(kind, command))
        .map_err(|error| Failure::Unusable(format!("cannot start: {error}")))?
}

/// Applies documents of every kind.
pub fn apply(files: &Files, dry_run: bool, connection: &Connection) -> Result<(), Failure> {
    let applied =
        async { apply::apply(&Gateway::connect(connection)?, None, &files.paths, None, dry_run).await };
    runtime::block_on(applied).map_err(|error| Failure::Unusable(format!("cannot start: {error}")))?
}

async fn follow(kind: Kind, command: Command) -> Result<(), Failure> {
    match command {
        Command::Get { name, shared } => {
            let gateway = Gateway::connect(&shared.connection)?;
            let document = gateway.call(Method::GET, &path(kind, &[&name]), None).await?;
            print(shared.output.unwrap_or(Format::Yaml).one(kind, &document))
        }
        Command::List { prefix, shared } => {
            let gateway = Gateway::connect(&shared.connection)?;
            let documents = list(&gateway, kind, &prefix).await?;
            print(shared.output.unwrap_or(Format::Table).several(kind, &documents))
        }
        Command::Apply { files, if_version, dry_run, connection } => {
            let gateway = Gateway::connect(&connection)?;
            apply::apply(&gateway, Some(kind), &files.paths, if_version, dry_run).await
        }
        Command::Diff { files, connection } => {
            apply::diff(&Gateway::connect(&connection)?, Some(kind), &files.paths).await
        }
        Command::Delete { names, if_version, connection } => {
            check_is_one(if_version, names.len())?;
            let changes = names.iter().map(
                |name| json!({"kind": kind.path(), "name": name, "document": null, "version": if_version}),
            );
            let body = json!({"changes": changes.collect::<Vec<_>>()});
            Gateway::connect(&connection)?.call(Method::POST, "/api/v1/apply", Some(&body)).await?;
            print(names.iter().map(|name| format!("{}/{name} deleted\n", kind.path())).collect())
        }
        Command::History { name, shared } => {
            let gateway = Gateway::connect(&shared.connection)?;
            let history = gateway.call(Method::GET, &path(kind, &[&name, "history"]), None).await?;
            print(shared.output.unwrap_or(Format::Table).history(&history))
        }
        Command::Rollback { name, version, connection } => {
            let body = json!({"version": version});
            let gateway = Gateway::connect(&connection)?;
            gateway.call(Method::POST, &path(kind, &[&name, "rollback"]), Some(&body)).await?;
            print(format!("{}/{name} is what it was in version {version}\n", kind.path()))
        }
    }
}

/// A version is that of one document.
fn check_is_one(if_version: Option<u64>, documents: usize) -> Result<(), Failure> {
    if if_version.is_some() && documents != 1 {
        return Err(Failure::Unusable(format!(
            "--if-version is the version of one document, and there are {documents}"
        )));
    }
    Ok(())
}

/// All documents whose names begin so.
async fn list(gateway: &Gateway, kind: Kind, prefix: &str) -> Result<Vec<Value>, Failure> {
    let mut documents = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let mut target = format!("{}?limit=1000&prefix={}", path(kind, &[]), gateway::escaped(prefix));
        if let Some(next) = &next {
            target.push_str(&format!("&nextToken={}", gateway::escaped(next)));
        }
        let mut page = gateway.call(Method::GET, &target, None).await?;
        if let Some(Value::Array(found)) = page.get_mut("documents").map(Value::take) {
            documents.extend(found);
        }
        next = page.get("nextToken").and_then(Value::as_str).map(str::to_owned);
        if next.is_none() {
            return Ok(documents);
        }
    }
}

fn path(kind: Kind, segments: &[&str]) -> String {
    let segments = segments.iter().map(|segment| format!("/{}", gateway::escaped(segment)));
    format!("/api/v1/{}{}", kind.path(), segments.collect::<String>())
}

fn print(text: String) -> Result<(), Failure> {
    files::print(text.as_bytes())
}
