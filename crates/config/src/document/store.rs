//! `store`.
use std::path::PathBuf;

use http::Uri;

use crate::place::{Written, quoted};
use crate::reader::{Field, Object};
use crate::report::Report;
use crate::snapshot::{EtcdSettings, StoreBackend, StoreSettings};

/// Reads `store`; nothing is stored when it is left out.
pub(super) fn read(field: Option<Field<'_>>, report: &mut Report) -> Option<StoreSettings> {
    let right = "an object with sqlite or etcd, as {sqlite: ./claimgate.db}";
    let mut object = field?.object(right, report)?;
    let key_file = path(&mut object, "keyFile", "the file of a key", report);
    let allow_files = object.field("allowFiles").and_then(|field| read_folders(&field, report));
    let (sqlite, etcd) = (object.field("sqlite"), object.field("etcd"));
    let place = object.place.clone();
    object.finish(report);
    let backend = match (sqlite, etcd) {
        (Some(file), None) => {
            StoreBackend::Sqlite(file.file_path("the path of a database file", report)?.value)
        }
        (None, Some(etcd)) => StoreBackend::Etcd(read_etcd(&etcd, report)?),
        (None, None) => {
            report.error(&place, format!("expected {right}"));
            return None;
        }
        (Some(_), Some(etcd)) => {
            report.error(&etcd.place, "there is one store: keep sqlite or etcd");
            return None;
        }
    };
    Some(StoreSettings { backend, key_file, allow_files: allow_files.unwrap_or_default() })
}

fn read_folders(field: &Field<'_>, report: &mut Report) -> Option<Vec<PathBuf>> {
    let folders = field.list("a list of folders, as [/etc/claimgate/certificates]", report)?;
    let paths = folders.iter().map(|folder| folder.file_path("the path of a folder", report));
    Some(paths.flatten().map(|path| path.value).collect())
}

fn read_etcd(field: &Field<'_>, report: &mut Report) -> Option<EtcdSettings> {
    let mut object = field.object("an object with endpoints", report)?;
    let right = "a list of URLs, as [http://127.0.0.1:2379]";
    let endpoints = object.required("endpoints", right, report);
    let endpoints = endpoints.and_then(|field| {
        let texts = field.texts(right, "a URL, as http://127.0.0.1:2379", report)?;
        if texts.is_empty() {
            report.error(&field.place, format!("expected {right}, found none"));
        }
        let read = texts.iter().filter_map(|text| read_endpoint(text, report));
        Some(read.collect::<Vec<_>>())
    });
    let prefix = object.field("prefix").and_then(|field| read_prefix(&field, report));
    let username = object.field("username").and_then(|field| field.text("a user name", report));
    let password_file = path(&mut object, "passwordFile", "the file of a password", report);
    let ca_file = path(&mut object, "caFile", "a PEM file", report);
    let certificate = path(&mut object, "certificateFile", "a PEM file", report);
    let private_key = path(&mut object, "privateKeyFile", "a PEM file", report);
    let snapshot_file = path(&mut object, "snapshotFile", "the path of a file", report);
    if username.is_some() != password_file.is_some() {
        report.error(&object.place, "username and passwordFile belong together; write both or none");
    }
    let client_certificate = match (certificate, private_key) {
        (Some(certificate), Some(private_key)) => Some((certificate, private_key)),
        (None, None) => None,
        _ => {
            report.error(
                &object.place,
                "certificateFile and privateKeyFile belong together; write both or none",
            );
            None
        }
    };
    object.finish(report);
    Some(EtcdSettings {
        endpoints: endpoints?,
        prefix: prefix.unwrap_or_else(|| "/claimgate".to_owned()),
        username: username.map(|username| username.value.to_owned()),
        password_file,
        ca_file,
        client_certificate,
        snapshot_file,
    })
}

fn path(object: &mut Object<'_>, name: &'static str, right: &str, report: &mut Report) -> Option<PathBuf> {
    object.field(name)?.file_path(right, report).map(|path| path.value)
}

fn read_endpoint(text: &Written<&str>, report: &mut Report) -> Option<String> {
    let uri = text.value.parse::<Uri>().ok();
    let is_right = uri.is_some_and(|uri| {
        let authority = uri.authority().map(|authority| authority.as_str());
        matches!(uri.scheme_str(), Some("http" | "https"))
            && authority.is_some_and(|authority| !authority.contains('@'))
            && uri.path() == "/"
    });
    if !is_right {
        // Not quoted: it may hold a password.
        let message =
            "expected the URL of an etcd member, as http://127.0.0.1:2379, without path and user name";
        report.error(&text.place, message);
        return None;
    }
    Some(text.value.trim_end_matches('/').to_owned())
}

fn read_prefix(field: &Field<'_>, report: &mut Report) -> Option<String> {
    let right = "what all keys begin with, as /claimgate";
    let Written { value: text, place } = field.text(right, report)?;
    let prefix = text.trim_end_matches('/');
    if !prefix.starts_with('/') || prefix.contains(char::is_control) {
        report.error(&place, format!("expected {right}, found {}", quoted(text)));
        return None;
    }
    Some(prefix.to_owned())
}
