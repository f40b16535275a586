//! `claimgate jwk inspect`.

use std::path::PathBuf;

use claimgate_jose::json::{Object, Value};
use claimgate_jose::key_file::KeyFile;
use claimgate_jose::{Curve, Effect, JwkSet, KeyProblem, KeyType, base64url, jwk};
use clap::Args;

use crate::failure::Failure;
use crate::files::{self, name_of};
use crate::keys::{load_set, read_keys, set_of};
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
    keys: Vec<Key>,
    problems: Vec<KeyProblem>,
    /// Why claimgate would refuse the set.
    refusal: Option<String>,
}

/// What a key says that it is, whether it is usable or not.
struct Key {
    key_type: Option<String>,
    key_id: Option<String>,
    curve: Option<String>,
    bits: Option<usize>,
    algorithm: Option<String>,
    /// The algorithms that it verifies; empty when it is not used.
    algorithms: Vec<&'static str>,
    usage: Option<String>,
    thumbprint: Option<String>,
    private: Vec<&'static str>,
}

impl<'a> Report<'a> {
    fn of(file: &'a KeyFile) -> Self {
        let problems = JwkSet::problems_of(&file.to_jwk_set());
        let refusal = load_set(&file.keys).err();
        let keys = file.keys.iter().map(Key::of).collect();
        Self { file, keys, problems, refusal }
    }

    /// The problems of a key; of the set where no key is named.
    fn problems_of(&self, index: Option<usize>) -> impl Iterator<Item = &KeyProblem> {
        self.problems.iter().filter(move |problem| problem.index == index)
    }

    fn text(&self) -> String {
        let mut text = format!("{}\n", self.file.form);
        for (index, key) in self.keys.iter().enumerate() {
            text += &format!("\nkey {index}\n");
            for (name, value) in key.lines() {
                text += &format!("  {name:<11} {}\n", printable(&value));
            }
            for problem in self.problems_of(Some(index)) {
                text += &format!("  {:<11} {}\n", word(problem.effect), problem.message);
            }
        }
        for problem in self.problems_of(None) {
            text += &format!("\n{} {}\n", word(problem.effect), problem.message);
        }
        text
    }

    fn json(&self) -> String {
        let keys = self.keys.iter().enumerate().map(|(index, key)| {
            let mut object = key.json(index);
            object.insert("problems", problems(self.problems_of(Some(index))));
            object.into()
        });
        let mut report = Object::new();
        report.insert("form", self.file.form.to_string());
        report.insert("accepted", self.refusal.is_none());
        report.insert("keys", keys.collect::<Vec<Value>>());
        report.insert("problems", problems(self.problems_of(None)));
        format!("{report}\n")
    }
}

impl Key {
    fn of(value: &Value) -> Self {
        let empty = Object::new();
        let key = value.as_object().unwrap_or(&empty);
        let text = |name: &str| key.get(name).and_then(Value::as_str).map(str::to_owned);
        let bytes = |name: &str| base64url::decode(key.get(name)?.as_str()?.as_bytes()).ok();
        let curve = text("crv");
        let key_type = text("kty");
        let bits = match key_type.as_deref().and_then(KeyType::from_name) {
            Some(KeyType::Rsa) => bytes("n").map(|n| bits(&n)),
            Some(KeyType::Oct) => bytes("k").map(|secret| 8 * secret.len()),
            Some(KeyType::Ec | KeyType::Okp) => curve.as_deref().and_then(Curve::from_name).map(Curve::bits),
            None => None,
        };
        let loaded = JwkSet::load(&set_of(vec![value.clone()])).ok();
        let usable = loaded.as_ref().and_then(|(set, _)| set.keys().first());
        Self {
            key_id: text("kid"),
            bits,
            algorithm: text("alg"),
            algorithms: usable
                .map(|key| key.algorithms().map(|one| one.name()).collect())
                .unwrap_or_default(),
            usage: text("use"),
            thumbprint: jwk::thumbprint(key),
            private: jwk::private_members(key).collect(),
            curve,
            key_type,
        }
    }

    fn lines(&self) -> Vec<(&'static str, String)> {
        let size = self.bits.map(|bits| format!("{bits} bits"));
        let kind: Vec<String> =
            [self.key_type.clone(), self.curve.clone(), size].into_iter().flatten().collect();
        let algorithm = match (&self.algorithm, self.algorithms.as_slice()) {
            (Some(algorithm), _) => Some(algorithm.clone()),
            (None, []) => None,
            (None, [only]) => Some(format!("not given; it verifies {only}")),
            (None, several) => Some(format!("not given; it verifies each of {}", several.join(", "))),
        };
        let private = Some(self.private.join(", ")).filter(|members| !members.is_empty());
        [
            ("kid", self.key_id.clone()),
            ("type", Some(kind.join(", ")).filter(|kind| !kind.is_empty())),
            ("alg", algorithm),
            ("use", self.usage.clone()),
            ("thumbprint", self.thumbprint.clone()),
            ("private", private),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }

    fn json(&self, index: usize) -> Object {
        let text = |text: &Option<String>| text.clone().map_or(Value::Null, Value::from);
        let list = |names: &[&str]| Value::Array(names.iter().map(|name| Value::from(*name)).collect());
        let number = |number: usize| Value::from(number as u64);
        let mut object = Object::new();
        object.insert("index", number(index));
        object.insert("kid", text(&self.key_id));
        object.insert("kty", text(&self.key_type));
        object.insert("crv", text(&self.curve));
        object.insert("bits", self.bits.map_or(Value::Null, number));
        object.insert("alg", text(&self.algorithm));
        object.insert("algorithms", list(&self.algorithms));
        object.insert("use", text(&self.usage));
        object.insert("thumbprint", text(&self.thumbprint));
        object.insert("private", list(&self.private));
        object
    }
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

/// The bits of an integer without leading zero bytes.
fn bits(integer: &[u8]) -> usize {
    let integer = integer.iter().skip_while(|byte| **byte == 0).collect::<Vec<_>>();
    let unused = integer.first().map_or(0, |byte| byte.leading_zeros() as usize);
    (8 * integer.len()).saturating_sub(unused)
}
