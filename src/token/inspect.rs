//! `claimgate token inspect`.

use std::time::Duration;

use claimgate_gateway::times::in_words;
use claimgate_jose::VerifyError;
use claimgate_jose::json::{Object, Value};
use clap::Args;

use super::parts::{Part, Parts};
use super::read_token;
use crate::clock;
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
    let shown = if options.json { json(&parts) } else { text(&parts, clock::now()?) };
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
    let words = seconds.and_then(|seconds| in_words(name, seconds, now));
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use claimgate_jose::base64url;
    use proptest::prelude::*;

    /// Bytes of every kind, and JSON that is nearly that of a token.
    fn segment() -> impl Strategy<Value = Vec<u8>> {
        let value = r#"1e400|-1|"ES256"|"\\u0000"|\[\]|\{\}|null|1700000000000|99999999999999999999|tru"#;
        let json = (r"alg|exp|nbf|iat|crit|b64|\\ud800", value)
            .prop_map(|(name, value)| format!("{{\"{name}\":{value}}}").into_bytes());
        let bytes = prop::collection::vec(any::<u8>(), 0..40);
        let encoded =
            prop_oneof![json, bytes.clone()].prop_map(|bytes| base64url::encode(&bytes).into_bytes());
        prop_oneof![4 => encoded, 1 => bytes]
    }

    proptest! {
        #[test]
        fn anything_is_shown(segments in prop::collection::vec(segment(), 0..6), now: u32) {
            let token = segments.join(&b'.');
            let parts = Parts::of(&token);
            let shown = text(&parts, Duration::from_secs(now.into()));
            prop_assert!(shown.starts_with("NOT VERIFIED"));
            prop_assert!(!shown.chars().any(|character| character.is_control() && character != '\n'));
            let told = Value::parse(json(&parts).as_bytes()).unwrap();
            let faults = told.as_object().unwrap().get("problems").unwrap().as_array().unwrap();
            prop_assert_eq!(faults.len(), parts.all_faults().count());
            prop_assert!(segments.len() == 3 || !faults.is_empty());
        }
    }
}
