//! `gateway.acme`.
use std::path::Path;
use std::time::Duration;

use http::Uri;

use crate::place::{Written, quoted};
use crate::reader::{Field, Object};
use crate::report::Report;
use crate::snapshot::{AcmeChallenge, AcmeSettings};
use crate::suggest::did_you_mean;

const CHALLENGES: [(&str, AcmeChallenge); 2] =
    [("http-01", AcmeChallenge::Http01), ("tls-alpn-01", AcmeChallenge::TlsAlpn01)];

/// Reads `gateway.acme`.
pub(super) fn read(gateway: &mut Object<'_>, report: &mut Report) -> Option<AcmeSettings> {
    let mut object = gateway.field("acme")?.object("an object with directoryUrl", report)?;
    let right = "the URL of an ACME server's directory, as https://acme-v02.api.letsencrypt.org/directory";
    let directory_url = object.required("directoryUrl", right, report);
    let directory_url = directory_url.and_then(|field| read_url(&field, right, report));
    let contacts = read_contacts(&mut object, report);
    let mut path = |name, right| {
        let path = object.field(name)?.file_path(right, report)?;
        Some(path.value)
    };
    let (folder, ca_file) = (path("folder", "a folder"), path("caFile", "a PEM file"));
    let challenges = read_challenges(&mut object, report);
    let retry = object.field("retrySeconds").and_then(|field| field.integer(1..=86400, " seconds", report));
    object.finish(report);
    Some(AcmeSettings {
        directory_url: directory_url?,
        contacts,
        folder,
        ca_file,
        challenges,
        retry: Duration::from_secs(retry.unwrap_or(60)),
    })
}

impl AcmeSettings {
    /// Takes relative paths as beginning at a folder.
    pub(crate) fn resolve_paths(&mut self, folder: &Path) {
        for path in [&mut self.folder, &mut self.ca_file].into_iter().flatten() {
            *path = folder.join(&path);
        }
    }
}

fn read_url(field: &Field<'_>, right: &str, report: &mut Report) -> Option<String> {
    let Written { value: text, place } = field.text(right, report)?;
    let is_right = text.parse::<Uri>().is_ok_and(|uri| {
        let authority = uri.authority().map(|authority| authority.as_str());
        uri.scheme_str() == Some("https") && authority.is_some_and(|authority| !authority.contains('@'))
    });
    if !is_right {
        report.error(&place, format!("expected {right}"));
        return None;
    }
    Some(text.to_owned())
}

/// RFC 8555, 7.3: URLs, of which every server knows `mailto:`.
fn read_contacts(acme: &mut Object<'_>, report: &mut Report) -> Vec<String> {
    let right = "a list of addresses, as [ops@example.com]";
    let contacts = acme.field("contacts").and_then(|field| field.texts(right, "an e-mail address", report));
    let mut read = Vec::new();
    for Written { value: text, place } in contacts.unwrap_or_default() {
        let address = text.strip_prefix("mailto:").unwrap_or(text);
        let is_address = address.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty() && !host.is_empty() && !address.contains([' ', ',', '?', '<', '>'])
        });
        if is_address {
            read.push(format!("mailto:{address}"));
        } else {
            report.error(
                &place,
                format!("expected an e-mail address, as ops@example.com, found {}", quoted(text)),
            );
        }
    }
    read
}

fn read_challenges(acme: &mut Object<'_>, report: &mut Report) -> Vec<AcmeChallenge> {
    let all = CHALLENGES.map(|(_, challenge)| challenge).to_vec();
    let Some(field) = acme.field("challenges") else { return all };
    let right = "a list of http-01 and tls-alpn-01";
    let Some(names) = field.texts(right, "http-01 or tls-alpn-01", report) else { return all };
    let mut read = Vec::new();
    for Written { value: text, place } in &names {
        match CHALLENGES.iter().find(|(name, _)| name == text) {
            Some((_, challenge)) if read.contains(challenge) => {
                report.error(place, format!("{text} is there already"));
            }
            Some((_, challenge)) => read.push(*challenge),
            None => {
                let suggestion = did_you_mean(text, CHALLENGES.map(|(name, _)| name));
                report.error(
                    place,
                    format!("expected http-01 or tls-alpn-01, found {}{suggestion}", quoted(text)),
                );
            }
        }
    }
    if names.is_empty() {
        report.error(&field.place, format!("expected {right}, found none"));
    }
    read
}
