//! A trace for people, and for scripts.

use std::fmt::Write;

use claimgate_gateway::trace::{
    BodyTrace, CheckResult, CheckTrace, ClaimResult, ClaimTrace, CorsTrace, LookupResult, LookupTrace,
    Outcome, PathTrace, RefusalTrace, RequestTrace, RewriteTrace, RuleTrace, TokenTrace,
};
use claimgate_gateway::{Trace, TryRequest};

use crate::failure::Failure;
use crate::text::printable;

/// It is as it should be.
const GOOD: char = '✓';
/// The request is refused for it.
const BAD: char = '✗';
/// Nothing was found, or nothing was looked at.
const NOTHING: char = '·';

/// One JSON document.
pub fn json(trace: &Trace) -> Result<String, Failure> {
    let json = serde_json::to_string_pretty(trace);
    json.map(|json| json + "\n").map_err(|error| Failure::Unusable(format!("cannot write JSON: {error}")))
}

/// One step a line, then what the function would receive or why it does not.
pub fn text(request: &TryRequest, trace: &Trace) -> String {
    let mut report = Report(String::new());
    // The query may hold a token.
    let path = request.target.split('?').next().unwrap_or_default();
    report.line(' ', "request", &format!("{} {path}", request.method));
    report.steps(trace);
    if let (Some(request), Some(route)) = (&trace.request, &trace.route) {
        report.request(request, &route.function_name);
    }
    if let (Outcome::Preflight, Some(cors)) = (trace.outcome, &trace.cors) {
        report.preflight(cors);
    }
    if let Some(refusal) = &trace.refusal {
        let outcome = if trace.outcome == Outcome::Failed { "failed" } else { "refused" };
        report.refusal(outcome, refusal);
    }
    report.0
}

struct Report(String);

impl Report {
    fn line(&mut self, mark: char, step: &str, detail: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{mark} {step:<10} {}", printable(detail));
    }

    fn steps(&mut self, trace: &Trace) {
        let refusal = trace.refusal.as_ref().map(|refusal| refusal.detail.as_str()).unwrap_or_default();
        let Some(host) = &trace.host else { return self.line(BAD, "head", refusal) };
        self.line(GOOD, "host", host);
        let Some(domain) = &trace.domain else { return self.line(BAD, "domain", refusal) };
        self.line(GOOD, "domain", domain);
        if let Some(cors) = &trace.cors {
            self.cors(cors);
        }
        let Some(path) = &trace.path else { return self.line(BAD, "path", refusal) };
        self.line(GOOD, "path", &in_words(path));
        if trace.outcome == Outcome::Preflight {
            return;
        }
        let Some(route) = &trace.route else { return self.line(BAD, "route", refusal) };
        let methods =
            if route.methods.is_empty() { "all methods".to_owned() } else { route.methods.join(", ") };
        let function = format!("{} at {}", route.function_name, route.function);
        self.line(GOOD, "route", &format!("{} for {methods}, to the function {function}", route.path));
        let Some(authentication) = &trace.authentication else { return };
        let need = if authentication.needs_token { "a token is needed" } else { "no token is needed" };
        self.line(GOOD, authentication.auth_type, &format!("{need}: {}", authentication.detail));

        for place in &trace.token_lookup {
            self.lookup(place);
        }
        for check in &trace.checks {
            self.check(check, trace.token.as_ref());
        }
        if trace.token_removed {
            self.line(GOOD, "removed", "the token, as forwardToken is false");
        }
        if let Some(rewrite) = &trace.rewrite {
            self.rewrite(rewrite, trace.refusal.as_ref());
        }
        for claim in &trace.claims {
            self.claim(claim);
        }
    }

    fn cors(&mut self, cors: &CorsTrace) {
        let (mark, detail) = match &cors.origin {
            None => (NOTHING, "the request has no Origin, or more than one".to_owned()),
            Some(origin) if cors.allowed => (GOOD, format!("pages of {origin} may read the answer")),
            Some(origin) => {
                (NOTHING, format!("pages of {origin} may not read the answer: allowOrigins does not list it"))
            }
        };
        self.line(mark, "cors", &detail);
    }

    fn lookup(&mut self, place: &LookupTrace) {
        let LookupTrace { read_position, parameter_name, prefix, result } = place;
        let (mark, found) = match result {
            LookupResult::Found => (GOOD, "found"),
            LookupResult::Absent => (NOTHING, "nothing"),
            LookupResult::NoForm => (NOTHING, "nothing, as the body is no form"),
            LookupResult::Ambiguous => (BAD, "more than one value"),
            LookupResult::WrongPrefix => (BAD, "a value without the prefix, one space and a token"),
            LookupResult::NotReached => (NOTHING, "not looked at"),
        };
        let prefix = prefix.as_ref().map(|prefix| format!(" with the prefix {prefix}")).unwrap_or_default();
        self.line(mark, "token", &format!("{read_position} {parameter_name}{prefix}: {found}"));
    }

