//! `certConfig`, and which `protocol` a domain is served over.
use std::path::PathBuf;

use crate::place::{Place, Written, quoted};
use crate::reader::{Field, Object};
use crate::report::Report;
use crate::snapshot::Protocol;
use crate::suggest::did_you_mean;

/// `certConfig`, as it was written.
#[derive(Debug)]
pub(crate) enum CertConfig {
    /// `certificate` and `privateKey`: PEM.
    Inline(Pair<String>),
    /// `certificateFile` and `privateKeyFile`.
    Files(Pair<PathBuf>),
    /// `acme: true`.
    Acme,
}

/// A certificate and its private key.
pub(crate) struct Pair<T> {
    pub(crate) certificate: Written<T>,
    pub(crate) private_key: Written<T>,
}

impl<T> Pair<T> {
    /// The same of other values, each written in the place of its own.
    pub(crate) fn map<U>(&self, change: impl Fn(&T) -> U) -> Pair<U> {
        let map =
            |Written { value, place }: &Written<T>| Written { value: change(value), place: place.clone() };
        Pair { certificate: map(&self.certificate), private_key: map(&self.private_key) }
    }
}

/// Tells where they were written, and nothing of a key.
impl<T> std::fmt::Debug for Pair<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pair").field("certificate", &self.certificate.place).finish_non_exhaustive()
    }
}

const CERTIFICATE: &str = "a certificate in PEM, its chain behind it";
const PRIVATE_KEY: &str = "the certificate's private key in PEM";

/// Reads `certConfig`; nothing when it is left out or empty, as the original prints it. What is wrong in it
/// was reported, and leaves no value.
pub(super) fn read_certificate(
    domain: &mut Object<'_>,
    report: &mut Report,
) -> Option<Written<Option<CertConfig>>> {
    let field = domain.field("certConfig").filter(|field| !field.is_empty())?;
    Some(Written { place: field.place.clone(), value: read(&field, report) })
}

fn read(field: &Field<'_>, report: &mut Report) -> Option<CertConfig> {
    let right = "an object with certificate and privateKey, with certificateFile and privateKeyFile, or with \
                 acme: true";
    let mut object = field.object(right, report)?;
    if let Some(name) = object.field("certName") {
        name.text("a name", report);
    }
    let inline = [object.field("certificate"), object.field("privateKey")];
    let files = [object.field("certificateFile"), object.field("privateKeyFile")];
    let acme = object.field("acme").and_then(|field| field.boolean(report));
    let place = object.place.clone();
    object.finish(report);
    match (inline, files) {
        ([None, None], [None, None]) if acme == Some(true) => Some(CertConfig::Acme),
        ([None, None], [None, None]) => {
            report.error(&place, format!("expected {right}"));
            None
        }
        _ if acme == Some(true) => {
            report.error(&place, "with acme: true the certificate is obtained; leave out what names another");
            None
        }
        ([certificate, private_key], [None, None]) => {
            let certificate = present(certificate, "certificate", CERTIFICATE, &place, report);
            let private_key = present(private_key, "privateKey", PRIVATE_KEY, &place, report);
            let pem =
                |written: Written<&str>| Written { value: written.value.to_owned(), place: written.place };
            Some(CertConfig::Inline(Pair {
                certificate: pem(certificate?.text(CERTIFICATE, report)?),
                // What stands here may be a key even where it is misplaced.
                private_key: pem(private_key?.secret(PRIVATE_KEY, report)?),
            }))
        }
        ([None, None], [certificate, private_key]) => {
            let certificate = present(certificate, "certificateFile", "a PEM file", &place, report);
            let private_key = present(private_key, "privateKeyFile", "a PEM file", &place, report);
            Some(CertConfig::Files(Pair {
                certificate: certificate?.file_path("a PEM file", report)?,
                private_key: private_key?.file_path("a PEM file", report)?,
            }))
        }
        _ => {
            let message = "the certificate and its key are either both here (certificate and privateKey) or both \
                           in files (certificateFile and privateKeyFile)";
            report.error(&place, message);
            None
        }
    }
}

fn present<'a>(
    field: Option<Field<'a>>,
    name: &str,
    right: &str,
    place: &Place,
    report: &mut Report,
) -> Option<Field<'a>> {
    if field.is_none() {
        report.error(place, format!("the field {name} is missing; expected {right}"));
    }
    field
}

/// Reads `protocol`, which is HTTP when it is left out.
pub(super) fn read_protocol(
    domain: &mut Object<'_>,
    place: &Place,
    report: &mut Report,
) -> Written<Protocol> {
    let right = "HTTP, HTTPS or HTTP,HTTPS";
    let Some(Written { value: protocol, place }) =
        domain.field("protocol").and_then(|field| field.text(right, report))
    else {
        return Written { value: Protocol::default(), place: place.clone() };
    };
    let value = match protocol {
        "HTTP" => Protocol::Http,
        "HTTPS" => Protocol::Https,
        "HTTP,HTTPS" => Protocol::Both,
        _ => {
            let suggestion = did_you_mean(protocol, ["HTTP", "HTTPS", "HTTP,HTTPS"]);
            report.error(&place, format!("expected {right}, found {}{suggestion}", quoted(protocol)));
            Protocol::default()
        }
    };
    Written { value, place }
}
