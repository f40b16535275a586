//! The compiled configuration: immutable, shared by all requests, swapped as a whole.
mod access_key;
mod access_log;
mod acme;
mod admin;
mod control;
mod cors;
mod mapped;
mod process;
mod remote_jwks;
pub(crate) mod rewrite;
mod source;
mod store;
#[cfg(test)]
mod tests;
mod tls;
mod tracing;

pub use access_key::{AccessKey, AccessKeySecret, Role};
pub use access_log::{AccessLogFormat, AccessLogOutput, AccessLogSettings};
pub use acme::{AcmeChallenge, AcmeSettings};
pub use admin::{AdminLimits, AdminSettings, HostPattern};
pub use control::Allow;
pub use cors::{AllowedOrigins, CorsRules, OriginPattern};
pub use mapped::{MappedParameters, OtherBodies};
pub use process::{Environment, ProcessSettings};
pub use remote_jwks::{AddressRange, CacheFolder, NoAddressRange, RemoteJwksSettings, RemoteKeySource};
pub use rewrite::{RewriteKind, RewriteRule, RewriteRules, Rewritten};
pub use source::{DocumentId, Origin, RulesId, Source};
pub use store::{EtcdSettings, StoreBackend, StoreSettings};
pub use tls::{
    CertificateFiles, CertificateFilesError, CertificateFilesVersion, CertificateSource, DomainTls, Protocol,
    TlsSettings,
};
pub use tracing::TracingSettings;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use claimgate_jose::{JwkSet, Policy};
use http::{HeaderName, Method, StatusCode, Uri};
use rustc_hash::FxHashMap;

/// Everything that the gateway needs to answer requests.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The data plane's settings.
    pub gateway: GatewaySettings,
    /// The admin listener's settings.
    pub admin: AdminSettings,
    /// What may be stored.
    pub allow: Allow,
    /// Where the changes of API and console are stored; `None` when nothing is.
    pub store: Option<StoreSettings>,
    /// Every function, by name.
    pub functions: Arc<HashMap<String, Arc<Function>>>,
    /// Every custom domain and every HTTP trigger.
    pub domains: Arc<DomainTable>,
    /// Where keys are fetched from, each once.
    pub remote_key_sources: Vec<RemoteKeySource>,
    /// The folder that relative paths begin at: the configuration file's.
    pub folder: PathBuf,
    /// Tells one reading of the configuration file from the next.
    pub(crate) declared: DocumentId,
}

/// Settings of the data plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewaySettings {
    /// Address of the HTTP listener.
    pub http: SocketAddr,
    /// Address of the HTTPS listener; `None` when there is none.
    pub https: Option<SocketAddr>,
    /// The port of the HTTPS listener as clients see it; `None` when that is its own.
    pub https_public_port: Option<u16>,
    /// Where certificates are obtained that are not configured; `None` when nowhere.
    pub acme: Option<AcmeSettings>,
    /// What functions with an HTTP trigger lie under, in lower case.
    pub trigger_domain: String,
    /// Number of threads that serve requests; `None` means the CPUs that the process may run on.
    pub workers: Option<usize>,
    /// Status of an answer to a request without a token.
    pub missing_token_status: StatusCode,
    /// Sizes beyond which a request is refused.
    pub limits: Limits,
    /// Times after which the gateway gives up.
    pub timeouts: Timeouts,
    /// How remote key sets are fetched and kept.
    pub remote_jwks: RemoteJwksSettings,
    /// Memory for tokens that were verified, all threads together, in bytes; 0 for none.
    pub verified_token_cache_bytes: usize,
    /// Where requests are logged.
    pub access_log: AccessLogSettings,
    /// Proxies in front of the gateway, whose word on the client is taken.
    pub trusted_proxies: Vec<AddressRange>,
    /// Whether connections of trusted proxies begin with a header of the PROXY protocol.
    pub proxy_protocol: bool,
    /// How requests are traced; `None` when they are not.
    pub tracing: Option<TracingSettings>,
}

