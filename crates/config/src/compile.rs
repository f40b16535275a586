//! Documents → snapshot: what documents say of each other.
//!
//! The configuration file is compiled for itself. Stored documents are compiled on top of it, each once:
//! what did not change is taken over from the snapshot before.
mod allow;
mod functions;
mod numbers;
mod stand_in;
mod stored;
mod tls;
mod triggers;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::Method;

use crate::document::{CustomDomain, Document, Route as WrittenRoute, domain_already_named};
use crate::place::{Location, Place, Written};
use crate::reach::Reach;
use crate::report::Report;
use crate::snapshot::{
    DocumentId, Domain, DomainKind, DomainTable, GatewaySettings, Origin, Protocol, Route, RouteTable,
    Snapshot, Source,
};
use functions::Functions;
use numbers::RemoteKeyNumbers;
pub use stored::{CanRun, DocumentProblem};

/// Compiles a document, whose relative paths begin at a folder. The snapshot is for use only when the
/// report has no errors afterwards.
pub(crate) fn compile(document: Document, folder: &Path, report: &mut Report) -> Snapshot {
    check_listeners(&document, report);
    let settings = document.gateway.value;
    let mut admin = document.admin.value;
    let access_keys = document.access_keys.into_iter();
    admin.access_keys = access_keys.filter_map(|key| key.load(folder, report)).collect();
    let mut compiler = Compiler::new(&settings, folder);
    let triggers = compiler.functions.add_declared(&document.functions, folder, report);
    let mut number = 0;
    for domain in &document.custom_domains {
        if let Some(domain) = compiler.domain(domain, number, report) {
            compiler.domains.insert(Arc::new(domain));
            number += 1;
        }
    }
    for trigger in &triggers {
        if let Some(domain) = compiler.trigger(trigger, number, report) {
            compiler.domains.insert(Arc::new(domain));
            number += 1;
        }
    }
    let Compiler { functions, domains, remote_keys, .. } = compiler;
    Snapshot {
        admin,
        allow: document.allow,
        store: document.store,
        functions: Arc::new(functions.compiled),
        domains: Arc::new(domains),
        remote_key_sources: remote_keys.into_sources(),
        folder: folder.to_owned(),
        declared: DocumentId::new(),
        gateway: settings,
    }
}

/// What is compiled so far.
struct Compiler<'a> {
    settings: &'a GatewaySettings,
    folder: &'a Path,
    functions: Functions,
    domains: DomainTable,
    /// Where each custom domain's name was seen first, whether or not it could be compiled.
    custom_domains: HashMap<String, Location>,
    /// The same of triggers.
    triggers: HashMap<String, Location>,
    remote_keys: RemoteKeyNumbers,
    /// The folders whose files stored documents may name.
    allowed_folders: &'a [PathBuf],
}

impl<'a> Compiler<'a> {
    fn new(settings: &'a GatewaySettings, folder: &'a Path) -> Self {
        Self {
            settings,
            folder,
            functions: Functions::default(),
            domains: DomainTable::default(),
            custom_domains: HashMap::new(),
            triggers: HashMap::new(),
            remote_keys: RemoteKeyNumbers::default(),
            allowed_folders: &[],
        }
    }

    fn domain(&mut self, written: &CustomDomain, number: usize, report: &mut Report) -> Option<Domain> {
        let routes = compile_routes(&written.routes, &self.functions, report);
        let Written { value: name, place } = written.name.as_ref()?;
        let tls = tls::Domain {
            name,
            protocol: &written.protocol,
            certificate: written.certificate.as_ref(),
            settings: written.tls_settings.as_ref(),
            allowed_folders: written.id.map(|_| self.allowed_folders),
        };
        let tls = tls.compile(self.settings, self.folder, report);
        if let Some(first) = self.custom_domains.get(name) {
            report.error(place, domain_already_named(name, *first));
            return None;
        }
        triggers::check_not_under(&self.settings.trigger_domain, name, place, report);
        self.custom_domains.insert(name.clone(), place.location);
        let authentication = written.authentication.as_ref()?;
        Some(Domain {
            name: name.clone(),
            kind: DomainKind::Custom,
            source: source_of(&written.json, written.id, place.location),
            number,
            protocol: written.protocol.value,
            tls,
            routes,
            remote_keys: self.remote_keys.number(authentication, &self.settings.remote_jwks, report),
            authentication: authentication.rules.clone(),
            cors: written.cors.clone(),
        })
    }

    fn trigger(
        &mut self,
        written: &functions::WrittenTrigger,
        number: usize,
        report: &mut Report,
    ) -> Option<Domain> {
        let trigger = triggers::compile(written, &self.functions, &mut self.triggers, self.settings, report)?;
        Some(Domain {
            name: trigger.name,
            kind: trigger.kind,
            source: trigger.source,
            number,
            protocol: Protocol::Http,
            tls: None,
            routes: RouteTable::new([trigger.route]),
            remote_keys: self.remote_keys.number(trigger.authentication, &self.settings.remote_jwks, report),
            authentication: trigger.authentication.rules.clone(),
            cors: trigger.cors,
        })
    }
}

/// Where a document comes from; one with an id of its own is stored.
fn source_of(json: &Arc<str>, id: Option<DocumentId>, location: Location) -> Source {
    let origin = id.map_or(Origin::Declared(location), Origin::Stored);
    Source { json: Arc::clone(json), origin, reach: Reach::Everywhere }
}

fn check_listeners(document: &Document, report: &mut Report) {
    let (gateway, listen) = (&document.gateway, document.admin.value.listen);
    let http = gateway.value.http;
    if http.port() != 0 && listen == Some(http) {
        let message = format!("the address {http} is gateway.http already; the admin listener needs its own");
        report.error(&document.admin.place, message);
    }
    let Some(https) = gateway.value.https.filter(|https| https.port() != 0) else { return };
    if https == http {
        report.error(
            &gateway.place,
            format!("the address {https} is gateway.http already; gateway.https needs its own"),
        );
    }
    if Some(https) == listen {
        let message =
            format!("the address {https} is gateway.https already; the admin listener needs its own");
        report.error(&document.admin.place, message);
    }
}

fn compile_routes(written: &[WrittenRoute], functions: &Functions, report: &mut Report) -> RouteTable {
    let mut routes = Vec::new();
    let mut earlier: HashMap<&str, Vec<(&[Method], &Place)>> = HashMap::new();
    for route in written {
        let function = route.function_name.as_ref().and_then(|name| functions.find(name, report));
        let Some(Written { value: path, place }) = &route.path else {
            continue;
        };
        let same_path = earlier.entry(path).or_default();
        for (methods, first) in same_path.iter() {
            if let Some(overlap) = overlap(methods, &route.methods) {
                let message = format!("{overlap} {path} already has a route {}", first.location);
                report.error(place, message);
                break;
            }
        }
        same_path.push((&route.methods, place));
        if let Some(function) = function {
            routes.push(Route {
                path: path.clone(),
                number: routes.len(),
                methods: route.methods.clone(),
                function: Arc::clone(function),
                rewrite: route.rewrite.clone(),
            });
        }
    }
    RouteTable::new(routes)
}

/// A method that both lists serve, empty lists serving all.
fn overlap(left: &[Method], right: &[Method]) -> Option<String> {
    match (left.first(), right.first()) {
        (None, None) => Some("every method of".to_owned()),
        (Some(method), None) | (None, Some(method)) => Some(method.to_string()),
        _ => left.iter().find(|method| right.contains(method)).map(Method::to_string),
    }
}
