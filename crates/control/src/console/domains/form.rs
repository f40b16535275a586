//! The form of a custom domain: what it shows of a document, and how it changes one. Whatever it does not
//! show stays as it is.

mod authentication;
mod member;
mod rows;

use claimgate_jose::json::{Object, Value};

pub use member::expanded;
pub use rows::{ClaimRow, RouteRow, TokenRow};

use super::super::form::Fields;
use member::{set_text, text};

/// What the form holds, as it is shown and sent.
#[derive(Debug, Default, Clone)]
pub struct DomainForm {
    pub domain_name: String,
    pub protocol: String,
    pub routes: Vec<RouteRow>,
    /// `jwt` or `anonymous`.
    pub auth_type: String,
    pub jwks: String,
    pub jwks_uri: String,
    /// One a line, as the next.
    pub issuers: String,
    pub audiences: String,
    pub leeway: String,
    pub tokens: Vec<TokenRow>,
    pub claims: Vec<ClaimRow>,
    /// `all`, `whitelist` or `blacklist`.
    pub scope: String,
    /// One a line.
    pub paths: String,
    /// `none`, `pem`, `files` or `acme`.
    pub certificate_source: String,
    pub cert_name: String,
    pub certificate: String,
    /// Empty where the stored one is kept.
    pub private_key: String,
}

impl DomainForm {
    /// The form of a domain that is to be created.
    pub fn empty() -> Self {
        Self {
            protocol: "HTTP".to_owned(),
            routes: vec![RouteRow { path: "/*".to_owned(), ..RouteRow::default() }],
            auth_type: "anonymous".to_owned(),
            tokens: vec![TokenRow::usual()],
            scope: "all".to_owned(),
            certificate_source: "none".to_owned(),
            ..Self::default()
        }
    }

    /// What a document says.
    pub fn of_document(document: &Object) -> Self {
        let mut form = Self {
            domain_name: text(document, "domainName"),
            protocol: text(document, "protocol"),
            routes: rows::routes_of(document),
            ..Self::empty()
        };
        if form.protocol.is_empty() {
            form.protocol = "HTTP".to_owned();
        }
        authentication::read(document, &mut form);
        form.read_certificate(document);
        form
    }

    /// What a browser has sent.
    pub fn of_fields(fields: &Fields) -> Self {
        let text = |name: &str| fields.text(name).to_owned();
        Self {
            domain_name: fields.text("domain-name").trim().to_owned(),
            protocol: text("protocol"),
            routes: RouteRow::of_fields(fields),
            auth_type: text("auth-type"),
            jwks: text("jwks"),
            jwks_uri: fields.text("jwks-uri").trim().to_owned(),
            issuers: text("issuers"),
            audiences: text("audiences"),
            leeway: fields.text("leeway").trim().to_owned(),
            tokens: TokenRow::of_fields(fields),
            claims: ClaimRow::of_fields(fields),
            scope: text("scope"),
            paths: text("paths"),
            certificate_source: text("certificate-source"),
            cert_name: text("cert-name"),
            certificate: text("certificate"),
            private_key: text("private-key"),
        }
    }

    /// The document with what the form says.
    ///
    /// # Errors
    ///
    /// The field whose text means nothing, and why.
    pub fn onto(&self, document: &Object) -> Result<Object, (&'static str, String)> {
        let before = Self::of_document(document);
        let mut document = document.clone();
        if before.domain_name != self.domain_name {
            document.insert("domainName", self.domain_name.as_str());
        }
        if before.protocol != self.protocol || document.get("protocol").is_none() {
            document.insert("protocol", self.protocol.as_str());
        }
        if before.routes != self.routes || document.get("routeConfig").is_none() {
            rows::set_routes(&mut document, &self.routes);
        }
        authentication::write(self, &before, &mut document)?;
        self.write_certificate(&before, &mut document);
        Ok(document)
    }

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
