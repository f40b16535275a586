//! What a stored function may be, which the configuration file decides in `control.allow`.
use std::path::{Component, Path};

use crate::document::Function;
use crate::place::quoted;
use crate::reach::Reach;
use crate::report::Report;
use crate::snapshot::{Allow, FunctionTarget};

/// Reports what is not allowed of a stored function. What the configuration file declares is not judged.
pub(super) fn check(function: &Function, allow: &Allow, report: &mut Report) {
    let (Some(target), Some(name)) = (&function.target, &function.name) else { return };
    let mut error = |fields: &[&str], message: String| {
        let mut place = name.place.clone();
        place.path = crate::place::FieldPath::default();
        for field in fields {
            place = place.member(field, place.location);
        }
        report.error(&place, message);
    };
    match target {
        FunctionTarget::Process(_) if !allow.processes => error(
            &["process"],
            "stored functions may not run processes; the configuration file allows it with \
             control.allow.processes: true"
                .to_owned(),
        ),
        FunctionTarget::Process(settings) => {
            let is_root = || rustix::process::geteuid().is_root();
            match &settings.user {
                Some(user) if !allow.users.contains(user) => error(
                    &["process", "user"],
                    format!(
                        "stored functions may not run as {}; control.allow.users of the configuration file lists \
                         the users that they may run as",
                        quoted(user)
                    ),
                ),
                None if is_root() && !allow.users.iter().any(|user| user == "root") => error(
                    &["process"],
                    "without process.user the function would run as root, as the gateway does; set it to a user of \
                     control.allow.users in the configuration file, or list root there"
                        .to_owned(),
                ),
                _ => {}
            }
        }
        FunctionTarget::Unix(path) if !allow.unix_sockets.iter().any(|allowed| covers(allowed, path)) => {
            error(
                &["url"],
                format!(
                    "stored functions may not be at the unix socket {}; control.allow.unixSockets of the configuration \
                 file lists the sockets and folders that they may be at",
                    quoted(&path.to_string_lossy())
                ),
            )
        }
        FunctionTarget::Url { origin, .. } => {
            if let Err(why) = reach(allow).judge_url(origin) {
                error(&["url"], format!("a stored function may not be there: {why}"));
            }
        }
        FunctionTarget::Unix(_) | FunctionTarget::Echo | FunctionTarget::Unavailable => {}
    }
}

/// Where requests to a stored function may be sent.
pub(super) fn reach(allow: &Allow) -> Reach {
    Reach::Bounded { link_local: allow.link_local_addresses }
}

/// Whether an entry of `unixSockets` is a socket, or a folder that it lies in.
fn covers(allowed: &Path, socket: &Path) -> bool {
    let is_plain = socket.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    is_plain && socket.starts_with(allowed)
}
