//! `authInfo.whitelist` and `authInfo.blacklist`: which paths need a token.
use crate::path::parse_pattern;
use crate::place::Written;
use crate::reader::{Field, Object};
use crate::report::Report;
use crate::snapshot::{AuthenticationScope, PathPattern};

/// Reads both lists, of which one may have entries. Where the lists are wrong every path needs a
/// token.
pub(super) fn read(auth_info: &mut Object<'_>, report: &mut Report) -> AuthenticationScope {
    let whitelist = auth_info.field("whitelist").filter(|field| !field.is_empty());
    let blacklist = auth_info.field("blacklist");
    if let Some(field) = blacklist.as_ref().filter(|field| field.is_empty()) {
        report.warning(
            &field.place,
            "the blacklist is empty, which is taken as left out: every path needs a token",
        );
    }
    match (whitelist, blacklist.filter(|field| !field.is_empty())) {
        (None, None) => AuthenticationScope::Everything,
        (Some(whitelist), None) => {
            let patterns = read_patterns(&whitelist, report);
            for (pattern, place) in patterns.iter().map(|written| (&written.value, &written.place)) {
                if *pattern == PathPattern::Prefix("/".to_owned()) {
                    report.warning(place, "this exempts every path; no request needs a token");
                }
            }
            AuthenticationScope::AllExcept(values(patterns))
        }
        (None, Some(blacklist)) => {
            let patterns = read_patterns(&blacklist, report);
            warn_of_gaps(&patterns, report);
            AuthenticationScope::Only(values(patterns))
        }
        (Some(whitelist), Some(blacklist)) => {
            read_patterns(&whitelist, report);
            read_patterns(&blacklist, report);
            let message = "there is a whitelist too; keep one of them: a whitelist names the paths that need \
                           no token, a blacklist the only ones that do";
            report.error(&blacklist.place, message);
            AuthenticationScope::Everything
        }
    }
}

fn values(patterns: Vec<Written<PathPattern>>) -> Vec<PathPattern> {
    patterns.into_iter().map(|written| written.value).collect()
}

fn read_patterns(field: &Field<'_>, report: &mut Report) -> Vec<Written<PathPattern>> {
    let texts = field.texts("a list of paths, as [/healthz, /public/*]", "a path, as /public/*", report);
    let mut patterns = Vec::new();
    for Written { value: text, place } in texts.unwrap_or_default() {
        match parse_pattern(text) {
            Ok(value) => patterns.push(Written { value, place }),
            Err(why) => report.error(&place, format!("the path {why}")),
        }
    }
    patterns
}

/// An exact path says nothing of what lies below it, which is easily overlooked where it decides
/// what is protected.
fn warn_of_gaps(patterns: &[Written<PathPattern>], report: &mut Report) {
    for written in patterns {
        let PathPattern::Exact(path) = &written.value else {
            continue;
        };
        let below = format!("{}/", path.trim_end_matches('/'));
        let covers = |other: &Written<PathPattern>| matches!(&other.value, PathPattern::Prefix(prefix) if below.starts_with(prefix.as_str()));
        if !patterns.iter().any(covers) {
            let message =
                format!("{path} alone needs a token; {below}… does not, unless {below}* is listed too");
            report.warning(&written.place, message);
        }
    }
}