    fn check(&mut self, check: &CheckTrace, token: Option<&TokenTrace>) {
        let CheckTrace { check, result, detail } = check;
        let content = match *check {
            "header" => token.and_then(|token| token.header.as_ref()),
            "payload" => token.and_then(|token| token.payload.as_ref()),
            _ => None,
        };
        match (result, content) {
            (CheckResult::Passed, Some(json)) => self.line(GOOD, check, json.get()),
            (CheckResult::Passed, None) => self.line(GOOD, check, detail),
            (CheckResult::Failed, _) => self.line(BAD, check, detail),
            (CheckResult::NotReached, Some(json)) => {
                self.line(
                    NOTHING,
                    check,
                    &format!("not reached; whoever made the token wrote {}", json.get()),
                );
            }
            (CheckResult::NotReached, None) => self.line(NOTHING, check, "not reached"),
        }
    }

    fn rewrite(&mut self, rewrite: &RewriteTrace, refusal: Option<&RefusalTrace>) {
        let RewriteTrace { rule: Some(rule), path: Some(path), query } = rewrite else {
            return self.line(NOTHING, "rewrite", "no rule matches");
        };
        let RuleTrace { list, pattern, replacement } = rule;
        let query = query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        let is_refused = refusal
            .is_some_and(|refusal| ["invalid_rewritten_path", "target_too_long"].contains(&refusal.reason));
        let mark = if is_refused { BAD } else { GOOD };
        self.line(mark, "rewrite", &format!("to {path}{query}, by {pattern} → {replacement} of {list}"));
    }

    fn claim(&mut self, claim: &ClaimTrace) {
        let ClaimTrace { claim_name, mapping_parameter_position, mapping_parameter_name, .. } = claim;
        let value = claim.value.as_deref().unwrap_or_default();
        let (mark, outcome) = match claim.result {
            ClaimResult::Set => (GOOD, format!("set to {value:?}")),
            ClaimResult::Absent => (NOTHING, "the token has no such claim".to_owned()),
            ClaimResult::Null => (NOTHING, "the claim is null".to_owned()),
            ClaimResult::NoToken => (NOTHING, "no token, so no claims".to_owned()),
            ClaimResult::NoForm => (NOTHING, "left out, as the body is no form".to_owned()),
            ClaimResult::NotCarried => {
                (BAD, format!("left out, as the {mapping_parameter_position} cannot carry it"))
            }
        };
        let removed = if claim.removed { "; what the client sent is removed" } else { "" };
        let parameter = format!("{mapping_parameter_position} {mapping_parameter_name}");
        self.line(mark, "claim", &format!("{claim_name} → {parameter}: {outcome}{removed}"));
    }

    fn request(&mut self, request: &RequestTrace, function: &str) {
        let mut lines = vec![format!("{} {}", request.method, request.target)];
        lines.extend(request.headers.iter().map(|(name, value)| format!("{name}: {value}")));
        match &request.body {
            BodyTrace::Text(text) if text.is_empty() => {}
            BodyTrace::Text(text) => {
                lines.push(String::new());
                lines.extend(text.lines().map(str::to_owned));
            }
            BodyTrace::Bytes { base64 } => lines.extend([String::new(), format!("(base64) {base64}")]),
        }
        let _ = writeln!(self.0, "\naccepted: the function {function} receives\n");
        for line in lines {
            let _ = writeln!(self.0, "{}", format!("    {}", printable(&line)).trim_end());
        }
    }

    fn preflight(&mut self, cors: &CorsTrace) {
        let _ = writeln!(self.0, "\npreflight: claimgate itself answers, before it looks for a token\n");
        for (name, value) in &cors.headers {
            let _ = writeln!(self.0, "    {}", printable(&format!("{name}: {value}")));
        }
    }

    fn refusal(&mut self, outcome: &str, refusal: &RefusalTrace) {
        let RefusalTrace { status, code, message, reason, detail, explanation, remedy } = refusal;
        let _ = writeln!(self.0, "\n{outcome}: {status} {code}, {message:?}\n");
        for (name, text) in
            [("reason", *reason), ("found", detail), ("meaning", explanation), ("what to do", remedy)]
        {
            self.line(' ', name, text);
        }
    }
}

fn in_words(path: &PathTrace) -> String {
    let PathTrace { sent, canonical, forwarded, readings } = path;
    let mut words = sent.clone();
    if canonical != sent {
        let _ = write!(words, ", routed as {canonical}, forwarded as {forwarded}");
    }
    let others: Vec<&str> = readings
        .iter()
        .map(String::as_str)
        .filter(|reading| ![sent, canonical].iter().any(|known| known == reading))
        .collect();
    if !others.is_empty() {
        let _ = write!(words, "; may be read as {}", others.join(", "));
    }
    words
}
