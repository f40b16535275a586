//! Document → snapshot: what sections say of each other.
mod tls;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use http::Method;

use crate::document::{
    self, Document, check_scheme_of_remote_keys, domain_already_named, function_already_named, port_taken,
};
use crate::place::{Place, Written, quoted};
use crate::report::Report;
use crate::snapshot::{
    Authentication, Domain, DomainTable, Function, RemoteKeySource, Route, RouteTable, Snapshot,
};
use crate::suggest::did_you_mean;

/// Compiles a document, whose relative paths begin at a folder. The snapshot is for use only when the
/// report has no errors afterwards.
pub(crate) fn compile(document: Document, folder: &Path, report: &mut Report) -> Snapshot {
    check_listeners(&document, report);
    let functions = Functions::new(document.functions, report);
    let mut first_places: HashMap<String, Place> = HashMap::new();
    let mut domains = Vec::new();
    let mut remote_key_sources: HashMap<RemoteKeySource, usize> = HashMap::new();
    for domain in document.custom_domains {
        let routes = compile_routes(domain.routes, &functions, report);
        let protocol = domain.protocol.value;
        let Some(Written { value: name, place }) = domain.name else {
            continue;
        };
        let tls = tls::Domain {
            name: &name,
            protocol: domain.protocol,
            certificate: domain.certificate,
            settings: domain.tls_settings,
        };
        let tls = tls.compile(&document.gateway.value, folder, report);
        if let Some(first) = first_places.get(&name) {
            report.error(&place, domain_already_named(&name, first));
            continue;
        }
        first_places.insert(name.clone(), place);
        let authentication = match domain.authentication {
            None => continue,
            Some(document::Authentication::Anonymous) => Authentication::Anonymous,
            Some(document::Authentication::Jwt(mut jwt, source)) => {
                if let Some(source) = source {
                    check_scheme_of_remote_keys(&source, &document.gateway.value.remote_jwks, report);
                    let next = remote_key_sources.len();
                    jwt.remote_keys = Some(*remote_key_sources.entry(source.value).or_insert(next));
                }
                Authentication::Jwt(*jwt)
            }
        };
        domains.push(Domain { name, number: domains.len(), protocol, tls, routes, authentication });
    }
    let mut remote_key_sources: Vec<_> = remote_key_sources.into_iter().collect();
    remote_key_sources.sort_unstable_by_key(|(_, number)| *number);
    Snapshot {
        gateway: document.gateway.value,
        admin: document.admin.value,
        functions: functions.compiled,
        domains: DomainTable::new(domains),
        remote_key_sources: remote_key_sources.into_iter().map(|(source, _)| source).collect(),
    }
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

/// The functions of a file. Those whose target is wrong are known by name, so that their routes are
/// not reported too.
struct Functions {
    compiled: HashMap<String, Arc<Function>>,
    /// The place of each name.
    names: HashMap<String, Place>,
}

impl Functions {
    fn new(written: Vec<document::Function>, report: &mut Report) -> Functions {
        let mut functions = Functions { compiled: HashMap::new(), names: HashMap::new() };
        let mut ports: HashMap<u16, Place> = HashMap::new();
        for function in written {
            let Some(Written { value: name, place }) = function.name else {
                continue;
            };
            if let Some(first) = functions.names.get(&name) {
                report.error(&place, function_already_named(&name, first));
                continue;
            }
            functions.names.insert(name.clone(), place);
            if let Some(Written { value: port, place }) = function.port {
                match ports.get(&port) {
                    Some(first) => report.error(&place, port_taken(port, first)),
                    None => drop(ports.insert(port, place)),
                }
            }
            if let Some(target) = function.target {
                functions.compiled.insert(name.clone(), Arc::new(Function { name, target }));
            }
        }
        functions
    }

    /// The function of a route; `None` when there is none, or it was wrong itself.
    fn find(&self, name: &Written<String>, report: &mut Report) -> Option<&Arc<Function>> {
        if !self.names.contains_key(&name.value) {
            report.error(&name.place, self.unknown(&name.value));
        }
        self.compiled.get(&name.value)
    }

    fn unknown(&self, name: &str) -> String {
        /// More names help nobody, and looking through very many takes time for each route.
        const MOST_NAMES: usize = 10;
        let mut names: Vec<&str> = self.names.keys().map(String::as_str).take(1000).collect();
        names.sort_unstable();
        let suggestion = did_you_mean(name, names.iter().copied());
        let declared = match names.len() {
            0 => "no function is declared".to_owned(),
            1..=MOST_NAMES => format!("declared are {}", names.join(", ")),
            _ => format!("{} functions are declared", self.names.len()),
        };
        format!("there is no function {}{suggestion} ({declared})", quoted(name))
    }
}

fn compile_routes(written: Vec<document::Route>, functions: &Functions, report: &mut Report) -> RouteTable {
    let mut routes = Vec::new();
    let mut earlier: HashMap<String, Vec<(Vec<Method>, Place)>> = HashMap::new();
    for route in written {
        let function = route.function_name.and_then(|name| functions.find(&name, report));
        let Some(Written { value: path, place }) = route.path else {
            continue;
        };
        let same_path = earlier.entry(path.clone()).or_default();
        for (methods, first) in same_path.iter() {
            if let Some(overlap) = overlap(methods, &route.methods) {
                let message = format!("{overlap} {path} already has a route on {}", first.location);
                report.error(&place, message);
                break;
            }
        }
        same_path.push((route.methods.clone(), place));
        if let Some(function) = function {
            let (number, function) = (routes.len(), Arc::clone(function));
            routes.push(Route { path, number, methods: route.methods, function });
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
