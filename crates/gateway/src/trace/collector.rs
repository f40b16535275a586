//! Writes a [`Trace`] while a request goes its way.

use std::collections::HashSet;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use claimgate_config::Snapshot;
use claimgate_config::snapshot::{
    ClaimMapping, FunctionTarget, JwtAuthentication, Parameter, Rewritten, Route, TokenSource,
};
use claimgate_functions::Fields;
use claimgate_jose::json::{Object, Value};
use claimgate_jose::{Check, Jwk, base64url};
use serde_json::value::RawValue;

use super::words::{self, Evidence};
use super::{
    AuthenticationTrace, BodyTrace, CheckResult, CheckTrace, ClaimResult, ClaimTrace, CorsTrace, KeyTrace,
    LookupResult, LookupTrace, Outcome, PathTrace, RefusalTrace, RequestTrace, RewriteTrace, RouteTrace,
    RuleTrace, TokenTrace, Trace,
};
use crate::authenticate::Lookup;
use crate::claims::Delivery;
use crate::cors::Cors;
use crate::path::{Need, RequestPath};
use crate::reasons::explain;
use crate::rejection::{Fault, Rejection};
use crate::step::{Observer, Step};

/// The check that comes before those of [`Check::NAMES`].
const LENGTH: &str = "length";

/// What a function is sent.
pub struct Sent {
    /// Its head as HTTP/1.1 writes it.
    pub head: Bytes,
    pub body: Bytes,
}

/// An observer that notes everything.
pub struct Collector<'s> {
    snapshot: &'s Snapshot,
    now: Duration,
    jwt: Option<&'s JwtAuthentication>,
    /// Where keys are fetched from, and the names of those that are there.
    remote: Option<(String, Vec<String>)>,
    removed: HashSet<&'s Parameter>,
    /// Header and payload of the token, as far as they could be read.
    header: Option<Object>,
    payload: Option<Object>,
    trace: Trace,
}

impl<'s> Collector<'s> {
    /// An observer of a request at the time `now`, counted from the Unix epoch.
    pub fn new(snapshot: &'s Snapshot, now: Duration) -> Self {
        let trace = Trace {
            outcome: Outcome::Accepted,
            host: None,
            domain: None,
            cors: None,
            path: None,
            route: None,
            authentication: None,
            token_lookup: Vec::new(),
            token: None,
            key: None,
            token_removed: false,
            checks: Vec::new(),
            rewrite: None,
            claims: Vec::new(),
            request: None,
            refusal: None,
            found: None,
        };
        Self {
            snapshot,
            now,
            jwt: None,
            remote: None,
            removed: HashSet::new(),
            header: None,
            payload: None,
            trace,
        }
    }

    /// The trace of a request that ends so.
    pub fn finish(mut self, result: Result<Option<Sent>, Rejection>) -> Trace {
        self.add_missing_checks(result.as_ref().err());
        match result {
            Ok(Some(sent)) => self.trace.request = Some(request_trace(&sent)),
            Ok(None) => self.trace.outcome = Outcome::Preflight,
            Err(rejection) => self.refuse(&rejection),
        }
        self.trace
    }

    fn refuse(&mut self, rejection: &Rejection) {
        self.trace.outcome = match rejection.fault() {
            Fault::Client => Outcome::Refused,
            Fault::Function => Outcome::Failed,
        };
        let failed = self.trace.checks.iter().find(|check| check.result == CheckResult::Failed);
        let detail = match failed {
            Some(check) => check.detail.clone(),
            None => words::refusal(rejection, self.snapshot, &self.trace),
        };
        let explanation = explain(rejection.reason());
        self.trace.refusal = Some(RefusalTrace {
            status: rejection.status().as_u16(),
            code: rejection.code(),
            message: rejection.public_message(),
            reason: rejection.reason(),
            detail,
            explanation: explanation.what_happened,
            remedy: explanation.what_to_do,
        });
    }

    /// Adds the check that failed, which is the first one that was not passed, and those behind it.
    fn add_missing_checks(&mut self, rejection: Option<&Rejection>) {
        let (Some(token), Some(jwt)) = (&self.trace.token, self.jwt) else { return };
        let length = format!("{} bytes", token.length);
        let (result, detail) = match rejection {
            Some(Rejection::TokenTooLong { limit }) => {
                (CheckResult::Failed, format!("{length}, more than {limit}"))
            }
            _ => (CheckResult::Passed, length),
        };
        let mut failure = match rejection {
            Some(Rejection::InvalidToken(error)) => Some(self.evidence(jwt).failed(error)),
            _ => None,
        };
        let made = self.trace.checks.len();
        self.trace.checks.insert(0, CheckTrace { check: LENGTH, result, detail });
        for check in Check::NAMES.into_iter().skip(made) {
            self.trace.checks.push(match failure.take() {
                Some(detail) => CheckTrace { check, result: CheckResult::Failed, detail },
                None => CheckTrace { check, result: CheckResult::NotReached, detail: String::new() },
            });
        }
    }

