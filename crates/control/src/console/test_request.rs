//! Test: a request is sent to the gateway itself, and beside its answer stands what the gateway did with it.

use std::time::SystemTime;

use askama::Template;
use claimgate_config::snapshot::{AddressRange, Authentication, Domain, DomainKind, TokenSource};
use claimgate_gateway::trace::{BodyTrace, Mark, RefusalTrace, RequestTrace};
use claimgate_gateway::{Gateway, Trace, TryRequest, try_request};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::runtime::Handle;

use super::loopback::{Answer, DataPlane, OwnRequest};
use super::{chart, words};
use crate::catalog::blocking;

/// A request as the page makes it, its token included.
#[derive(Debug, Deserialize)]
pub struct TestRequest {
    scheme: String,
    host: String,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
    /// Whether it is sent, or its trace alone is wanted.
    pub send: bool,
}

/// The answer and the trace, as the page shows them.
#[derive(Template)]
#[template(path = "test_outcome.html")]
pub struct Outcome {
    sent: Option<Result<Shown, String>>,
    steps: Vec<Step>,
    refusal: Option<RefusalTrace>,
    /// The words of the refusal in HTML.
    explanation: String,
    remedy: String,
    request: Option<String>,
}

struct Shown {
    answer: Answer,
    took: String,
}

struct Step {
    mark: &'static str,
    sign: char,
    step: String,
    /// In HTML.
    detail: String,
}

/// Follows a request, and sends it when that is wanted.
///
/// # Errors
///
/// Why it cannot be followed, in words.
pub async fn run(request: TestRequest, gateway: &Gateway, data_plane: DataPlane) -> Result<Outcome, String> {
    let serving = gateway.serving();
    let is_https = request.scheme == "https";
    let mut headers = request.headers.clone();
    headers.insert(0, ("host".to_owned(), request.host.clone()));
    let tried = TryRequest {
        method: request.method.clone(),
        target: request.target.clone(),
        headers,
        over_http: !is_https,
        body: Some(request.body.clone().into_bytes()).filter(|body| !body.is_empty()),
    };
    let settings = &serving.snapshot.gateway;
    let proxies = if settings.proxy_protocol { settings.trusted_proxies.clone() } else { Vec::new() };
    let sent = match request.send {
        true => Some(data_plane.send(request.into_own(is_https, proxies)).await.map(Shown::of)),
        false => None,
    };
    let runtime = Handle::current();
    // Verifying may take a while, and nobody who is served should wait for it.
    let trace = blocking(move || {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        runtime.block_on(try_request(&serving, &tried, now))
    });
    let mut trace = trace.await.ok_or("the gateway would close the connection without an answer")?;
    trace.redact();
    Ok(Outcome::of(trace, sent))
}

impl TestRequest {
    fn into_own(self, is_https: bool, proxies: Vec<AddressRange>) -> OwnRequest {
        let Self { host, method, target, headers, body, .. } = self;
        OwnRequest { is_https, host, method, target, headers, body, proxies }
    }
}

impl Shown {
    fn of(answer: Answer) -> Self {
        Self { took: chart::duration(answer.took.as_secs_f64()), answer }
    }
}

impl Outcome {
    fn of(trace: Trace, sent: Option<Result<Shown, String>>) -> Self {
        let steps = trace.steps().into_iter().map(|line| {
            let (mark, sign) = match line.mark {
                Mark::Good => ("good", '✓'),
                Mark::Bad => ("bad", '✗'),
                Mark::Nothing => ("nothing", '·'),
            };
            Step { mark, sign, step: line.step, detail: words::with_code(&line.detail) }
        });
        let html = |text: fn(&RefusalTrace) -> &str| {
            trace.refusal.as_ref().map(|refusal| words::to_html(text(refusal)))
        };
        Self {
            sent,
            steps: steps.collect(),
            explanation: html(|refusal| refusal.explanation).unwrap_or_default(),
            remedy: html(|refusal| refusal.remedy).unwrap_or_default(),
            refusal: trace.refusal,
            request: trace.request.as_ref().map(in_lines),
        }
    }
}

fn in_lines(request: &RequestTrace) -> String {
    let mut text = format!("{} {}\n", request.method, request.target);
    for (name, value) in &request.headers {
        text.push_str(&format!("{name}: {value}\n"));
    }
    match &request.body {
        BodyTrace::Text(body) if body.is_empty() => {}
        BodyTrace::Text(body) => text.push_str(&format!("\n{body}")),
        BodyTrace::Bytes { base64 } => text.push_str(&format!("\n(base64) {base64}")),
    }
    text
}

