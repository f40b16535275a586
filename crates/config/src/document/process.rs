//! `functions[].process`.
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::place::{Written, quoted};
use crate::reader::{Field, Object};
use crate::report::Report;
use crate::snapshot::{Environment, ProcessSettings};
use crate::yaml::Value;

const RIGHT: &str = "an object, as {command: [python3, app.py]}";
const COMMAND: &str = "a list of a program and its arguments, as [python3, app.py]";

/// Variables that tell an instance what it is; nobody else may set them.
const RESERVED: [&str; 5] =
    ["PORT", "FC_SERVER_PORT", "FC_CUSTOM_LISTEN_PORT", "FC_FUNCTION_NAME", "FC_INSTANCE_ID"];

const HOUR: u64 = 3600;

/// Reads a function's process; the port keeps its place, as no two functions may have the same.
pub(super) fn read(
    field: &Field<'_>,
    report: &mut Report,
) -> Option<(ProcessSettings, Option<Written<u16>>)> {
    let mut object = field.object(RIGHT, report)?;
    let command = object.required("command", COMMAND, report).and_then(|field| read_command(&field, report));
    let cwd = object.field("cwd").and_then(|field| text(&field, "the path of a folder", report));
    let env = object.field("env").map(|field| read_env(&field, report)).unwrap_or_default();
    let port = object.field("port").and_then(|field| {
        let port = field.integer(1..=65_535, "", report)?;
        Some(Written { value: u16::try_from(port).ok()?, place: field.place })
    });
    let instances = object.field("maxInstances");
    let max_instances = instances.as_ref().and_then(|field| field.integer(1..=1000, " instances", report));
    if let (Some(field), Some(2..), Some(port)) = (&instances, max_instances, &port) {
        let message = format!(
            "several instances cannot listen on one port; leave out port {} or keep maxInstances: 1",
            port.value
        );
        report.error(&field.place, message);
    }
    let user = object.field("user").and_then(|field| read_user(&field, report));
    let settings = ProcessSettings {
        command: Vec::new(),
        cwd: cwd.map(PathBuf::from),
        folder: PathBuf::new(),
        env,
        port: port.as_ref().map(|port| port.value),
        instance_concurrency: number(&mut object, "instanceConcurrency", (1, 1000, 20), " requests", report),
        max_instances: max_instances.and_then(|most| usize::try_from(most).ok()).unwrap_or(1),
        idle_timeout: seconds(&mut object, "idleTimeoutSeconds", (1, 31 * 24 * HOUR, 300), report),
        start_timeout: seconds(&mut object, "startTimeoutSeconds", (1, HOUR, 120), report),
        stop_timeout: seconds(&mut object, "stopTimeoutSeconds", (0, HOUR, 10), report),
        wait_timeout: seconds(&mut object, "waitTimeoutSeconds", (1, HOUR, 30), report),
        max_waiting_requests: number(&mut object, "maxWaitingRequests", (0, 1_000_000, 1000), "", report),
        user,
    };
    object.finish(report);
    Some((ProcessSettings { command: command?, ..settings }, port))
}

fn read_command(field: &Field<'_>, report: &mut Report) -> Option<Vec<String>> {
    let items = field.list(COMMAND, report)?;
    let command: Vec<String> = items.iter().filter_map(|item| text(item, "a string", report)).collect();
    if command.len() < items.len() {
        return None;
    }
    if command.first().is_none_or(String::is_empty) {
        report.error(&field.place, format!("expected {COMMAND}, found no program"));
        return None;
    }
    Some(command)
}

/// Values are told in no message, as they may be secrets.
fn read_env(field: &Field<'_>, report: &mut Report) -> Environment {
    let mut variables = BTreeMap::new();
    let Some(object) = field.object("an object of names and values, as {LOG_LEVEL: debug}", report) else {
        return Environment::default();
    };
    for (name, value) in object.rest() {
        if name.is_empty() || name.contains(['=', '\0']) {
            report.error(&value.place, format!("{} is no name of an environment variable", quoted(name)));
            continue;
        }
        if RESERVED.contains(&name) {
            report
                .error(&value.place, format!("{name} is set for each instance by the gateway; leave it out"));
            continue;
        }
        let Some(Written { value: text, place }) = value.secret("the variable's value", report) else {
            continue;
        };
        if text.contains('\0') {
            report.error(&place, "an environment variable holds no NUL");
            continue;
        }
        variables.insert(name.to_owned(), text.to_owned());
    }
    Environment(variables)
}

/// A name, or a number with or without quotes.
fn read_user(field: &Field<'_>, report: &mut Report) -> Option<String> {
    let right = "a user's name or number, as www-data or 33";
    let user = match &field.node.value {
        Value::Number(number) => number.as_str(),
        Value::String(name) => name.as_str(),
        _ => return field.wrong_type(right, report),
    };
    if user.is_empty() || !user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.$@".contains(&byte)) {
        report.error(&field.place, format!("expected {right}, found {}", quoted(user)));
        return None;
    }
    Some(user.to_owned())
}

/// A string that the system takes for a path or an argument.
fn text(field: &Field<'_>, right: &str, report: &mut Report) -> Option<String> {
    let Written { value: text, place } = field.text(right, report)?;
    if text.contains('\0') {
        report.error(&place, format!("expected {right}; there is a NUL in it"));
        return None;
    }
    Some(text.to_owned())
}

/// A number between a least and a most, or its default.
fn number(
    object: &mut Object<'_>,
    name: &'static str,
    (least, most, default): (u64, u64, usize),
    unit: &str,
    report: &mut Report,
) -> usize {
    let number = object.field(name).and_then(|field| field.integer(least..=most, unit, report));
    number.and_then(|number| usize::try_from(number).ok()).unwrap_or(default)
}

fn seconds(
    object: &mut Object<'_>,
    name: &'static str,
    (least, most, default): (u64, u64, u64),
    report: &mut Report,
) -> Duration {
    let seconds = object.field(name).and_then(|field| field.integer(least..=most, " seconds", report));
    Duration::from_secs(seconds.unwrap_or(default))
}
