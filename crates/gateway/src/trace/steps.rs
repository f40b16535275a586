//! A trace in words, one line a step.

use std::fmt::Write;

use super::{
    CheckResult, CheckTrace, ClaimResult, ClaimTrace, CorsTrace, LookupResult, LookupTrace, Outcome,
    PathTrace, RefusalTrace, RewriteTrace, RuleTrace, TokenTrace, Trace,
};
use Mark::{Bad, Good, Nothing};

/// A step of a trace in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepLine {
    /// What came of it.
    pub mark: Mark,
    /// What was looked at.
    pub step: String,
    /// What was found; it may hold whatever the client has sent.
    pub detail: String,
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It is as it should be.
    Good,
    /// The request is refused for it.
    Bad,
    /// Nothing was found, or nothing was looked at.
    Nothing,
}

impl Trace {
    /// The steps of the request in their order, as far as it came.
    pub fn steps(&self) -> Vec<StepLine> {
        let mut steps = Steps(Vec::new());
        steps.add_all(self);
        steps.0
    }
}

struct Steps(Vec<StepLine>);

impl Steps {
    fn line(&mut self, mark: Mark, step: &str, detail: &str) {
        self.0.push(StepLine { mark, step: step.to_owned(), detail: detail.to_owned() });
    }

    fn add_all(&mut self, trace: &Trace) {
        let refusal = trace.refusal.as_ref().map(|refusal| refusal.detail.as_str()).unwrap_or_default();
        let Some(host) = &trace.host else { return self.line(Bad, "head", refusal) };
        self.line(Good, "host", host);
        let Some(domain) = &trace.domain else { return self.line(Bad, "domain", refusal) };
        self.line(Good, "domain", domain);
        if let Some(cors) = &trace.cors {
            self.cors(cors);
        }
        let Some(path) = &trace.path else { return self.line(Bad, "path", refusal) };
        self.line(Good, "path", &in_words(path));
        if trace.outcome == Outcome::Preflight {
            return;
        }
        let Some(route) = &trace.route else { return self.line(Bad, "route", refusal) };
        let methods =
            if route.methods.is_empty() { "all methods".to_owned() } else { route.methods.join(", ") };
        let function = format!("{} at {}", route.function_name, route.function);
        self.line(Good, "route", &format!("{} for {methods}, to the function {function}", route.path));
        let Some(authentication) = &trace.authentication else { return };
        let need = if authentication.needs_token { "a token is needed" } else { "no token is needed" };
        self.line(Good, authentication.auth_type, &format!("{need}: {}", authentication.detail));

        for place in &trace.token_lookup {
            self.lookup(place);
        }
        for check in &trace.checks {
            self.check(check, trace.token.as_ref());
        }
        if trace.token_removed {
            self.line(Good, "removed", "the token, as forwardToken is false");
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
            None => (Nothing, "the request has no Origin, or more than one".to_owned()),
            Some(origin) if cors.allowed => (Good, format!("pages of {origin} may read the answer")),
            Some(origin) => {
                (Nothing, format!("pages of {origin} may not read the answer: allowOrigins does not list it"))
            }
        };
        self.line(mark, "cors", &detail);
    }

    fn lookup(&mut self, place: &LookupTrace) {
        let LookupTrace { read_position, parameter_name, prefix, result } = place;
        let (mark, found) = match result {
            LookupResult::Found => (Good, "found"),
            LookupResult::Absent => (Nothing, "nothing"),
            LookupResult::NoForm => (Nothing, "nothing, as the body is no form"),
            LookupResult::Ambiguous => (Bad, "more than one value"),
            LookupResult::WrongPrefix => (Bad, "a value without the prefix, one space and a token"),
            LookupResult::NotReached => (Nothing, "not looked at"),
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
            (CheckResult::Passed, Some(json)) => self.line(Good, check, json.get()),
            (CheckResult::Passed, None) => self.line(Good, check, detail),
            (CheckResult::Failed, _) => self.line(Bad, check, detail),
            (CheckResult::NotReached, Some(json)) => {
                self.line(
                    Nothing,
                    check,
                    &format!("not reached; whoever made the token wrote {}", json.get()),
                );
            }
            (CheckResult::NotReached, None) => self.line(Nothing, check, "not reached"),
        }
    }

    fn rewrite(&mut self, rewrite: &RewriteTrace, refusal: Option<&RefusalTrace>) {
        let RewriteTrace { rule: Some(rule), path: Some(path), query } = rewrite else {
            return self.line(Nothing, "rewrite", "no rule matches");
        };
        let RuleTrace { list, pattern, replacement } = rule;
        let query = query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        let is_refused = refusal
            .is_some_and(|refusal| ["invalid_rewritten_path", "target_too_long"].contains(&refusal.reason));
        let mark = if is_refused { Bad } else { Good };
        self.line(mark, "rewrite", &format!("to {path}{query}, by {pattern} → {replacement} of {list}"));
    }

    fn claim(&mut self, claim: &ClaimTrace) {
        let ClaimTrace { claim_name, mapping_parameter_position, mapping_parameter_name, .. } = claim;
        let value = claim.value.as_deref().unwrap_or_default();
        let (mark, outcome) = match claim.result {
            ClaimResult::Set => (Good, format!("set to {value:?}")),
            ClaimResult::Absent => (Nothing, "the token has no such claim".to_owned()),
            ClaimResult::Null => (Nothing, "the claim is null".to_owned()),
            ClaimResult::NoToken => (Nothing, "no token, so no claims".to_owned()),
            ClaimResult::NoForm => (Nothing, "left out, as the body is no form".to_owned()),
            ClaimResult::NotCarried => {
                (Bad, format!("left out, as the {mapping_parameter_position} cannot carry it"))
            }
        };
        let removed = if claim.removed { "; what the client sent is removed" } else { "" };
        let parameter = format!("{mapping_parameter_position} {mapping_parameter_name}");
        self.line(mark, "claim", &format!("{claim_name} → {parameter}: {outcome}{removed}"));
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
