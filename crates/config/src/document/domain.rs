//! `customDomains[]`.
use std::net::IpAddr;
use std::sync::Arc;

use super::authentication::{self, Authentication};
use super::certificate::{self, CertConfig};
use super::cors;
use super::route::{self, Route};
use super::tls;
use crate::json_text;
use crate::place::{Location, Written, quoted};
use crate::reader::{Field, Object};
use crate::report::Report;
use crate::snapshot::{CorsRules, DocumentId, Protocol, TlsSettings};

/// A custom domain as it was written. What is missing was reported.
#[derive(Debug)]
pub(crate) struct CustomDomain {
    /// The whole as JSON.
    pub(crate) json: Arc<str>,
    /// Of a document that is stored.
    pub(crate) id: Option<DocumentId>,
    pub(crate) name: Option<Written<String>>,
    pub(crate) protocol: Written<Protocol>,
    pub(crate) certificate: Option<Written<Option<CertConfig>>>,
    pub(crate) tls_settings: Option<TlsSettings>,
    pub(crate) routes: Vec<Route>,
    pub(crate) authentication: Option<Authentication>,
    pub(crate) cors: Option<CorsRules>,
}

impl CustomDomain {
    pub(crate) fn read(field: &Field<'_>, report: &mut Report) -> Option<CustomDomain> {
        let right = "a custom domain, with domainName and routeConfig";
        let mut object = field.object(right, report)?;
        let name = object
            .required("domainName", "a domain name, as api.example.com", report)
            .and_then(|field| read_name(&field, report));
        let place = name.as_ref().map_or(&object.place, |name| &name.place).clone();
        let protocol = certificate::read_protocol(&mut object, &place, report);
        let certificate = certificate::read_certificate(&mut object, report);
        let tls_settings = tls::read(&mut object, report);
        let routes = route::read_all(&mut object, &place, report);
        let authentication = authentication::read(&mut object, &place, report);
        read_waf(&mut object, report);
        let cors = cors::read(&mut object, report);
        object.not_supported_unless_empty("isE2B", report);
        // What the original adds to a document that it prints.
        for name in ["accountId", "apiVersion", "createdTime", "lastModifiedTime", "subdomainCount"] {
            object.written(name);
        }
        object.finish(report);
        let json = json_text::print_document(field.node).into();
        Some(CustomDomain {
            json,
            id: None,
            name,
            protocol,
            certificate,
            tls_settings,
            routes,
            authentication,
            cors,
        })
    }
}

/// Where two domains of one name were written.
pub(crate) fn already_named(name: &str, first: Location) -> String {
    format!("the domain {name} is already declared {first}")
}

fn read_name(field: &Field<'_>, report: &mut Report) -> Option<Written<String>> {
    let Written { value: text, place } = field.text("a domain name, as api.example.com", report)?;
    let name = text.to_ascii_lowercase();
    match check_name(&name) {
        Ok(()) => Some(Written { value: name, place }),
        Err(why) => {
            report.error(&place, format!("{} is no domain name: {why}", quoted(text)));
            None
        }
    }
}

/// Function Compute's rules for `domainName`, but that single labels as `localhost` are allowed.
pub(crate) fn check_name(name: &str) -> Result<(), &'static str> {
    if name.contains("://") || name.contains('/') {
        return Err("leave out the scheme and the path, as in api.example.com");
    }
    if name.parse::<IpAddr>().is_ok() || name.starts_with('[') {
        return Err(NO_ADDRESS);
    }
    if name.contains(':') {
        return Err("leave out the port; a domain answers on every port");
    }
    if name.ends_with('.') {
        return Err("leave out the dot at the end");
    }
    if !name.is_ascii() {
        return Err("write an international name in its ASCII form, which begins with xn--");
    }
    if name.is_empty() || name.len() > 256 {
        return Err("a name has 1 to 256 characters");
    }
    let labels = name.strip_prefix("*.").unwrap_or(name);
    if labels.contains('*') {
        return Err("a * stands alone as the first label, as in *.example.com");
    }
    labels.split('.').try_for_each(check_label)?;
    let last = labels.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NO_ADDRESS);
    }
    if last.len() < 2 || !last.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Err("its last label has at least two characters and begins with a letter");
    }
    Ok(())
}

const NO_ADDRESS: &str = "requests are told apart by the name that they ask for, and an IP address is none; \
                          use localhost or a name that leads to the address";

fn check_label(label: &str) -> Result<(), &'static str> {
    if label.is_empty() || label.len() > 63 {
        return Err("each label between the dots has 1 to 63 characters");
    }
    if label.starts_with('-') {
        return Err("a label does not begin with -");
    }
    if !label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err("a name has letters, digits, - and dots only");
    }
    Ok(())
}

fn read_waf(domain: &mut Object<'_>, report: &mut Report) {
    let Some(mut waf) = domain.field("wafConfig").and_then(|field| field.object("an object", report)) else {
        return;
    };
    if let Some(field) = waf.field("enableWAF")
        && field.boolean(report) == Some(true)
    {
        report.warning(&field.place, "claimgate has no web application firewall; this has no effect");
    }
    waf.finish(report);
}