impl GatewaySettings {
    /// The host of a function's HTTP trigger, in lower case.
    pub fn trigger_host(&self, function: &str) -> String {
        format!("{}.{}", function.to_ascii_lowercase(), self.trigger_domain)
    }
}

/// Sizes beyond which a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// All header names and values together, in bytes.
    pub header_bytes: usize,
    /// Number of header fields.
    pub header_fields: usize,
    /// Method, target and version of the request line, in bytes.
    pub request_line_bytes: usize,
    /// A form that is held in memory, in bytes: to find a token in it, or to judge it before the function is called.
    pub form_bytes: usize,
    /// All forms together that are held in memory at one time, in bytes.
    pub form_memory_bytes: usize,
    /// A token, in bytes.
    pub token_bytes: usize,
    /// Connections of clients that may be open at once, WebSockets included.
    pub connections: usize,
    /// Routes whose requests are counted apart from those of others, and domains, each of which takes one more.
    pub counted_routes: usize,
    /// Requests that may be open at once on one connection of HTTP/2.
    pub http2_streams: usize,
}

/// Times after which the gateway gives up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    /// From the moment that a connection may send a request until its header is complete; so it also ends
    /// connections that are idle.
    pub header_read: Duration,
    /// From the beginning of an HTTPS connection until its keys are agreed upon.
    pub tls_handshake: Duration,
    /// Until a form that must be buffered has arrived.
    pub form_read: Duration,
    /// Until a connection to a function stands, name resolution and TLS included.
    pub connect: Duration,
    /// From the request, and again from each piece of its body, to the head of the function's answer.
    pub first_byte: Duration,
    /// Between two pieces of a body, in either direction.
    pub idle: Duration,
    /// From calling a function to the end of its answer; `None` for as long as it moves.
    pub response: Option<Duration>,
    /// From a signal to stop until requests in flight are given up.
    pub drain: Duration,
}

/// A function that requests are forwarded to.
#[derive(Debug)]
pub struct Function {
    /// `functionName`.
    pub name: String,
    /// Where it is.
    pub target: FunctionTarget,
    /// Where it was written.
    pub source: Source,
}

/// Where a function is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FunctionTarget {
    /// An HTTP server: `http://` or `https://` with host and port. A path in the configured URL is
    /// put before the request's path; it never ends with a slash.
    Url {
        /// Scheme and authority, with the path `/`.
        origin: Uri,
        /// Put before each request's path; empty when there is none.
        base_path: String,
    },
    /// An HTTP server on a unix socket.
    Unix(PathBuf),
    /// HTTP servers of this machine that the gateway starts and stops.
    Process(Arc<ProcessSettings>),
    /// The built-in function that answers with the request that it received.
    Echo,
    /// Nowhere, as what is stored of it, or of the domain that leads to it, cannot be served.
    Unavailable,
}

/// Custom domains and HTTP triggers, looked up by host. Their names are chosen by those who may configure the
/// gateway, and clients only ask for them: that needs no hash that withstands chosen names.
#[derive(Debug, Default, Clone)]
pub struct DomainTable {
    exact: FxHashMap<String, Arc<Domain>>,
    /// Keyed by what follows the `*.`.
    wildcard: FxHashMap<String, Arc<Domain>>,
}

impl DomainTable {
    /// A table of domains, whose names differ.
    pub fn new(domains: impl IntoIterator<Item = Domain>) -> DomainTable {
        let mut table = DomainTable::default();
        for domain in domains.into_iter().map(Arc::new) {
            table.insert(domain);
        }
        table
    }

    pub(crate) fn insert(&mut self, domain: Arc<Domain>) {
        match domain.name.strip_prefix("*.") {
            Some(parent) => self.wildcard.insert(parent.to_owned(), domain),
            None => self.exact.insert(domain.name.clone(), domain),
        };
    }

    /// The domain of just this name, which may begin with `*.`.
    pub fn named(&self, name: &str) -> Option<&Arc<Domain>> {
        match name.strip_prefix("*.") {
            Some(parent) => self.wildcard.get(parent),
            None => self.exact.get(name),
        }
    }

