//! Document → snapshot: what sections say of each other.
mod tls;
mod triggers;

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
    Authentication, Domain, DomainKind, DomainTable, Function, Protocol, RemoteJwksSettings, RemoteKeySource,
    Route, RouteTable, Snapshot,
};
use crate::suggest::did_you_mean;

/// Compiles a document, whose relative paths begin at a folder. The snapshot is for use only when the
/// report has no errors afterwards.
pub(crate) fn compile(document: Document, folder: &Path, report: &mut Report) -> Snapshot {
    check_listeners(&document, report);
    let settings = document.gateway.value;
    let mut functions = Functions::new(document.functions, report);
    let mut first_places: HashMap<String, Place> = HashMap::new();
    let mut domains = Vec::new();
    let mut remote_keys = RemoteKeyNumbers::default();
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
        let tls = tls.compile(&settings, folder, report);
        if let Some(first) = first_places.get(&name) {
            report.error(&place, domain_already_named(&name, first));
            continue;
        }
        triggers::check_not_under(&settings.trigger_domain, &name, &place, report);
        first_places.insert(name.clone(), place);
        let Some(authentication) = domain.authentication else {
            continue;
        };
        let authentication = remote_keys.number(authentication, &settings.remote_jwks, report);
        domains.push(Domain {
            name,
            kind: DomainKind::Custom,
            number: domains.len(),
            protocol,
            tls,
            routes,
            authentication,
            cors: domain.cors,
        });
    }
    for trigger in triggers::compile(&mut functions, &settings.trigger_domain, report) {
        let authentication = remote_keys.number(trigger.authentication, &settings.remote_jwks, report);
        domains.push(Domain {
            name: trigger.name,
            kind: trigger.kind,
            number: domains.len(),
            protocol: Protocol::Http,
            tls: None,
            routes: RouteTable::new([trigger.route]),
            authentication,
            cors: trigger.cors,
        });
    }
    Snapshot {
        gateway: settings,
        admin: document.admin.value,
        functions: functions.compiled,
        domains: DomainTable::new(domains),
        remote_key_sources: remote_keys.into_sources(),
    }
}

/// Where keys are fetched from, each once and with a number.
#[derive(Default)]
struct RemoteKeyNumbers(HashMap<RemoteKeySource, usize>);

impl RemoteKeyNumbers {
    /// Gives the source of an authentication's remote keys its number.
    fn number(
        &mut self,
        written: document::Authentication,
        settings: &RemoteJwksSettings,
        report: &mut Report,
    ) -> Authentication {
        match written {
            document::Authentication::Anonymous => Authentication::Anonymous,
            document::Authentication::Jwt(mut jwt, source) => {
                if let Some(source) = source {
                    check_scheme_of_remote_keys(&source, settings, report);
                    let next = self.0.len();
                    jwt.remote_keys = Some(*self.0.entry(source.value).or_insert(next));
                }
                Authentication::Jwt(*jwt)
            }
        }
    }

    fn into_sources(self) -> Vec<RemoteKeySource> {
        let mut sources: Vec<_> = self.0.into_iter().collect();
        sources.sort_unstable_by_key(|(_, number)| *number);
        sources.into_iter().map(|(source, _)| source).collect()
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
    /// The HTTP triggers, each with the name of its function.
    triggers: Vec<(Written<String>, document::HttpTrigger)>,
}

impl Functions {
    fn new(written: Vec<document::Function>, report: &mut Report) -> Functions {
        let mut functions =
            Functions { compiled: HashMap::new(), names: HashMap::new(), triggers: Vec::new() };
        let mut ports: HashMap<u16, Place> = HashMap::new();
        for function in written {
            let Some(Written { value: name, place }) = function.name else {
                continue;
            };
            if let Some(first) = functions.names.get(&name) {
                report.error(&place, function_already_named(&name, first));
                continue;
            }
            if let Some(Written { value: port, place }) = function.port {
                match ports.get(&port) {
                    Some(first) => report.error(&place, port_taken(port, first)),
                    None => drop(ports.insert(port, place)),
                }
            }
            functions.names.insert(name.clone(), place.clone());
            if let Some(trigger) = function.http_trigger {
                functions.triggers.push((Written { value: name.clone(), place }, trigger));
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
            routes.push(Route { path, number, methods: route.methods, function, rewrite: route.rewrite });
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
