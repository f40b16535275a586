//! What the gateway does with a request, step by step, for people and scripts.
//!
//! The JSON form of [`Trace`] is documented in `docs/try.md`; its names stay the same.

mod collector;
mod redact;
mod steps;
mod words;

pub(crate) use collector::{Collector, Sent};
pub use steps::{Mark, StepLine};

use serde::Serialize;
use serde_json::value::RawValue;

/// What the gateway does with a request. What was not reached is `None` or empty.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Trace {
    /// How it ends.
    pub outcome: Outcome,
    /// The host that the request is for, in the form that domains are looked up by.
    pub host: Option<String>,
    /// The custom domain: its `domainName`.
    pub domain: Option<String>,
    /// What the answer says to pages of other origins; `None` when the domain has no `corsConfig`.
    pub cors: Option<CorsTrace>,
    /// The path, and how it may be read.
    pub path: Option<PathTrace>,
    /// The route that serves the request.
    pub route: Option<RouteTrace>,
    /// Whether the request needs a token.
    pub authentication: Option<AuthenticationTrace>,
    /// Every place of `tokenLookup` in its order.
    pub token_lookup: Vec<LookupTrace>,
    /// The token that was found.
    pub token: Option<TokenTrace>,
    /// The key that the token is verified with.
    pub key: Option<KeyTrace>,
    /// Whether the token was taken out of the request (`forwardToken: false`).
    pub token_removed: bool,
    /// Every check of the token in its order.
    pub checks: Vec<CheckTrace>,
    /// What the route's `rewriteConfig` made of the path; `None` when the route has none.
    pub rewrite: Option<RewriteTrace>,
    /// What became of each entry of `claimPassBy`.
    pub claims: Vec<ClaimTrace>,
    /// The request that the function receives.
    pub request: Option<RequestTrace>,
    /// Why the function receives none.
    pub refusal: Option<RefusalTrace>,
    /// The token as it was found, which is no part of what is shown.
    #[serde(skip)]
    found: Option<String>,
}

/// How a request ends, in the words of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It goes to the function.
    Accepted,
    /// It is a preflight request, which the gateway answers.
    Preflight,
    /// It does not, for the request's fault.
    Refused,
    /// It does not, for the function's fault, or the configuration's.
    Failed,
}

/// What an answer says to pages of other origins.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CorsTrace {
    /// The `Origin` of the request; `None` when there is none, or more than one.
    pub origin: Option<String>,
    /// Whether pages of this origin may read the answer.
    pub allowed: bool,
    /// Whether the request is a preflight request.
    pub preflight: bool,
    /// Names and values of the headers that say so.
    pub headers: Vec<(String, String)>,
}

/// A path and its readings.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PathTrace {
    /// As it was sent.
    pub sent: String,
    /// The form that routes are matched against.
    pub canonical: String,
    /// The form that the function receives.
    pub forwarded: String,
    /// Each form that a function may read it in; whitelists and blacklists are matched against all.
    pub readings: Vec<String>,
}

/// A route.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteTrace {
    /// Its `path`.
    pub path: String,
    /// Its `methods`; empty means all.
    pub methods: Vec<String>,
    /// Its `functionName`.
    pub function_name: String,
    /// Where the function is: its `url`, or `builtin:echo`.
    pub function: String,
}

/// How a domain's requests are authenticated.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthenticationTrace {
    /// `authType`: `jwt` or `anonymous`.
    pub auth_type: &'static str,
    /// Whether this request needs a token.
    pub needs_token: bool,
    /// Why, in words.
    pub detail: String,
}

/// A place of `tokenLookup`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LookupTrace {
    /// `header`, `cookie`, `query` or `form`.
    pub read_position: &'static str,
    /// The name there.
    pub parameter_name: String,
    /// The word before the token.
    pub prefix: Option<String>,
    /// What was there.
    pub result: LookupResult,
}

