//! The form of a custom domain: what it shows of a document, and how it changes one. Whatever it does not
//! show stays as it is.

mod routes;

use axum::response::Response;
use claimgate_config::DocumentKind;
use claimgate_jose::json::{Object, Value};

pub use routes::RouteRow;

use super::edit;
use crate::console::Console;
use crate::console::documents::authentication::AuthenticationForm;
use crate::console::documents::member::{set_text, text};
use crate::console::documents::{DocumentForm, Editing, Problems};
use crate::console::form::Fields;
use crate::console::layout::Layout;

/// The member of `authConfig` with what belongs to `jwt`.
const DETAILS: &str = "authInfo";

/// What the form holds, as it is shown and sent.
#[derive(Debug, Default, Clone)]
pub struct DomainForm {
    pub domain_name: String,
    pub protocol: String,
    pub routes: Vec<RouteRow>,
    pub authentication: AuthenticationForm,
    /// `none`, `pem`, `files` or `acme`.
    pub certificate_source: String,
    pub cert_name: String,
    pub certificate: String,
    /// Empty where the stored one is kept.
    pub private_key: String,
}

impl DocumentForm for DomainForm {
    const KIND: DocumentKind = DocumentKind::CustomDomain;

    fn empty() -> Self {
        Self {
            protocol: "HTTP".to_owned(),
            routes: vec![RouteRow { path: "/*".to_owned(), ..RouteRow::default() }],
            authentication: AuthenticationForm::empty(),
            certificate_source: "none".to_owned(),
            ..Self::default()
        }
    }

    fn of_document(document: &Object) -> Self {
        let mut form = Self {
            domain_name: text(document, "domainName"),
            protocol: text(document, "protocol"),
            routes: routes::routes_of(document),
            ..Self::empty()
        };
        if form.protocol.is_empty() {
            form.protocol = "HTTP".to_owned();
        }
        if let Some(config) = document.get("authConfig").and_then(Value::as_object) {
            form.authentication = AuthenticationForm::of_object(config, DETAILS);
        }
        form.read_certificate(document);
        form
    }

    fn of_fields(fields: &Fields) -> Self {
        let text = |name: &str| fields.text(name).to_owned();
        Self {
            domain_name: fields.text("domain-name").trim().to_owned(),
            protocol: text("protocol"),
            routes: RouteRow::of_fields(fields),
            authentication: AuthenticationForm::of_fields(fields),
            certificate_source: text("certificate-source"),
            cert_name: text("cert-name"),
            certificate: text("certificate"),
            private_key: text("private-key"),
        }
    }

    fn onto(&self, document: &Object) -> Result<Object, Problems> {
        let before = Self::of_document(document);
        let mut document = document.clone();
        if before.domain_name != self.domain_name {
            document.insert("domainName", self.domain_name.as_str());
        }
        if before.protocol != self.protocol || document.get("protocol").is_none() {
            document.insert("protocol", self.protocol.as_str());
        }
        if before.routes != self.routes || document.get("routeConfig").is_none() {
            routes::set_routes(&mut document, &self.routes);
        }
        let mut config = match document.get("authConfig") {
            Some(Value::Object(config)) => config.clone(),
            _ => Object::new(),
        };
        self.authentication.onto(&mut config, DETAILS)?;
        document.insert("authConfig", config);
        self.write_certificate(&before, &mut document);
        Ok(document)
    }

    fn page(self, console: &Console, layout: Layout, editing: Editing<'_>) -> Response {
        edit::show(self, console, layout, editing)
    }
}

impl DomainForm {
    fn read_certificate(&mut self, document: &Object) {
        let Some(config) = document.get("certConfig").and_then(Value::as_object) else { return };
        self.cert_name = text(config, "certName");
        self.certificate = text(config, "certificate");
        self.certificate_source = if config.get("acme").and_then(Value::as_bool) == Some(true) {
            "acme"
        } else if config.get("certificateFile").is_some() {
            "files"
        } else if config.get("certificate").is_some() {
            "pem"
        } else {
            "none"
        }
        .to_owned();
    }

    fn write_certificate(&self, before: &Self, document: &mut Object) {
        if self.certificate_source != before.certificate_source {
            document.remove("certConfig");
        }
        let mut config = match document.remove("certConfig") {
            Some(Value::Object(config)) => config,
            _ => Object::new(),
        };
        set_text(&mut config, "certName", &self.cert_name);
        match self.certificate_source.as_str() {
            "pem" => {
                set_text(&mut config, "certificate", &self.certificate);
                if !self.private_key.trim().is_empty() {
                    config.insert("privateKey", self.private_key.as_str());
                }
            }
            "acme" => drop(config.insert("acme", true)),
            "files" => {}
            _ => config = Object::new(),
        }
        if !config.is_empty() {
            document.insert("certConfig", config);
        }
    }
}

#[cfg(test)]
mod tests;