    /// One more than the largest [`number`](Domain::number) of a domain.
    pub fn numbers(&self) -> usize {
        self.iter().map(|domain| domain.number + 1).max().unwrap_or_default()
    }

    /// The domain of a host in lower case without port and trailing dot: the exact name before the
    /// wildcard, which stands for exactly one label.
    pub fn find(&self, host: &str) -> Option<&Arc<Domain>> {
        if let Some(domain) = self.exact.get(host) {
            return Some(domain);
        }
        let (_, parent) = host.split_once('.')?;
        self.wildcard.get(parent)
    }

    /// How many domains there are.
    pub fn len(&self) -> usize {
        self.exact.len() + self.wildcard.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every domain.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Domain>> {
        self.exact.values().chain(self.wildcard.values())
    }
}

/// A name that functions are reached by.
#[derive(Debug, Clone)]
pub struct Domain {
    /// In lower case: the `domainName`, `*.` included, or the function's name before the trigger domain.
    pub name: String,
    /// Whose name it is.
    pub kind: DomainKind,
    /// Where it was written; of a trigger, where its function was.
    pub source: Source,
    /// No other domain of its configuration has it. Numbers begin at 0 and leave few out.
    pub number: usize,
    /// What it is served over.
    pub protocol: Protocol,
    /// How it is served over HTTPS; `None` when it is not.
    pub tls: Option<DomainTls>,
    /// Its routes.
    pub routes: RouteTable,
    /// How its requests are authenticated.
    pub authentication: Authentication,
    /// Where more keys are fetched from: a position in [`Snapshot::remote_key_sources`].
    pub remote_keys: Option<usize>,
    /// Which pages of other origins may read its answers.
    pub cors: Option<CorsRules>,
}

/// Whose name a [`Domain`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DomainKind {
    /// A custom domain's.
    Custom,
    /// An HTTP trigger's.
    Trigger,
    /// That of an HTTP trigger with `disableURLInternet`, at which nothing is served.
    DisabledTrigger,
}

impl DomainKind {
    /// Whether it is the name of an HTTP trigger.
    pub fn is_trigger(self) -> bool {
        self != Self::Custom
    }
}

/// How a domain's requests are authenticated.
#[derive(Debug, Clone)]
pub enum Authentication {
    /// Not at all.
    Anonymous,
    /// By a JWT.
    Jwt(Arc<JwtAuthentication>),
}

/// JWT authentication of a domain: `authInfo`.
#[derive(Debug)]
pub struct JwtAuthentication {
    /// Tells these rules from all others.
    pub id: RulesId,
    /// Keys that stand in the configuration; none when all are fetched.
    pub keys: JwkSet,
    /// What tokens must fulfil.
    pub policy: Policy,
    /// Where the token is, in the order in which places are looked at; never empty.
    pub token_lookup: Vec<TokenSource>,
    /// Where claims go.
    pub claim_mappings: Vec<ClaimMapping>,
    /// The names that claims are mapped to, as they are looked for in requests.
    pub mapped: MappedParameters,
    /// What becomes of bodies that are not forms.
    pub other_bodies: OtherBodies,
    /// Which paths need a token.
    pub scope: AuthenticationScope,
    /// Whether the function receives the token too.
    pub forward_token: bool,
}

/// A place where a token may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSource {
    /// A header field.
    Header {
        /// Its name.
        name: HeaderName,
        /// The word before the token, without the space that separates them; never empty.
        prefix: Option<String>,
    },
    /// A cookie.
    Cookie(String),
    /// A query parameter.
    Query(String),
    /// A form parameter.
    Form(String),
}

/// A claim and the parameter that it is forwarded as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimMapping {
    /// Name of the claim: literal, or a dotted path.
    pub claim: String,
    /// Where the function finds it.
    pub parameter: Parameter,
}

