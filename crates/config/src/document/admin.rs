//! `admin`.
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use super::gateway::integer;
use super::{WrittenAccessKey, access_keys, check_domain_name, proxies};
use crate::place::{Written, quoted};
use crate::reader::{Field, Object};
use crate::report::Report;
use crate::snapshot::{AdminLimits, AdminSettings, CertificateFiles, HostPattern};
use crate::yaml::Value;

const HOSTS: &str = "a list of host names, as [console.example.com, \"*.svc.cluster.local\"]";

/// Reads `admin`: 127.0.0.1:8081 when it is left out, no listener when `listen` is `none` or null.
pub(super) fn read(field: Option<Field<'_>>, report: &mut Report) -> (AdminSettings, Vec<WrittenAccessKey>) {
    let mut settings = AdminSettings::default();
    let Some(mut object) = field.and_then(|field| field.object("an object", report)) else {
        return (settings, Vec::new());
    };
    if let Some(field) = object.written("listen") {
        match &field.node.value {
            Value::Null => settings.listen = None,
            Value::String(text) if text == "none" => settings.listen = None,
            _ => {
                let right = "an address with port, as \"127.0.0.1:8081\", or none";
                let listen = field.address(right, report);
                if listen.is_some() {
                    settings.listen = listen;
                }
            }
        }
    }
    settings.tls = read_tls(&mut object, report);
    let mut flag = |name, setting: &mut bool| {
        let field: Option<Field<'_>> = object.field(name);
        if let Some(written) = field.and_then(|field| field.boolean(report)) {
            *setting = written;
        }
    };
    flag("allowInsecure", &mut settings.allow_insecure);
    flag("openMetrics", &mut settings.open_metrics);
    if let Some(listen) = settings.listen
        && !listen.ip().is_loopback()
        && object.field("tls").is_none()
        && !settings.allow_insecure
    {
        let message = format!(
            "passwords and keys would cross the network readable, as {listen} is reached from other machines; \
             set admin.tls, listen on 127.0.0.1, or write allowInsecure: true where something in front of it \
             protects it"
        );
        report.error(&object.place, message);
    }
    let names = object.field("hosts").and_then(|field| field.texts(HOSTS, "a host name", report));
    settings.hosts = names.unwrap_or_default().iter().filter_map(|name| read_host(name, report)).collect();
    settings.trusted_proxies = proxies::read_ranges(&mut object, report);
    read_limits(&mut object, &mut settings.limits, report);
    let access_keys = access_keys::read(&mut object, report);
    object.finish(report);
    (settings, access_keys)
}

/// Reads a name without port, or `*.` and a name.
fn read_host(written: &Written<&str>, report: &mut Report) -> Option<HostPattern> {
    let name = written.value.to_ascii_lowercase();
    let (name, pattern): (&str, fn(String) -> HostPattern) = match name.strip_prefix("*.") {
        Some(name) => (name, HostPattern::Below),
        None => (&name, HostPattern::Name),
    };
    match check_domain_name(name) {
        Ok(()) => Some(pattern(name.to_owned())),
        Err(why) => {
            let message = format!("{} is not a host name: {why}", quoted(written.value));
            report.error(&written.place, message);
            None
        }
    }
}

fn read_limits(admin: &mut Object<'_>, limits: &mut AdminLimits, report: &mut Report) {
    let Some(mut object) = admin.field("limits").and_then(|field| field.object("an object", report)) else {
        return;
    };
    for (name, limit) in [
        ("connections", &mut limits.connections),
        ("connectionsPerAddress", &mut limits.connections_per_address),
    ] {
        if let Some(written) = integer(&mut object, name, 1, 10_000, " connections", report) {
            *limit = written;
        }
    }
    object.finish(report);
}

fn read_tls(admin: &mut Object<'_>, report: &mut Report) -> Option<CertificateFiles> {
    let right = "an object with certificateFile and privateKeyFile";
    let mut object = admin.field("tls")?.object(right, report)?;
    let mut file = |name| {
        object.required(name, "a PEM file", report).and_then(|field| field.file_path("a PEM file", report))
    };
    let (certificate, private_key) = (file("certificateFile"), file("privateKeyFile"));
    object.finish(report);
    Some(CertificateFiles { certificate: certificate?.value, private_key: private_key?.value })
}

impl AdminSettings {
    /// Takes relative paths as beginning at a folder.
    pub(crate) fn resolve_paths(&mut self, folder: &Path) {
        if let Some(files) = &mut self.tls {
            files.certificate = folder.join(&files.certificate);
            files.private_key = folder.join(&files.private_key);
        }
    }
}

impl Default for AdminSettings {
    fn default() -> AdminSettings {
        AdminSettings {
            listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 8081))),
            tls: None,
            allow_insecure: false,
            open_metrics: false,
            access_keys: Vec::new(),
            hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            limits: AdminLimits::default(),
        }
    }
}
