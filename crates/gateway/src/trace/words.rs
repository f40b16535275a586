//! What is found on the path of a request, in words for an operator.

use std::time::Duration;

use claimgate_config::Snapshot;
use claimgate_config::snapshot::JwtAuthentication;
use claimgate_jose::json::{Object, Value};
use claimgate_jose::{Check, Jwk, JwkSet, VerifyError};

use super::{KeyTrace, Trace};
use crate::path::Need;
use crate::rejection::Rejection;
use crate::times::in_words;

/// Longer lists are cut.
const LISTED: usize = 8;

/// Why a path needs a token, or none.
pub fn need(need: Need<'_>) -> String {
    match need {
        Need::Everywhere => "every path of the domain needs one".to_owned(),
        Need::NotWhitelisted(reading) => format!("no entry of the whitelist matches {reading:?}"),
        Need::Whitelisted => "the whitelist matches every reading of the path".to_owned(),
        Need::Blacklisted(reading) => format!("an entry of the blacklist matches {reading:?}"),
        Need::NotBlacklisted => "no entry of the blacklist matches any reading of the path".to_owned(),
    }
}

/// What the checks of a token are told with.
pub struct Evidence<'a> {
    /// What tokens must fulfil.
    pub jwt: &'a JwtAuthentication,
    /// Where keys are fetched from, and the names of those that are there.
    pub remote: Option<&'a (String, Vec<String>)>,
    /// The token's header, if it could be read.
    pub header: Option<&'a Object>,
    /// The token's payload, if it could be read.
    pub payload: Option<&'a Object>,
    /// The key, if one was chosen.
    pub key: Option<&'a KeyTrace>,
    /// Counted from the Unix epoch.
    pub now: Duration,
}

impl Evidence<'_> {
    /// What a passed check has found.
    pub fn passed(&self, check: Check<'_>) -> String {
        let policy = &self.jwt.policy;
        match check {
            Check::Form => "three segments with dots between them".to_owned(),
            Check::Header(_) => "base64url of a JSON object".to_owned(),
            Check::Algorithm(algorithm) => format!("{algorithm} is supported"),
            Check::Extensions => "neither `crit` nor `b64`".to_owned(),
            Check::KeyId(Some(key_id)) => format!("{key_id:?}"),
            Check::KeyId(None) => "the token has none".to_owned(),
            Check::Key(key) => describe(key) + &self.origin(key),
            Check::KeyFits => "the key serves the token's algorithm".to_owned(),
            Check::Signature => "made with this key over this header and payload".to_owned(),
            Check::Payload(_) => "base64url of a JSON object".to_owned(),
            Check::Times(_) => match self.time("iat") {
                Some(words) => format!("numbers in range; `iat` {words}, not compared"),
                None => "`exp`, `nbf` and `iat` are numbers in range, where they are there".to_owned(),
            },
            Check::Expiry => {
                self.compared_time("exp").unwrap_or("the token has none and is good for ever".to_owned())
            }
            Check::NotBefore => self.compared_time("nbf").unwrap_or("the token has none".to_owned()),
            Check::Issuer => self.accepted("iss", &policy.issuers),
            Check::Audience => self.accepted("aud", &policy.audiences),
        }
    }

    /// What a failed check has found.
    pub fn failed(&self, error: &VerifyError) -> String {
        let policy = &self.jwt.policy;
        match error {
            VerifyError::UnknownKeyId => {
                let key_id = member(self.header, "kid").unwrap_or_default();
                format!("no key has the `kid` {key_id}; there {}", self.keys())
            }
            VerifyError::MissingKeyId => format!("{error}; there {}", self.keys()),
            VerifyError::AlgorithmMismatch { token } => {
                let served = self.key.map(|key| key.algorithms.join(", ")).unwrap_or_default();
                format!("the token says {token}, and the key serves {served}")
            }
            VerifyError::InvalidTime { claim } => {
                let value = member(self.payload, claim).unwrap_or_default();
                format!("`{claim}` is {value}, no number of seconds in range")
            }
            VerifyError::Expired => self.compared_time("exp").unwrap_or(error.to_string()),
            VerifyError::NotYetValid => self.compared_time("nbf").unwrap_or(error.to_string()),
            VerifyError::WrongIssuer => self.not_accepted("iss", &policy.issuers),
            VerifyError::WrongAudience => self.not_accepted("aud", &policy.audiences),
            _ => error.to_string(),
        }
    }

    /// Where a key comes from, when it is not the configuration.
    fn origin(&self, key: &Jwk) -> String {
        let is_configured = self.jwt.keys.keys().iter().any(|configured| std::ptr::eq(configured, key));
        match self.remote {
            Some((source, _)) if !is_configured => format!(", fetched from {source}"),
            _ => String::new(),
        }
    }

    fn keys(&self) -> String {
        let remote = self.remote.map(|(_, names)| names.as_slice()).unwrap_or_default();
        let names: Vec<String> = names_of(&self.jwt.keys).chain(remote.iter().cloned()).collect();
        there_are(names.into_iter())
    }

    fn time(&self, claim: &str) -> Option<String> {
        let seconds = self.payload?.get(claim)?.as_number()?.as_f64()?;
        in_words(claim, seconds, self.now)
    }

    fn compared_time(&self, claim: &str) -> Option<String> {
        let words = self.time(claim)?;
        Some(match self.jwt.policy.leeway.as_secs() {
            0 => words,
            leeway => format!("{words}, with a leeway of {leeway} s"),
        })
    }

    fn accepted(&self, claim: &str, list: &[String]) -> String {
        match member(self.payload, claim) {
            Some(value) if list.is_empty() => format!("{value}; any is accepted"),
            None if list.is_empty() => "none, and any is accepted".to_owned(),
            value => format!("{} is accepted", value.unwrap_or_default()),
        }
    }

    fn not_accepted(&self, claim: &str, list: &[String]) -> String {
        let value = member(self.payload, claim).unwrap_or_else(|| "the token has none, which".to_owned());
        let accepted = list.iter().map(|one| format!("{one:?}"));
        format!("{value} is not accepted; accepted {}", there_are(accepted))
    }
}

