//! `control`.
use std::path::PathBuf;

use crate::place::quoted;
use crate::reader::Field;
use crate::report::Report;
use crate::snapshot::Allow;
use crate::yaml::Value;

/// Reads `control`; nothing is allowed when it is left out.
pub(super) fn read(field: Option<Field<'_>>, report: &mut Report) -> Allow {
    let mut allow = Allow::default();
    let Some(mut object) =
        field.and_then(|field| field.object("an object, as {allow: {processes: true}}", report))
    else {
        return allow;
    };
    let right = "an object with processes, users, unixSockets and linkLocalAddresses";
    if let Some(mut object) = object.field("allow").and_then(|field| field.object(right, report)) {
        let boolean = |field: Option<Field<'_>>, report: &mut Report| {
            field.and_then(|field| field.boolean(report)).unwrap_or_default()
        };
        allow.processes = boolean(object.field("processes"), report);
        allow.link_local_addresses = boolean(object.field("linkLocalAddresses"), report);
        let right = "a list of users, by name or number, as [www-data]";
        let users = object.field("users").and_then(|field| field.list(right, report)).unwrap_or_default();
        allow.users = users.iter().filter_map(|field| read_user(field, report)).collect();
        let right = "a list of absolute paths of sockets and folders, as [/run/functions]";
        let paths =
            object.field("unixSockets").and_then(|field| field.list(right, report)).unwrap_or_default();
        allow.unix_sockets = paths.iter().filter_map(|field| read_socket(field, report)).collect();
        object.finish(report);
    }
    object.finish(report);
    allow
}

fn read_user(field: &Field<'_>, report: &mut Report) -> Option<String> {
    match &field.node.value {
        Value::Number(number) => Some(number.clone()),
        Value::String(name) if !name.is_empty() => Some(name.clone()),
        _ => field.wrong_type("a user's name or number, as www-data or 33", report),
    }
}

fn read_socket(field: &Field<'_>, report: &mut Report) -> Option<PathBuf> {
    let right = "the absolute path of a socket or of a folder of sockets, as /run/functions";
    let text = field.text(right, report)?;
    let path = PathBuf::from(text.value);
    // With "/" everything would be allowed, the sockets of the system included.
    let is_plain = path.is_absolute()
        && path.components().count() > 1
        && path.components().all(|part| !matches!(part, std::path::Component::ParentDir));
    if !is_plain {
        report.error(&text.place, format!("expected {right}, found {}", quoted(text.value)));
        return None;
    }
    Some(path)
}
