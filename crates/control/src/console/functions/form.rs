//! The form of a function: what it shows of a document, and how it changes one. Whatever it does not show stays
//! as it is.

mod process;
mod trigger;

use axum::response::Response;
use claimgate_config::DocumentKind;
use claimgate_jose::json::{Object, Value};

pub use process::{NUMBERS, ProcessForm, VariableRow};
pub use trigger::TriggerForm;

use super::edit;
use crate::console::Console;
use crate::console::documents::member::text;
use crate::console::documents::{DocumentForm, Editing, Problems};
use crate::console::form::Fields;
use crate::console::layout::Layout;

/// What the form holds, as it is shown and sent.
#[derive(Debug, Default, Clone)]
pub struct FunctionForm {
    pub name: String,
    /// `url`, `unix`, `process` or `builtin`.
    pub kind: String,
    pub url: String,
    /// The path of the unix socket.
    pub socket: String,
    pub process: ProcessForm,
    pub trigger: TriggerForm,
}

impl DocumentForm for FunctionForm {
    const KIND: DocumentKind = DocumentKind::Function;

    fn empty() -> Self {
        Self { kind: "url".to_owned(), trigger: TriggerForm::empty(), ..Self::default() }
    }

    fn of_document(document: &Object) -> Self {
        let mut form = Self {
            name: text(document, "functionName"),
            process: ProcessForm::of_document(document),
            trigger: TriggerForm::of_document(document),
            ..Self::empty()
        };
        let url = text(document, "url");
        match url.strip_prefix("unix:") {
            Some(socket) => form.socket = socket.strip_prefix("//").unwrap_or(socket).to_owned(),
            None => form.url = url.clone(),
        }
        form.kind = if document.get("process").is_some() {
            "process"
        } else if document.get("builtin").is_some() {
            "builtin"
        } else if url.starts_with("unix:") {
            "unix"
        } else {
            "url"
        }
        .to_owned();
        form
    }

    fn of_fields(fields: &Fields) -> Self {
        Self {
            name: fields.text("function-name").trim().to_owned(),
            kind: fields.text("kind").to_owned(),
            url: fields.text("url").trim().to_owned(),
            socket: fields.text("socket").trim().to_owned(),
            process: ProcessForm::of_fields(fields),
            trigger: TriggerForm::of_fields(fields),
        }
    }

    fn onto(&self, document: &Object) -> Result<Object, Problems> {
        let before = Self::of_document(document);
        let mut document = document.clone();
        if before.name != self.name {
            document.insert("functionName", self.name.as_str());
        }
        let is_other = before.kind != self.kind;
        if is_other {
            for member in ["url", "process", "builtin"] {
                document.remove(member);
            }
        }
        match self.kind.as_str() {
            "process" => self.process.onto(&mut document)?,
            "builtin" if is_other => drop(document.insert("builtin", "echo")),
            "unix" if is_other || self.socket != before.socket => {
                document.insert("url", format!("unix:{}", self.socket));
            }
            "url" if is_other || self.url != before.url || document.get("url").is_none() => {
                document.insert("url", Value::from(self.url.as_str()));
            }
            _ => {}
        }
        self.trigger.onto(&mut document)?;
        Ok(document)
    }

    fn page(self, console: &Console, layout: Layout, editing: Editing<'_>) -> Response {
        edit::show(self, console, layout, editing)
    }
}

#[cfg(test)]
mod tests;