/// Why a request is refused for something else than a check of its token.
pub fn refusal(rejection: &Rejection, snapshot: &Snapshot, trace: &Trace) -> String {
    match rejection {
        Rejection::UnknownDomain => {
            let host = trace.host.as_deref().unwrap_or_default();
            let mut names: Vec<&str> = snapshot.domains.iter().map(|domain| domain.name.as_str()).collect();
            names.sort_unstable();
            format!("{rejection}: {host:?}; there {}", there_are(names.into_iter().map(str::to_owned)))
        }
        Rejection::NoRoute => {
            let path = trace.path.as_ref().map(|path| path.canonical.as_str()).unwrap_or_default();
            format!("{rejection}: {path:?}")
        }
        Rejection::MethodNotAllowed(methods) => {
            let methods: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
            format!("{rejection}; it serves {}", methods.join(", "))
        }
        _ => rejection.to_string(),
    }
}

fn describe(key: &Jwk) -> String {
    let name = match key.key_id() {
        Some(key_id) => format!("{key_id:?}"),
        None => "the key without `kid`".to_owned(),
    };
    let kind = match key.curve() {
        Some(curve) => format!("{} {curve}", key.key_type()),
        None => format!("{} of {} bits", key.key_type(), key.bits()),
    };
    let bound = key.algorithm().map(|algorithm| format!(", for {algorithm} alone")).unwrap_or_default();
    let thumbprint = key.thumbprint().filter(|thumbprint| key.key_id() != Some(thumbprint));
    let thumbprint = thumbprint.map(|thumbprint| format!(", thumbprint {thumbprint}")).unwrap_or_default();
    format!("{name}, {kind}{bound}{thumbprint}")
}

/// What keys are called: each `kid`.
pub fn names_of(keys: &JwkSet) -> impl Iterator<Item = String> {
    keys.keys().iter().map(|key| match key.key_id() {
        Some(key_id) => format!("{key_id:?}"),
        None => "one without".to_owned(),
    })
}

/// `is "a"`, `are "a", "b"`, for a sentence that begins with `there`.
fn there_are(names: impl ExactSizeIterator<Item = String>) -> String {
    let count = names.len();
    let listed: Vec<String> = names.take(LISTED).collect();
    let verb = if count == 1 { "is" } else { "are" };
    match count {
        0 => "is none".to_owned(),
        _ if count > LISTED => format!("{verb} {} and {} more", listed.join(", "), count - LISTED),
        _ => format!("{verb} {}", listed.join(", ")),
    }
}

/// A member as JSON.
fn member(object: Option<&Object>, name: &str) -> Option<String> {
    object.and_then(|object| object.get(name)).map(Value::to_string)
}
