//! `claimgate jwk`: makes, converts and inspects keys.

mod certificate;
mod convert;
mod generate;
mod inspect;

use clap::Subcommand;

use crate::failure::Failure;

/// What to do with keys.
#[derive(Subcommand)]
pub enum Command {
    /// Make a key pair, or an HMAC secret; prints the private JWK, or writes files
    Generate(generate::Options),
    /// Convert keys between PEM, DER, X.509 certificate (in), JWK and JWK set
    Convert(convert::Options),
    /// Tell what each key is, and what claimgate would refuse and why: exit code 0 good, 1 refused
    Inspect(inspect::Options),
}

/// Does it.
pub fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Generate(options) => generate::run(&options),
        Command::Convert(options) => convert::run(&options),
        Command::Inspect(options) => inspect::run(&options),
    }
}
