//! `claimgate jwk inspect`.

use std::path::PathBuf;

use claimgate_jose::json::{Object, Value};
use claimgate_jose::key_file::KeyFile;
use claimgate_jose::{Effect, InspectedKey, Inspection, KeyProblem};
use clap::Args;

use crate::failure::Failure;
use crate::files::{self, name_of};
use crate::keys::{load_set, read_keys};
use crate::text::printable;

/// Options of `claimgate jwk inspect`.
#[derive(Args)]
pub struct Options {
    /// The keys: JWK set, JWK, PEM or DER; standard input when left out or `-`
    #[arg(default_value = "-", hide_default_value = true)]
    file: PathBuf,
    /// Print one JSON object, for scripts
    #[arg(long)]
    json: bool,
}

/// Tells what each key is. Nothing secret is printed.
pub fn run(options: &Options) -> Result<(), Failure> {
    let file = read_keys(&options.file)?;
    let report = Report::of(&file);
    files::print(if options.json { report.json() } else { report.text() }.as_bytes())?;
    match report.refusal {
        Some(why) => Err(Failure::Refused(format!("{}: {why}", name_of(&options.file)))),
        None => Ok(()),
    }
}

struct Report<'a> {
    file: &'a KeyFile,
    inspection: Inspection,
    /// Why claimgate would refuse the set.
    refusal: Option<String>,
}

impl<'a> Report<'a> {
    fn of(file: &'a KeyFile) -> Self {
        Self { file, inspection: Inspection::of(file), refusal: load_set(&file.keys).err() }
    }

    fn text(&self) -> String {
        let mut text = format!("{}\n", self.file.form);
        for (index, key) in self.inspection.keys.iter().enumerate() {
            text += &format!("\nkey {index}\n");
            for (name, value) in lines(key) {
                text += &format!("  {name:<11} {}\n", printable(&value));
            }
            for problem in self.inspection.problems_of(Some(index)) {
                text += &format!("  {:<11} {}\n", word(problem.effect), problem.message);
            }
        }
        for problem in self.inspection.problems_of(None) {
            text += &format!("\n{} {}\n", word(problem.effect), problem.message);
        }
        text
    }

    fn json(&self) -> String {
        let keys = self.inspection.keys.iter().enumerate().map(|(index, key)| {
            let mut object = json_of(key, index);
            object.insert("problems", problems(self.inspection.problems_of(Some(index))));
            object.into()
        });
        let mut report = Object::new();
        report.insert("form", self.file.form.to_string());
        report.insert("accepted", self.refusal.is_none());
        report.insert("keys", keys.collect::<Vec<Value>>());
        report.insert("problems", problems(self.inspection.problems_of(None)));
        format!("{report}\n")
    }
}

fn lines(key: &InspectedKey) -> Vec<(&'static str, String)> {
    let private = Some(key.private.join(", ")).filter(|members| !members.is_empty());
    [
        ("kid", key.key_id.clone()),
        ("type", key.kind()),
        ("alg", key.algorithm_in_words()),
        ("use", key.usage.clone()),
        ("thumbprint", key.thumbprint.clone()),
        ("private", private),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

fn json_of(key: &InspectedKey, index: usize) -> Object {
    let text = |text: &Option<String>| text.clone().map_or(Value::Null, Value::from);
    let list = |names: &[&str]| Value::Array(names.iter().map(|name| Value::from(*name)).collect());
    let number = |number: usize| Value::from(number as u64);
    let mut object = Object::new();
    object.insert("index", number(index));
    object.insert("kid", text(&key.key_id));
    object.insert("kty", text(&key.key_type));
    object.insert("crv", text(&key.curve));
    object.insert("bits", key.bits.map_or(Value::Null, number));
    object.insert("alg", text(&key.algorithm));
    object.insert("algorithms", list(&key.algorithms));
    object.insert("use", text(&key.usage));
    object.insert("thumbprint", text(&key.thumbprint));
    object.insert("private", list(&key.private));
    object
}

/// What becomes of a key with a problem.
fn word(effect: Effect) -> &'static str {
    match effect {
        Effect::Refused => "refused:",
        Effect::LeftOut => "left out:",
        Effect::Used => "warning:",
    }
}

fn problems<'a>(problems: impl Iterator<Item = &'a KeyProblem>) -> Vec<Value> {
    let one = |problem: &KeyProblem| {
        let mut object = Object::new();
        object.insert("effect", word(problem.effect).trim_end_matches(':'));
        object.insert("member", problem.member.map_or(Value::Null, Value::from));
        object.insert("message", problem.message.as_str());
        object.into()
    };
    problems.map(one).collect()
}