/// What the page needs to know of a host's domain to make a request; `None` when no domain has it.
pub fn facts(gateway: &Gateway, host: &str) -> Option<Value> {
    let serving = gateway.serving();
    let host = host.to_ascii_lowercase();
    let domain = serving.snapshot.domains.find(host.split(':').next().unwrap_or_default())?;
    let mut routes: Vec<_> = domain.routes.iter().collect();
    routes.sort_unstable_by_key(|route| route.number);
    let path = routes.first().map_or("/", |route| route.path.as_str());
    let (token, token_lookup, claims) = match &domain.authentication {
        Authentication::Anonymous => ("needs no token", Vec::new(), Value::Object(Map::new())),
        Authentication::Jwt(jwt) => {
            ("needs a JWT", jwt.token_lookup.iter().map(place).collect(), claims(domain))
        }
    };
    let served = [("http", domain.protocol.serves_http()), ("https", domain.tls.is_some())];
    let schemes: Vec<&str> =
        served.into_iter().filter(|(_, is_served)| *is_served).map(|(name, _)| name).collect();
    Some(json!({
        "detail": format!("{} {token} and {}", domain.name, reached(&schemes, &host)),
        "tokenLookup": token_lookup,
        "claims": claims,
        "path": path.strip_suffix('*').map_or_else(|| path.to_owned(), |prefix| format!("{prefix}example")),
        "schemes": schemes,
    }))
}

/// How requests reach a domain, in words, and what stands in their way.
fn reached(schemes: &[&str], host: &str) -> String {
    let over = match schemes {
        ["http"] => "over HTTP alone",
        ["https"] => "over HTTPS alone",
        _ => "over HTTP and HTTPS",
    };
    let star = if host.starts_with("*.") { " Write a label in place of the star." } else { "" };
    format!("is served {over}.{star}")
}

fn place(source: &TokenSource) -> Value {
    let (position, name, prefix) = match source {
        TokenSource::Header { name, prefix } => ("header", name.as_str(), prefix.as_deref()),
        TokenSource::Cookie(name) => ("cookie", name.as_str(), None),
        TokenSource::Query(name) => ("query", name.as_str(), None),
        TokenSource::Form(name) => ("form", name.as_str(), None),
    };
    json!({ "readPosition": position, "parameterName": name, "prefix": prefix })
}

/// Claims that the domain accepts and forwards.
fn claims(domain: &Domain) -> Value {
    let mut claims = Map::from_iter([("sub".to_owned(), json!("test"))]);
    if let Authentication::Jwt(jwt) = &domain.authentication {
        for (name, values) in [("iss", &jwt.policy.issuers), ("aud", &jwt.policy.audiences)] {
            if let Some(value) = values.first() {
                claims.insert(name.to_owned(), json!(value));
            }
        }
        for mapping in &jwt.claim_mappings {
            // A dotted path may mean a claim of a claim, which one writes oneself.
            if !["exp", "nbf", "iat"].contains(&mapping.claim.as_str()) && !mapping.claim.contains('.') {
                claims.entry(mapping.claim.clone()).or_insert_with(|| json!("test"));
            }
        }
    }
    Value::Object(claims)
}

/// A host that requests can be sent to.
pub struct Host {
    pub name: String,
    /// Whose name it is.
    pub label: &'static str,
}

/// The hosts that requests can be sent to, at most so many: of custom domains and of HTTP triggers the first.
pub fn hosts(gateway: &Gateway, most: usize) -> Vec<Host> {
    let serving = gateway.serving();
    let first = |kind, label, most| {
        let of_kind = serving.snapshot.domains.iter().filter(|domain| domain.kind == kind);
        let mut names: Vec<&str> = of_kind.map(|domain| domain.name.as_str()).collect();
        names.sort_unstable();
        names.truncate(most);
        names.into_iter().map(|name| Host { name: name.to_owned(), label }).collect::<Vec<_>>()
    };
    let triggers = first(DomainKind::Trigger, "HTTP trigger", most / 2);
    let mut hosts = first(DomainKind::Custom, "custom domain", most - triggers.len());
    hosts.extend(triggers);
    hosts
}
