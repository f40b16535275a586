//! `claimgate try`: tells what the gateway would do with a request, without serving it.

mod curl;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use claimgate_config::snapshot::{DomainKind, DomainTable};
use claimgate_functions::ProcessFunctions;
use claimgate_gateway::trace::Outcome;
use claimgate_gateway::{Metrics, Serving, Trace, TryRequest, try_request};
use claimgate_remote_keys::RemoteKeySources;
use claimgate_tls::Certificates;
use clap::Args;

use crate::failure::{self, Failure};
use crate::{clock, complain, files, runtime};
use curl::CurlOptions;

/// Options of `claimgate try`.
#[derive(Args)]
pub struct Options {
    /// The configuration file, YAML or JSON
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The host of the request, in place of the URL's
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
    /// Print one JSON document, for scripts
    #[arg(long)]
    json: bool,
    /// Show tokens and credentials whole in the request that the function would receive
    #[arg(long)]
    show_token: bool,
    #[command(flatten)]
    request: CurlOptions,
}

/// Tries a request; exit code 0 when it is accepted or answered as a preflight request, 1 when it is refused.
pub fn run(options: Options) -> ExitCode {
    match follow(options) {
        Ok(Outcome::Accepted | Outcome::Preflight) => ExitCode::SUCCESS,
        Ok(Outcome::Refused | Outcome::Failed) => ExitCode::FAILURE,
        Err(failure) => failure::exit_code(Err(failure)),
    }
}

fn follow(options: Options) -> Result<Outcome, Failure> {
    let snapshot = failure::load_configuration(&options.config)?.snapshot;
    let mut request = options.request.into_request(options.domain.as_deref())?;
    if request.host_is_missing {
        request.set_host(only_domain(&snapshot.domains)?);
    }
    let mut trace = trace(snapshot, &request.request)?;
    if !options.show_token {
        trace.redact();
    }
    let report = if options.json { report::json(&trace)? } else { report::text(&request.request, &trace) };
    files::print(report.as_bytes())?;
    Ok(trace.outcome)
}

fn trace(snapshot: claimgate_config::Snapshot, request: &TryRequest) -> Result<Trace, Failure> {
    let now = clock::now()?;
    let trace = runtime::block_on(async {
        let settings = &snapshot.gateway.remote_jwks;
        let remote_keys = RemoteKeySources::on_demand(&snapshot.remote_key_sources, settings);
        // Nobody shakes hands, so that no certificates are needed.
        let certificates = Certificates::default();
        let remote_keys = remote_keys.map_err(Failure::unusable)?;
        let (processes, metrics) = (ProcessFunctions::default(), Metrics::default());
        let serving = Serving::new(snapshot, remote_keys, certificates, processes, &metrics);
        Ok(try_request(&serving, request, now).await)
    });
    let trace = trace.map_err(|error| Failure::Unusable(format!("cannot start: {error}")))?;
    trace?.ok_or_else(|| Failure::unusable("the gateway would close the connection without an answer"))
}

/// The host of a request that names none: the only custom domain that is a name.
fn only_domain(domains: &DomainTable) -> Result<String, Failure> {
    let custom = domains.iter().filter(|domain| domain.kind == DomainKind::Custom);
    let mut names: Vec<&str> = custom.map(|domain| domain.name.as_str()).collect();
    names.sort_unstable();
    let mut exact = names.iter().filter(|name| !name.starts_with("*."));
    match (exact.next(), exact.next()) {
        (Some(name), None) => {
            complain(&format!(
                "claimgate: no host is given; taken is {name}, the only one of the configuration\n"
            ));
            Ok((*name).to_owned())
        }
        _ => Err(Failure::Unusable(format!(
            "no host is given: name one by --domain NAME, -H 'Host: NAME' or a whole URL; the configuration has {}",
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        ))),
    }
}
