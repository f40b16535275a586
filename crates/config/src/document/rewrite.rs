//! `rewriteConfig` of a route.
mod replacement;

use regex::bytes::{Regex, RegexBuilder};

use crate::path;
use crate::place::{Place, Written, quoted};
use crate::reader::Field;
use crate::report::Report;
use crate::snapshot::{PathPattern, RewriteKind, RewriteRule, RewriteRules, rewrite::Pattern};

/// Function Compute's limit for `match` and `replacement`, in characters.
const MAX_LENGTH: usize = 256;
/// Rules of one kind.
const MAX_RULES: usize = 100;
/// `$1` to `$9`, as in the original.
const MAX_GROUPS: usize = 9;
/// A compiled expression, in bytes. It bounds the time that each byte of a path may take.
const MAX_COMPILED: usize = 64 * 1024;

/// Reads the rules of the route that serves these paths; `None` when there are none.
pub(super) fn read(
    field: &Field<'_>,
    route: Option<&PathPattern>,
    report: &mut Report,
) -> Option<RewriteRules> {
    let right = "an object with the fields equalRules, wildcardRules and regexRules";
    let mut object = field.object(right, report)?;
    let mut rules = Vec::new();
    for kind in RewriteKind::ALL {
        let Some(list) = object.field(kind.field()) else { continue };
        let items = list.list("a list of rules, as [{match: /old, replacement: /new}]", report);
        let items = items.unwrap_or_default();
        if items.len() > MAX_RULES {
            let message = format!("a route has at most {MAX_RULES} of them, this one has {}", items.len());
            report.error(&list.place, message);
        }
        let mut written = Vec::new();
        for item in items.iter().take(MAX_RULES) {
            let Some(Written { value: rule, place }) = read_rule(kind, item, report) else { continue };
            if written.contains(&rule.written_match) {
                report.error(&place, "an earlier rule has the same match, so that this one is never used");
                continue;
            }
            warn_if_unreachable(&rule, route, &place, report);
            written.push(rule.written_match.clone());
            rules.push(rule);
        }
    }
    object.finish(report);
    (!rules.is_empty()).then_some(RewriteRules(rules))
}

fn read_rule(kind: RewriteKind, field: &Field<'_>, report: &mut Report) -> Option<Written<RewriteRule>> {
    let mut object = field.object("a rule, as {match: /old, replacement: /new}", report)?;
    let pattern = object
        .required("match", what_matches(kind), report)
        .and_then(|field| read_text(&field, what_matches(kind), report));
    let replacement = object
        .required("replacement", REPLACEMENT, report)
        .and_then(|field| read_text(&field, REPLACEMENT, report));
    object.finish(report);
    let Written { value: written_match, place } = pattern?;
    let (pattern, groups) = match parse(kind, written_match) {
        Ok((pattern, groups)) => (Some(pattern), groups),
        // Told once, where the fault is.
        Err(why) => {
            report.error(&place, why);
            (None, MAX_GROUPS)
        }
    };
    let written = replacement?;
    let replacement = replacement::parse(written.value, groups);
    let replacement = replacement.map_err(|why| report.error(&written.place, why)).ok()?;
    let rule = RewriteRule {
        kind,
        written_match: written_match.to_owned(),
        written_replacement: written.value.to_owned(),
        pattern: pattern?,
        replacement,
    };
    Some(Written { value: rule, place })
}

const REPLACEMENT: &str = "a path, as /new/$1";

fn what_matches(kind: RewriteKind) -> &'static str {
    match kind {
        RewriteKind::Equal => "a path, as /old",
        RewriteKind::Wildcard => "a path with any number of *, as /api/*",
        RewriteKind::Regex => "a regular expression, as \"^/old/[a-z]+/\"",
    }
}

fn read_text<'a>(field: &Field<'a>, right: &str, report: &mut Report) -> Option<Written<&'a str>> {
    let text = field.text(right, report)?;
    if text.value.is_empty() {
        report.error(&text.place, format!("expected {right}, found nothing"));
        return None;
    }
    if text.value.chars().count() > MAX_LENGTH {
        report.error(&text.place, format!("is longer than {MAX_LENGTH} characters"));
        return None;
    }
    Some(text)
}

/// The pattern and the number of its groups.
fn parse(kind: RewriteKind, text: &str) -> Result<(Pattern, usize), String> {
    let regex = match kind {
        RewriteKind::Equal => {
            if !text.starts_with('/') {
                return Err(format!("the path must begin with /, found {}", quoted(text)));
            }
            path::check(text).map_err(|why| format!("the path {why}"))?;
            return Ok((Pattern::Equal(text.to_owned()), 0));
        }
        RewriteKind::Wildcard => compile(&wildcard(text)?)?,
        RewriteKind::Regex => {
            if !text.is_ascii() {
                return Err(
                    "paths are matched percent-encoded; write other characters so, as %C3%A9".to_owned()
                );
            }
            compile(text)?
        }
    };
    let groups = regex.captures_len() - 1;
    if groups > MAX_GROUPS {
        let less = match kind {
            RewriteKind::Regex => "write (?:…) for those that the replacement does not need",
            _ => "use regexRules",
        };
        return Err(format!("at most {MAX_GROUPS} parts can be captured, this has {groups}; {less}"));
    }
    Ok((Pattern::Regex(regex), groups))
}

/// The expression of a wildcard rule: each `*` captures as little as lets the rest match up to the end of
/// the path.
fn wildcard(text: &str) -> Result<String, String> {
    let (start, rest) = match text.strip_prefix('^') {
        Some(rest) => (r"\A", rest),
        None => ("", text),
    };
    path::check_escapes(rest).map_err(|why| format!("the path {why}"))?;
    if !start.is_empty() && !rest.starts_with(['/', '*']) {
        return Err(format!("every path begins with /, so that {} matches none", quoted(text)));
    }
    let literals: Vec<String> = rest.split('*').map(regex::escape).collect();
    Ok(format!(r"{start}{}\z", literals.join("(.*?)")))
}

fn compile(expression: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(expression)
        .unicode(false)
        .dot_matches_new_line(true)
        .size_limit(MAX_COMPILED)
        .build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(limit) => {
            format!("the expression needs more than {limit} bytes when it is compiled; repeat less")
        }
        // Several lines, of which the last says what is wrong.
        other => {
            let text = other.to_string();
            let reason = text.rsplit("error: ").next().unwrap_or_default().trim();
            format!("{} is no regular expression: {reason}", quoted(expression))
        }
    })
}

fn warn_if_unreachable(rule: &RewriteRule, route: Option<&PathPattern>, place: &Place, report: &mut Report) {
    if let (Pattern::Equal(path), Some(route)) = (&rule.pattern, route)
        && !route.matches(path)
    {
        report.warning(place, format!("the route does not serve {path}, so that the rule is never used"));
    }
}

#[cfg(test)]
mod tests;