    fn evidence<'e>(&'e self, jwt: &'e JwtAuthentication) -> Evidence<'e> {
        Evidence {
            jwt,
            remote: self.remote.as_ref(),
            header: self.header.as_ref(),
            payload: self.payload.as_ref(),
            key: self.trace.key.as_ref(),
            now: self.now,
        }
    }

    fn looked_up(&mut self, source: &TokenSource, found: &Lookup<'_>) {
        let result = match found {
            Lookup::Absent => LookupResult::Absent,
            Lookup::NoForm => LookupResult::NoForm,
            Lookup::Ambiguous => LookupResult::Ambiguous,
            Lookup::WrongPrefix => LookupResult::WrongPrefix,
            Lookup::Found(token) => {
                let segments: Vec<&[u8]> = token.split(|&byte| byte == b'.').collect();
                let object = |index: usize| json_object(segments.get(index)?);
                (self.header, self.payload) = (object(0), object(1));
                self.trace.token = Some(TokenTrace {
                    length: token.len(),
                    header: self.header.as_ref().and_then(raw_json),
                    payload: self.payload.as_ref().and_then(raw_json),
                    verified: false,
                });
                self.trace.found = Some(String::from_utf8_lossy(token).into_owned());
                LookupResult::Found
            }
        };
        let place = lookup_trace(source);
        if let Some(entry) = self.trace.token_lookup.iter_mut().find(|entry| {
            entry.read_position == place.read_position && entry.parameter_name == place.parameter_name
        }) {
            entry.result = result;
        }
    }

    fn passed(&mut self, check: Check<'_>) {
        let Some(jwt) = self.jwt else { return };
        match check {
            Check::Key(key) => self.trace.key = Some(key_trace(key)),
            Check::Signature => {
                if let Some(token) = &mut self.trace.token {
                    token.verified = true;
                }
            }
            _ => {}
        }
        let detail = self.evidence(jwt).passed(check);
        self.trace.checks.push(CheckTrace { check: check.name(), result: CheckResult::Passed, detail });
    }

    fn claim(&mut self, mapping: &'s ClaimMapping, delivery: Delivery<'_>) {
        let (position, name) = match &mapping.parameter {
            Parameter::Header(name) => ("header", name.as_str()),
            Parameter::Query(name) => ("query", name.as_str()),
            Parameter::Form(name) => ("form", name.as_str()),
            Parameter::Cookie(name) => ("cookie", name.as_str()),
        };
        let (result, value) = match delivery {
            Delivery::NoToken => (ClaimResult::NoToken, None),
            Delivery::Absent => (ClaimResult::Absent, None),
            Delivery::Null => (ClaimResult::Null, None),
            Delivery::Set(claim) => (ClaimResult::Set, Some(claim.text().to_owned())),
            Delivery::NoForm => (ClaimResult::NoForm, None),
            Delivery::NotCarried => (ClaimResult::NotCarried, None),
        };
        self.trace.claims.push(ClaimTrace {
            claim_name: mapping.claim.clone(),
            mapping_parameter_position: position,
            mapping_parameter_name: name.to_owned(),
            removed: self.removed.contains(&mapping.parameter),
            result,
            value,
        });
    }
}

impl<'s> Observer<'s> for Collector<'s> {
    fn observe(&mut self, step: Step<'s, '_>) {
        match step {
            Step::Host(host) => self.trace.host = Some(host.to_owned()),
            Step::Domain(domain) => self.trace.domain = Some(domain.name.clone()),
            Step::Cors(cors) => self.trace.cors = Some(cors_trace(cors)),
            Step::Path(path) => self.trace.path = Some(path_trace(path)),
            Step::Route(route) => self.trace.route = Some(route_trace(route)),
            Step::Anonymous => self.trace.authentication = Some(anonymous()),
            Step::Jwt { jwt, need } => {
                self.jwt = Some(jwt);
                self.trace.authentication = Some(jwt_trace(need));
                if need.is_there() {
                    self.trace.token_lookup = jwt.token_lookup.iter().map(lookup_trace).collect();
                }
            }
            Step::LookedUp { source, found } => self.looked_up(source, found),
            Step::RemoteKeys { source, published } => {
                let names = published.map(|published| words::names_of(&published.keys).collect());
                self.remote = Some((source.to_owned(), names.unwrap_or_default()));
            }
            Step::Passed(check) => self.passed(check),
            Step::TokenRemoved => self.trace.token_removed = true,
            Step::Authenticated(..) => {}
            Step::Rewrite(rewritten) => self.trace.rewrite = Some(rewrite_trace(rewritten)),
            Step::Removed(mapping) => {
                self.removed.insert(&mapping.parameter);
            }
            Step::Claim { mapping, delivery } => self.claim(mapping, delivery),
        }
    }
}

