//! `process` in the form.

use claimgate_jose::json::{Object, Value};

use crate::console::documents::Problems;
use crate::console::documents::member::{member, set_number, set_text, text};
use crate::console::form::Fields;
use crate::console::pretty::pretty;

/// A number of `process`.
pub struct Number {
    pub member: &'static str,
    /// The form's field.
    pub field: &'static str,
    pub label: &'static str,
    pub hint: &'static str,
    pub default: &'static str,
}

const fn number(
    member: &'static str,
    field: &'static str,
    label: &'static str,
    hint: &'static str,
    default: &'static str,
) -> Number {
    Number { member, field, label, hint, default }
}

impl Number {
    /// The id of its hint.
    pub fn hint_id(&self) -> String {
        format!("{}-hint", self.field)
    }
}

/// The numbers, as docs/process-functions.md has them.
pub const NUMBERS: [Number; 8] = [
    number(
        "instanceConcurrency",
        "instance-concurrency",
        "Instance Concurrency",
        "Requests that an instance works on at once.",
        "20",
    ),
    number(
        "maxInstances",
        "max-instances",
        "Maximum Instances",
        "More are started while those that run have no room.",
        "1",
    ),
    number("port", "port", "Port", "A fixed one allows for one instance.", "a free one"),
    number(
        "idleTimeoutSeconds",
        "idle-timeout",
        "Idle Timeout in seconds",
        "How long an instance is kept without a request.",
        "300",
    ),
    number(
        "startTimeoutSeconds",
        "start-timeout",
        "Start Timeout in seconds",
        "From the start until it accepts connections.",
        "120",
    ),
    number("stopTimeoutSeconds", "stop-timeout", "Stop Timeout in seconds", "From SIGTERM to SIGKILL.", "10"),
    number(
        "waitTimeoutSeconds",
        "wait-timeout",
        "Wait Timeout in seconds",
        "How long a request waits for room on an instance.",
        "30",
    ),
    number(
        "maxWaitingRequests",
        "max-waiting",
        "Maximum Waiting Requests",
        "More are refused with 503 at once.",
        "1000",
    ),
];

/// What the form holds of it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ProcessForm {
    /// An argument a line, or a JSON list where an argument has several lines.
    pub command: String,
    pub cwd: String,
    pub user: String,
    pub variables: Vec<VariableRow>,
    /// In the order of [`NUMBERS`].
    numbers: Vec<String>,
}

/// A variable of the environment.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct VariableRow {
    pub name: String,
    pub value: String,
}

impl ProcessForm {
    pub fn of_document(document: &Object) -> Self {
        let Some(process) = document.get("process").and_then(Value::as_object) else {
            return Self::default();
        };
        let environment = process.get("env").and_then(Value::as_object);
        let variables = environment
            .into_iter()
            .flat_map(Object::iter)
            .map(|(name, value)| VariableRow { name: name.to_owned(), value: in_field(value) });
        let number = |number: &Number| member(process, number.member).map(in_field).unwrap_or_default();
        Self {
            command: process.get("command").map(command_of).unwrap_or_default(),
            cwd: text(process, "cwd"),
            user: process.get("user").map(in_field).unwrap_or_default(),
            variables: variables.collect(),
            numbers: NUMBERS.iter().map(number).collect(),
        }
    }

    pub fn of_fields(fields: &Fields) -> Self {
        let variables = fields.all("variable-name").zip(fields.all("variable-value"));
        let variables = variables
            .map(|(name, value)| VariableRow { name: name.trim().to_owned(), value: value.to_owned() });
        Self {
            command: fields.text("command").to_owned(),
            cwd: fields.text("cwd").trim().to_owned(),
            user: fields.text("user").trim().to_owned(),
            variables: variables.filter(|row| !(row.name.is_empty() && row.value.is_empty())).collect(),
            numbers: NUMBERS.iter().map(|number| fields.text(number.field).trim().to_owned()).collect(),
        }
    }

    /// Writes what differs from what the document says.
    pub fn onto(&self, document: &mut Object) -> Result<(), Problems> {
        let before = Self::of_document(document);
        let mut process = match document.get("process") {
            Some(Value::Object(process)) => process.clone(),
            _ => Object::new(),
        };
        if self.command.trim() != before.command.trim() || process.get("command").is_none() {
            process.insert("command", command(&self.command));
        }
        if self.cwd != before.cwd {
            set_text(&mut process, "cwd", &self.cwd);
        }
        if self.user != before.user {
            set_text(&mut process, "user", &self.user);
        }
        if self.variables != before.variables {
            self.set_environment(&mut process)?;
        }
        for (position, number) in NUMBERS.iter().enumerate() {
            let text = self.number(position);
            if text != before.number(position) {
                set_number(&mut process, number.member, text);
            }
        }
        document.insert("process", process);
        Ok(())
    }

    /// The numbers with their texts.
    pub fn numbers(&self) -> impl Iterator<Item = (&'static Number, &str)> {
        NUMBERS.iter().enumerate().map(|(position, number)| (number, self.number(position)))
    }

    fn number(&self, position: usize) -> &str {
        self.numbers.get(position).map(String::as_str).unwrap_or_default()
    }

    fn set_environment(&self, process: &mut Object) -> Result<(), Problems> {
        let mut environment = Object::new();
        for (position, row) in self.variables.iter().enumerate() {
            if environment.insert(row.name.as_str(), row.value.as_str()).is_some() {
                let message = format!("the variable {} is there twice", row.name);
                return Err(Problems::one(format!("variable-name-{position}"), message));
            }
        }
        if environment.is_empty() {
            process.remove("env");
        } else {
            process.insert("env", environment);
        }
        Ok(())
    }
}

/// A text as it is; anything else as JSON, for whoever judges the document to say what is wrong with it.
fn in_field(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A command for its field.
fn command_of(command: &Value) -> String {
    let is_line = |argument: &&str| !argument.trim().is_empty() && !argument.contains(['\n', '\r']);
    let arguments = command.as_array().unwrap_or_default();
    let lines: Vec<&str> = arguments.iter().filter_map(Value::as_str).filter(is_line).collect();
    let is_list = lines.len() < arguments.len() || lines.first().is_some_and(|first| first.starts_with('['));
    if is_list { pretty(command) } else { lines.join("\n") }
}

/// The command of a field.
fn command(text: &str) -> Value {
    match Value::parse(text.trim().as_bytes()) {
        Ok(list @ Value::Array(_)) => list,
        _ => text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(Value::from)
            .collect::<Vec<Value>>()
            .into(),
    }
}
