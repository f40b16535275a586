//! Keys from files.

use std::path::Path;

use claimgate_jose::json::{Object, Value};
use claimgate_jose::{JwkSet, KeyFile, KeyProblem};

use crate::complain;
use crate::failure::Failure;
use crate::files::{name_of, read};

/// Reads the keys of a file, or of standard input; says what of it is not read.
pub fn read_keys(file: &Path) -> Result<KeyFile, Failure> {
    let keys = KeyFile::read(&read(file)?)
        .map_err(|error| Failure::Refused(format!("{}: {error}", name_of(file))))?;
    if keys.others > 0 {
        let (name, form, others) = (name_of(file), keys.form, keys.others);
        complain(&format!(
            "note: {name}: only the first {form} is read, {others} more in the file are not\n"
        ));
    }
    Ok(keys)
}

/// A JWK set of these keys.
pub fn set_of(keys: Vec<Value>) -> Value {
    let mut set = Object::new();
    set.insert("keys", keys);
    set.into()
}

/// Loads keys as the gateway does; the error says in one line why it would refuse them.
pub fn load_set(keys: &[Value]) -> Result<(JwkSet, Vec<KeyProblem>), String> {
    JwkSet::load(&set_of(keys.to_vec())).map_err(|problems| {
        let first = problems.first().map(|problem| explain(problem, keys.len())).unwrap_or_default();
        match problems.len() {
            0 | 1 => first,
            count => format!("{first} (and {} more; `claimgate jwk inspect` shows all)", count - 1),
        }
    })
}

/// A problem with the key that it is about, where there are several.
pub fn explain(problem: &KeyProblem, keys: usize) -> String {
    match (problem.index, &problem.kid) {
        (Some(index), Some(kid)) if keys > 1 => {
            format!("key {index} ({}): {}", Value::from(kid.as_str()), problem.message)
        }
        (Some(index), None) if keys > 1 => format!("key {index}: {}", problem.message),
        _ => problem.message.clone(),
    }
}
