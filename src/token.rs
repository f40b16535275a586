//! `claimgate token`: signs, inspects and verifies tokens.

mod inspect;
mod parts;
mod sign;
mod verify;

use clap::Subcommand;

use crate::failure::Failure;
use crate::files;

/// What to do with tokens.
#[derive(Subcommand)]
pub enum Command {
    /// Sign claims; prints the token alone
    Sign(sign::Options),
    /// Show what a token says, without verifying it: exit code 1 when it is no JWS
    Inspect(inspect::Options),
    /// Verify a token as the gateway does: exit code 0 and the claims as JSON, or 1 and the reason
    Verify(verify::Options),
}

/// Does it.
pub fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Sign(options) => sign::run(&options),
        Command::Inspect(options) => inspect::run(&options),
        Command::Verify(options) => verify::run(&options),
    }
}

/// The token of a command line, where `-` stands for standard input without the line end.
fn read_token(argument: &str) -> Result<Vec<u8>, Failure> {
    if argument != "-" {
        return Ok(argument.as_bytes().to_vec());
    }
    let mut token = files::read("-".as_ref())?;
    if token.last() == Some(&b'\n') {
        token.pop();
        if token.last() == Some(&b'\r') {
            token.pop();
        }
    }
    Ok(token)
}
