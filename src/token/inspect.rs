//! `claimgate token inspect`.

use std::time::Duration;

use claimgate_jose::VerifyError;
use claimgate_jose::json::{Object, Value};
use clap::Args;

use super::parts::{Part, Parts};
use super::{read_token, times};
use crate::failure::Failure;
use crate::files;
use crate::text::printable;

/// Options of `claimgate token inspect`.
#[derive(Args)]
pub struct Options {
    /// The token; read from standard input when left out or `-`
    #[arg(default_value = "-", hide_default_value = true)]
    token: String,
    /// Print one JSON object, for scripts
    #[arg(long)]
    json: bool,
}

/// Shows what a token says.
pub fn run(options: &Options) -> Result<(), Failure> {
    let parts = Parts::of(&read_token(&options.token)?);
    let shown = if options.json { json(&parts) } else { text(&parts, times::now()?) };
    files::print(shown.as_bytes())?;
    match parts.faults.first() {
        Some(fault) => Err(Failure::Refused(format!("{}: {fault}", fault.reason()))),
        None => Ok(()),
    }
}

fn text(parts: &Parts, now: Duration) -> String {
    let mut text =
        "NOT VERIFIED: anybody can write this; `claimgate token verify` tells what is true\n".to_owned();
    for (name, part) in [("header", &parts.header), ("payload", &parts.payload)] {
        text += &format!("\n{name}\n");
        match part {
            Part::Object(object) => object.iter().for_each(|member| text += &line(member, now)),
            Part::Text(content) => text += &format!("  {}\n", printable(content)),
            Part::Unreadable => text += "  (unreadable)\n",
        }
    }
    text += &match parts.signature {
        Some(bytes) => format!("\nsignature\n  {bytes} bytes\n"),
        None => "\nsignature\n  (unreadable)\n".to_owned(),
    };
    let faults: Vec<&VerifyError> = parts.all_faults().collect();
    if !faults.is_empty() {
        text += "\nclaimgate refuses this token\n";
    }
    for fault in faults {
        text += &format!("  {}: {fault}\n", fault.reason());
    }
    text
}

/// A member as JSON; times in words behind it.
fn line((name, value): (&str, &Value), now: Duration) -> String {
    let seconds = value.as_number().and_then(|number| number.as_f64());
    let words = seconds.and_then(|seconds| times::in_words(name, seconds, now));
    let words = words.map(|words| format!("   {words}")).unwrap_or_default();
    format!("  {:<10} {}{words}\n", printable(name), printable(&value.to_string()))
}

fn json(parts: &Parts) -> String {
    let part = |part: &Part| match part {
        Part::Object(object) => Value::from(object.clone()),
        Part::Text(text) => Value::from(text.as_str()),
        Part::Unreadable => Value::Null,
    };
    let fault = |fault: &VerifyError| {
        let mut object = Object::new();
        object.insert("reason", fault.reason());
        object.insert("message", fault.to_string());
        Value::from(object)
    };
    let mut object = Object::new();
    object.insert("verified", false);
    object.insert("header", part(&parts.header));
    object.insert("payload", part(&parts.payload));
    object.insert("problems", parts.all_faults().map(fault).collect::<Vec<_>>());
    format!("{object}\n")
}
