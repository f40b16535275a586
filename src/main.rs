//! The `claimgate` command.

mod access_key;
mod authorizer;
mod check;
mod clock;
mod documents;
mod failure;
mod files;
mod jwk;
mod key_options;
mod keys;
mod logging;
mod password;
mod private;
mod quickstart;
mod runtime;
mod serve;
mod store;
mod text;
mod token;
mod try_request;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use documents::Kind;

/// Measured: a request allocates and frees some dozens of small pieces, which glibc takes longer for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// JWT authentication at the gateway, for functions behind custom domain names.
#[derive(Parser)]
#[command(name = "claimgate", version, max_term_width = 100)]
struct Command {
    #[command(subcommand)]
    action: Action,
    /// How log lines are written: json, or text for people.
    #[arg(
        long,
        global = true,
        value_enum,
        help = "Form of log lines; text when standard error is a terminal"
    )]
    log_format: Option<logging::Format>,
}

#[derive(Subcommand)]
enum Action {
    /// Serve a configuration; reload it when the file changes and on SIGHUP
    Serve {
        /// The configuration file, YAML or JSON
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Check a configuration without serving it: exit code 0 good, 1 bad, 2 wrong usage
    Check {
        /// The configuration file, YAML or JSON
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Check what is stored together with it, too
        #[arg(long)]
        store: bool,
    },
    /// Make a key pair, a configuration and a token, serve them, and print requests to try
    Quickstart {
        /// The folder for the key pair and the configuration
        #[arg(long, value_name = "DIR", default_value = "claimgate-quickstart")]
        dir: PathBuf,
    },
    /// Make, convert and inspect keys
    #[command(subcommand)]
    Jwk(jwk::Command),
    /// Make and manage keys for the API
    #[command(subcommand)]
    AccessKey(access_key::Command),
    /// Sign, inspect and verify tokens
    #[command(subcommand)]
    Token(token::Command),
    /// Tell what the gateway would do with a request, step by step: exit code 0 accepted, 1 refused
    Try(Box<try_request::Options>),
    /// Back up, restore or begin anew what a configuration stores
    #[command(subcommand)]
    Store(store::Command),
    /// Custom domains of a gateway that runs
    #[command(subcommand)]
    Domain(documents::Command),
    /// Functions of a gateway that runs
    #[command(subcommand)]
    Function(documents::Command),
    /// HTTP triggers of a gateway that runs
    #[command(subcommand)]
    Trigger(documents::Command),
    /// Create or change documents of every kind of a gateway that runs: all or none
    Apply {
        #[command(flatten)]
        files: documents::Files,
        /// Only tell whether they would be taken
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        connection: documents::Connection,
    },
    /// Users of the console
    #[command(subcommand)]
    User(user::Command),
    /// Print what makes a shell complete this command
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Log users in: a separate process that takes usernames and passwords and issues tokens
    Authorizer(authorizer::Arguments),
}

impl Action {
    /// Whether the command runs for long and holds secrets.
    fn keeps_secrets(&self) -> bool {
        match self {
            Self::Serve { .. } | Self::Quickstart { .. } => true,
            Self::Authorizer(arguments) => arguments.serves(),
            _ => false,
        }
    }
}

fn main() -> ExitCode {
    let command = Command::parse();
    let log_format = logging::start(command.log_format);
    if command.action.keeps_secrets() {
        match serve::detach() {
            Ok(false) => private::begin(),
            Ok(true) => return ExitCode::SUCCESS,
            Err(error) => return exit_code(Err(error)),
        }
    }
    let result = match command.action {
        Action::Serve { config } => serve::run(&config, log_format),
        Action::Check { config, store } => return check::run(&config, store),
        Action::Quickstart { dir } => quickstart::run(&dir, log_format),
        Action::Jwk(command) => return failure::exit_code(jwk::run(command)),
        Action::AccessKey(command) => return failure::exit_code(access_key::run(command)),
        Action::Token(command) => return failure::exit_code(token::run(command)),
        Action::Try(options) => return try_request::run(*options),
        Action::Store(command) => return failure::exit_code(store::run(command)),
        Action::Domain(command) => return failure::exit_code(documents::run(Kind::Domain, command)),
        Action::Function(command) => return failure::exit_code(documents::run(Kind::Function, command)),
        Action::Trigger(command) => return failure::exit_code(documents::run(Kind::Trigger, command)),
        Action::Apply { files, dry_run, connection } => {
            return failure::exit_code(documents::apply(&files, dry_run, &connection));
        }
        Action::User(command) => return failure::exit_code(user::run(command)),
        Action::Completions { shell } => return failure::exit_code(complete(shell)),
        Action::Authorizer(arguments) => return authorizer::run(arguments),
    };
    exit_code(result)
}

fn exit_code(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("claimgate: {error:#}\n"));
            ExitCode::FAILURE
        }
    }
}

fn complete(shell: clap_complete::Shell) -> Result<(), failure::Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Command::command(), "claimgate", &mut script);
    files::print(&script)
}

/// Writes the problems of a configuration to standard error, if there are any.
fn complain_of(problems: &claimgate_config::Problems) {
    if !problems.list.is_empty() {
        complain(&format!("{problems}\n"));
    }
}

/// Writes to standard error; there is nowhere to report that this fails.
fn complain(text: &str) {
    use std::io::Write;
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}
