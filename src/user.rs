//! `claimgate user`: the users of the console, in the store of a configuration.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use claimgate_control::store::Store;
use claimgate_control::users::{Role, UserError, Users, check_name, check_password};
use claimgate_login::password::{Parameters, PasswordHash};
use clap::{Args, Subcommand};

use crate::failure::{self, Failure};
use crate::{files, password, runtime};

/// Users of the console.
#[derive(Subcommand)]
pub enum Command {
    /// Print the users with their roles
    List(Configuration),
    /// Add a user; the password is asked for or read from standard input
    Add {
        /// By which the user signs in
        name: String,
        /// What the user may do: viewer: look at everything but secrets; editor: change documents; admin: manage users too
        #[arg(long, value_name = "ROLE", default_value = "viewer", value_parser = role)]
        role: Role,
        #[command(flatten)]
        configuration: Configuration,
    },
    /// Give a user another password, which ends the user's sessions
    ResetPassword {
        /// Of the user
        name: String,
        #[command(flatten)]
        configuration: Configuration,
    },
    /// Delete a user
    Delete {
        /// Of the user
        name: String,
        #[command(flatten)]
        configuration: Configuration,
    },
    /// Print a link, valid for 24 hours; the first person who opens it becomes an admin
    SignInLink(Configuration),
}

#[derive(Args)]
pub struct Configuration {
    /// The configuration file of the gateway, whose store has the users
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

fn role(name: &str) -> Result<Role, String> {
    Role::from_name(name).ok_or_else(|| "expected viewer, editor or admin".to_owned())
}

/// Runs a command.
pub fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::List(Configuration { config }) => {
            let users = with_users(&config, |users| async move { Ok(users.list().await?) })?;
            let lines = users.iter().map(|user| format!("{}\t{}\n", user.name, user.role.name()));
            files::print(lines.collect::<String>().as_bytes())
        }
        Command::Add { name, role, configuration } => {
            // Before anybody types in vain.
            check_name(&name).map_err(refused)?;
            let hash = read_password()?;
            with_users(&configuration.config, |users| async move { users.add(&name, role, &hash).await })
        }
        Command::ResetPassword { name, configuration } => {
            let hash = read_password()?;
            with_users(&configuration.config, |users| async move { users.set_password(&name, &hash).await })
        }
        Command::Delete { name, configuration } => {
            with_users(&configuration.config, |users| async move { users.delete(&name).await })
        }
        Command::SignInLink(Configuration { config }) => {
            let admin = failure::load_configuration(&config)?.snapshot.admin;
            let address = admin
                .listen
                .ok_or_else(|| Failure::unusable("admin.listen is none, so there is no console"))?;
            let token = with_users(&config, |users| async move { users.make_link().await })?;
            files::print(format!("{}\n", link(address, admin.tls.is_some(), token.reveal())).as_bytes())
        }
    }
}

/// The address of a sign-in link.
pub fn link(admin: SocketAddr, is_https: bool, token: &str) -> String {
    let scheme = if is_https { "https" } else { "http" };
    let host = if admin.ip().is_unspecified() { "localhost".to_owned() } else { host(admin) };
    format!("{scheme}://{host}:{}/console/sign-in/{token}", admin.port())
}

fn host(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    }
}

fn read_password() -> Result<PasswordHash, Failure> {
    let password = password::read()?;
    check_password(&password).map_err(refused)?;
    PasswordHash::of(&password, Parameters::default()).map_err(Failure::unusable)
}

fn with_users<T, Work: Future<Output = Result<T, UserError>>>(
    config: &Path,
    work: impl FnOnce(Users) -> Work,
) -> Result<T, Failure> {
    let snapshot = failure::load_configuration(config)?.snapshot;
    let settings = snapshot.store.ok_or_else(|| {
        Failure::Unusable(format!("{} has no store, which users are kept in", config.display()))
    })?;
    let done = runtime::block_on(async {
        let store = Store::open(&settings).await.map_err(Failure::unusable)?;
        work(Users::new(store)).await.map_err(refused)
    });
    done.map_err(Failure::unusable)?
}

fn refused(error: UserError) -> Failure {
    match error {
        UserError::Store(error) => Failure::unusable(error),
        error => Failure::Refused(error.to_string()),
    }
}
