//! The variables that the process was started with.
//!
//! Those that may be secrets are taken out of the process's environment when it starts, since other processes
//! can read that. They are found here from then on.
use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::sync::OnceLock;

static TAKEN_OUT: OnceLock<BTreeMap<OsString, OsString>> = OnceLock::new();

/// A variable, as [`std::env::var_os`] gives it, also when it was taken out of the environment.
pub fn var_os(name: &str) -> Option<OsString> {
    let taken_out = TAKEN_OUT.get().and_then(|variables| variables.get(OsStr::new(name)));
    taken_out.cloned().or_else(|| env::var_os(name))
}

/// Notes the variables that were taken out of the environment. Only the first call has an effect.
pub fn note_taken_out(variables: BTreeMap<OsString, OsString>) {
    // A second call would come from a second start of the same process.
    let _ = TAKEN_OUT.set(variables);
}

/// The variables that were taken out of the environment.
pub fn taken_out() -> impl Iterator<Item = (&'static OsStr, &'static OsStr)> {
    TAKEN_OUT.get().into_iter().flatten().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
}
