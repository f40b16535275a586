//! What a process finds in its environment. It is not the gateway's, which may hold secrets.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::instances::Instances;

/// Variables that are taken over from the gateway.
pub(super) const KEPT: [&str; 6] = ["PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"];

/// Variables that are taken over from the gateway, unless the process runs as another user.
const KEPT_OF_USER: [&str; 3] = ["HOME", "USER", "LOGNAME"];

/// The variables of an instance; what is configured comes before what is taken over.
pub(super) fn of(instances: &Instances, id: &str, port: u16) -> BTreeMap<OsString, OsString> {
    let mut variables = BTreeMap::new();
    let mut set = |name: &str, value: OsString| drop(variables.insert(name.into(), value));
    for name in KEPT {
        if let Some(value) = std::env::var_os(name) {
            set(name, value);
        }
    }
    match &instances.user {
        Some(user) => {
            set("HOME", user.home.clone().into());
            set("USER", user.name.clone().into());
            set("LOGNAME", user.name.clone().into());
        }
        None => {
            for name in KEPT_OF_USER {
                if let Some(value) = std::env::var_os(name) {
                    set(name, value);
                }
            }
        }
    }
    for (name, value) in &instances.settings.env.0 {
        set(name, value.into());
    }
    for name in ["PORT", "FC_SERVER_PORT", "FC_CUSTOM_LISTEN_PORT"] {
        set(name, port.to_string().into());
    }
    set("FC_FUNCTION_NAME", instances.function.clone().into());
    set("FC_INSTANCE_ID", id.into());
    variables
}