/// What is at a place of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LookupResult {
    /// A token, which decides.
    Found,
    /// Nothing; the next place is looked at.
    Absent,
    /// Nothing, as the body is no form; the next place is looked at.
    NoForm,
    /// More than one value: refused.
    Ambiguous,
    /// A value without the prefix: refused.
    WrongPrefix,
    /// It was not looked at: an earlier place has decided, or the request was refused before.
    NotReached,
}

/// A token without its signature.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenTrace {
    /// Its length in bytes.
    pub length: usize,
    /// Its header; `None` when that is no JSON object.
    pub header: Option<Box<RawValue>>,
    /// Its payload; `None` when that is no JSON object.
    pub payload: Option<Box<RawValue>>,
    /// Whether its signature was verified. Before that anybody can have written it.
    pub verified: bool,
}

/// A key; of an HMAC secret only its length.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyTrace {
    /// Its `kid`.
    pub kid: Option<String>,
    /// Its `kty`.
    pub kty: &'static str,
    /// Its `crv`; `None` for RSA and HMAC.
    pub crv: Option<&'static str>,
    /// Its size in bits.
    pub bits: usize,
    /// The algorithms that it serves.
    pub algorithms: Vec<&'static str>,
    /// Its SHA-256 thumbprint (RFC 7638); `None` for HMAC secrets.
    pub thumbprint: Option<String>,
}

/// A check of a token.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckTrace {
    /// One of [`claimgate_jose::Check::NAMES`], or `length`, which comes first.
    pub check: &'static str,
    /// What came out.
    pub result: CheckResult,
    /// What was found, in words; empty when it was not made.
    pub detail: String,
}

/// What came out of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckResult {
    /// It is as it should be.
    Passed,
    /// The request is refused for it.
    Failed,
    /// An earlier check failed.
    NotReached,
}

/// What `rewriteConfig` made of a path.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RewriteTrace {
    /// The first rule that matches the canonical path.
    pub rule: Option<RuleTrace>,
    /// The new path.
    pub path: Option<String>,
    /// What the rule puts before the request's own query.
    pub query: Option<String>,
}

/// A rule of `rewriteConfig`.
#[derive(Debug, Clone, Serialize)]
pub struct RuleTrace {
    /// The list that it stands in: `equalRules`, `wildcardRules` or `regexRules`.
    pub list: &'static str,
    /// Its `match`.
    #[serde(rename = "match")]
    pub pattern: String,
    /// Its `replacement`.
    pub replacement: String,
}

/// An entry of `claimPassBy`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimTrace {
    /// Name of the claim.
    pub claim_name: String,
    /// `header`, `query`, `form` or `cookie`.
    pub mapping_parameter_position: &'static str,
    /// Name of the parameter.
    pub mapping_parameter_name: String,
    /// Whether the client had sent the parameter, in any spelling. That is always removed.
    pub removed: bool,
    /// What became of the claim.
    pub result: ClaimResult,
    /// The text that the parameter was set to.
    pub value: Option<String>,
}

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimResult {
    /// The parameter is set from it.
    Set,
    /// The token has no such claim.
    Absent,
    /// It is `null`, which stands for no value.
    Null,
    /// No token was needed, so that there are no claims.
    NoToken,
    /// It belongs into a form, and the body is none.
    NoForm,
    /// The position cannot carry its value.
    NotCarried,
}

/// A request as a function receives it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestTrace {
    /// Its method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names and values in their order.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: BodyTrace,
}

/// A body: a string when it is UTF-8, else an object with the member `base64`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum BodyTrace {
    /// A text.
    Text(String),
    /// Bytes that are no UTF-8.
    Bytes {
        /// RFC 4648 section 4.
        base64: String,
    },
}

/// Why a function receives no request.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusalTrace {
    /// Status of the answer.
    pub status: u16,
    /// `Code` of the answer.
    pub code: &'static str,
    /// `Message` of the answer.
    pub message: String,
    /// The word of log and metric.
    pub reason: &'static str,
    /// What was found, for the operator.
    pub detail: String,
    /// What the reason means, from `docs/reasons.md`.
    pub explanation: &'static str,
    /// What to do about it, from `docs/reasons.md`.
    pub remedy: &'static str,
}
