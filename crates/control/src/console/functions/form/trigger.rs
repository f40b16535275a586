//! `httpTrigger` in the form.

use claimgate_jose::json::{Object, Value};

use crate::console::documents::Problems;
use crate::console::documents::authentication::AuthenticationForm;
use crate::console::form::Fields;

/// The member with what belongs to `jwt`.
const DETAILS: &str = "authConfig";

/// Methods that a trigger may be limited to.
const METHODS: [&str; 7] = ["HEAD", "GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];

/// What the form holds of it.
#[derive(Debug, Default, Clone)]
pub struct TriggerForm {
    /// Whether there is one.
    pub is_on: bool,
    pub authentication: AuthenticationForm,
    /// In the order in which they are offered; none for all.
    pub methods: Vec<&'static str>,
    /// `disableURLInternet`.
    pub is_disabled: bool,
}

impl TriggerForm {
    /// That of a new function.
    pub fn empty() -> Self {
        Self { authentication: AuthenticationForm::empty(), ..Self::default() }
    }

    pub fn of_document(document: &Object) -> Self {
        let Some(trigger) = document.get("httpTrigger").and_then(Value::as_object) else {
            return Self::empty();
        };
        let methods = trigger.get("methods").and_then(Value::as_array).unwrap_or_default();
        let is_chosen = |method: &str| methods.iter().any(|known| known.as_str() == Some(method));
        Self {
            is_on: true,
            authentication: AuthenticationForm::of_object(trigger, DETAILS),
            methods: METHODS.into_iter().filter(|method| is_chosen(method)).collect(),
            is_disabled: trigger.get("disableURLInternet").and_then(Value::as_bool) == Some(true),
        }
    }

    pub fn of_fields(fields: &Fields) -> Self {
        let is_chosen = |method: &str| fields.all("method").any(|chosen| chosen == method);
        Self {
            is_on: fields.text("trigger") == "on",
            authentication: AuthenticationForm::of_fields(fields),
            methods: METHODS.into_iter().filter(|method| is_chosen(method)).collect(),
            is_disabled: fields.find("trigger-disabled").is_some(),
        }
    }

    /// Writes what differs from what the document says.
    pub fn onto(&self, document: &mut Object) -> Result<(), Problems> {
        if !self.is_on {
            document.remove("httpTrigger");
            return Ok(());
        }
        let before = Self::of_document(document);
        let mut trigger = match document.get("httpTrigger") {
            Some(Value::Object(trigger)) => trigger.clone(),
            _ => Object::new(),
        };
        self.authentication.onto(&mut trigger, DETAILS)?;
        if self.methods != before.methods {
            trigger.remove("methods");
            if !self.methods.is_empty() {
                trigger.insert("methods", self.methods.iter().copied().map(Value::from).collect::<Vec<_>>());
            }
        }
        if self.is_disabled != before.is_disabled {
            trigger.remove("disableURLInternet");
            if self.is_disabled {
                trigger.insert("disableURLInternet", true);
            }
        }
        document.insert("httpTrigger", trigger);
        Ok(())
    }

    /// The methods that are offered, and whether they are chosen.
    pub fn offered(&self) -> impl Iterator<Item = (&'static str, bool)> {
        METHODS.into_iter().map(|method| (method, self.methods.contains(&method)))
    }
}