fn cors_trace(cors: &Cors<'_>) -> CorsTrace {
    let text = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
    let mut fields = Fields::default();
    cors.set(&mut fields);
    CorsTrace {
        origin: cors.origin().map(|origin| text(origin.as_bytes())),
        allowed: cors.is_allowed(),
        preflight: cors.is_preflight(),
        headers: fields.iter().map(|(name, value)| (text(name), text(value))).collect(),
    }
}

fn path_trace(path: &RequestPath<'_>) -> PathTrace {
    let mut readings: Vec<String> = path.readings().map(str::to_owned).collect();
    readings.sort_unstable();
    readings.dedup();
    PathTrace {
        sent: path.sent().to_owned(),
        canonical: path.canonical().to_owned(),
        forwarded: path.forwarded().to_owned(),
        readings,
    }
}

fn route_trace(route: &Route) -> RouteTrace {
    let function = match &route.function.target {
        FunctionTarget::Url { origin, base_path } => {
            format!("{}{base_path}", origin.to_string().trim_end_matches('/'))
        }
        FunctionTarget::Unix(path) => format!("unix:{}", path.display()),
        FunctionTarget::Process(settings) => format!("process:{}", settings.command.join(" ")),
        FunctionTarget::Echo => "builtin:echo".to_owned(),
        FunctionTarget::Unavailable => "unavailable".to_owned(),
    };
    RouteTrace {
        path: route.path.clone(),
        methods: route.methods.iter().map(ToString::to_string).collect(),
        function_name: route.function.name.clone(),
        function,
    }
}

fn rewrite_trace(rewritten: Option<&Rewritten<'_>>) -> RewriteTrace {
    let rule = rewritten.map(|Rewritten { rule, .. }| RuleTrace {
        list: rule.kind.field(),
        pattern: rule.written_match.clone(),
        replacement: rule.written_replacement.clone(),
    });
    RewriteTrace {
        rule,
        path: rewritten.map(|rewritten| rewritten.path.clone()),
        query: rewritten.and_then(|rewritten| rewritten.query.clone()),
    }
}

fn anonymous() -> AuthenticationTrace {
    let detail = "the domain is anonymous".to_owned();
    AuthenticationTrace { auth_type: "anonymous", needs_token: false, detail }
}

fn jwt_trace(need: Need<'_>) -> AuthenticationTrace {
    AuthenticationTrace { auth_type: "jwt", needs_token: need.is_there(), detail: words::need(need) }
}

fn lookup_trace(source: &TokenSource) -> LookupTrace {
    let (read_position, name, prefix) = match source {
        TokenSource::Header { name, prefix } => ("header", name.as_str(), prefix.clone()),
        TokenSource::Cookie(name) => ("cookie", name.as_str(), None),
        TokenSource::Query(name) => ("query", name.as_str(), None),
        TokenSource::Form(name) => ("form", name.as_str(), None),
    };
    LookupTrace { read_position, parameter_name: name.to_owned(), prefix, result: LookupResult::NotReached }
}

fn key_trace(key: &Jwk) -> KeyTrace {
    KeyTrace {
        kid: key.key_id().map(str::to_owned),
        kty: key.key_type().name(),
        crv: key.curve().map(|curve| curve.name()),
        bits: key.bits(),
        algorithms: key.algorithms().map(|algorithm| algorithm.name()).collect(),
        thumbprint: key.thumbprint().map(str::to_owned),
    }
}

fn request_trace(sent: &Sent) -> RequestTrace {
    let head = String::from_utf8_lossy(&sent.head);
    let mut lines = head.lines().take_while(|line| !line.is_empty());
    let mut request_line = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    let headers = lines.filter_map(|line| line.split_once(": "));
    RequestTrace {
        method: request_line.next().unwrap_or_default(),
        target: request_line.next().unwrap_or_default(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        body: match std::str::from_utf8(&sent.body) {
            Ok(text) => BodyTrace::Text(text.to_owned()),
            Err(_) => BodyTrace::Bytes { base64: STANDARD.encode(&sent.body) },
        },
    }
}

fn json_object(segment: &[u8]) -> Option<Object> {
    match Value::parse(&base64url::decode(segment).ok()?) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    }
}

/// JSON as it was read: numbers are not rounded.
fn raw_json(object: &Object) -> Option<Box<RawValue>> {
    RawValue::from_string(object.to_string()).ok()
}
