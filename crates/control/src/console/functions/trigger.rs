//! A function's HTTP trigger, as pages show it.

use claimgate_jose::json::Object;

use super::form::TriggerForm;
use crate::console::Console;

/// An HTTP trigger.
pub struct Trigger {
    pub host: String,
    /// Where this gateway serves it.
    pub url: String,
    pub form: TriggerForm,
}

impl Trigger {
    /// That of a function's document, if it has one.
    pub fn of(console: &Console, function: &str, document: &Object) -> Option<Self> {
        let form = Some(TriggerForm::of_document(document)).filter(|form| form.is_on)?;
        let host = console.catalog().gateway().serving().snapshot.gateway.trigger_host(function);
        Some(Self { url: url(console, &host), host, form })
    }

    pub fn is_jwt(&self) -> bool {
        self.form.authentication.auth_type == "jwt"
    }
}

/// Triggers are served over HTTP alone.
pub fn url(console: &Console, host: &str) -> String {
    match console.data_plane().http.port() {
        80 => format!("http://{host}/"),
        port => format!("http://{host}:{port}/"),
    }
}