/// A parameter of a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Parameter {
    /// A header field.
    Header(HeaderName),
    /// A query parameter.
    Query(String),
    /// A form parameter.
    Form(String),
    /// A cookie.
    Cookie(String),
}

/// Which paths need a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthenticationScope {
    /// Every path.
    Everything,
    /// Every path but those of the whitelist.
    AllExcept(Vec<PathPattern>),
    /// Only the paths of the blacklist.
    Only(Vec<PathPattern>),
}

/// A path, or the beginning of paths where it was written with a `*` at the end.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PathPattern {
    /// This path alone.
    Exact(String),
    /// Every path that begins so.
    Prefix(String),
}

impl PathPattern {
    /// The pattern of a canonical path, in which a `*` at the end means every continuation.
    fn of(path: &str) -> PathPattern {
        match path.strip_suffix('*') {
            Some(prefix) => PathPattern::Prefix(prefix.to_owned()),
            None => PathPattern::Exact(path.to_owned()),
        }
    }

    /// Whether a path is meant.
    pub fn matches(&self, path: &str) -> bool {
        match self {
            PathPattern::Exact(exact) => path == exact,
            PathPattern::Prefix(prefix) => path.starts_with(prefix.as_str()),
        }
    }
}

/// A domain's routes, looked up by path and method.
#[derive(Debug, Default, Clone)]
pub struct RouteTable {
    exact: FxHashMap<String, Vec<Route>>,
    /// Longest prefix first.
    prefixes: Vec<(String, Vec<Route>)>,
}

/// A route to a function.
#[derive(Debug, Clone)]
pub struct Route {
    /// `path` as it was written: canonical, with a `*` at its end when it is a prefix.
    pub path: String,
    /// Its place among the routes of its domain, from 0.
    pub number: usize,
    /// Methods that it serves; empty means all.
    pub methods: Vec<Method>,
    /// The function.
    pub function: Arc<Function>,
    /// What the function receives in place of the path.
    pub rewrite: Option<RewriteRules>,
}

/// What a [`RouteTable`] knows of a path and method.
#[derive(Debug)]
pub enum RouteMatch<'a> {
    /// The route that serves the request.
    Found(&'a Route),
    /// The path has routes, but none for the method; these are the methods that it has.
    MethodNotAllowed(Vec<Method>),
    /// No route has the path.
    NotFound,
}

impl RouteTable {
    /// A table of routes. Of two routes with the same path that serve a method, the first has it.
    pub fn new(routes: impl IntoIterator<Item = Route>) -> RouteTable {
        let mut exact: FxHashMap<String, Vec<Route>> = FxHashMap::default();
        let mut prefixes: HashMap<String, Vec<Route>> = HashMap::new();
        for route in routes {
            match PathPattern::of(&route.path) {
                PathPattern::Exact(path) => exact.entry(path).or_default().push(route),
                PathPattern::Prefix(prefix) => prefixes.entry(prefix).or_default().push(route),
            }
        }
        let mut prefixes: Vec<_> = prefixes.into_iter().collect();
        prefixes.sort_unstable_by_key(|(prefix, _)| Reverse(prefix.len()));
        RouteTable { exact, prefixes }
    }

    /// Every route.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        self.exact.values().chain(self.prefixes.iter().map(|(_, routes)| routes)).flatten()
    }

    /// The route of a canonical path: the exact path before the longest prefix, then the method.
    pub fn find(&self, path: &str, method: &Method) -> RouteMatch<'_> {
        let routes = self.exact.get(path).or_else(|| {
            let (_, routes) = self.prefixes.iter().find(|(prefix, _)| path.starts_with(prefix.as_str()))?;
            Some(routes)
        });
        let Some(routes) = routes else {
            return RouteMatch::NotFound;
        };
        let serves = |route: &&Route| route.methods.is_empty() || route.methods.contains(method);
        match routes.iter().find(serves) {
            Some(route) => RouteMatch::Found(route),
            None => {
                RouteMatch::MethodNotAllowed(routes.iter().flat_map(|route| route.methods.clone()).collect())
            }
        }
    }
}
