#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;

use claimgate_config::load_text;
use claimgate_config::snapshot::RouteMatch;
use http::Method;
use http::uri::PathAndQuery;
use proptest::prelude::*;

use super::*;

/// The rules of a configuration that has one; `None` when it is refused.
fn rule(list: &str, pattern: &str, replacement: &str) -> Option<RewriteRules> {
    let rule = serde_json::json!({"match": pattern, "replacement": replacement});
    let route = serde_json::json!({"path": "/*", "functionName": "f", "rewriteConfig": {list: [rule]}});
    let configuration = serde_json::json!({
        "functions": [{"functionName": "f", "builtin": "echo"}],
        "customDomains": [{"domainName": "localhost", "routeConfig": {"routes": [route]}}],
    });
    let snapshot = load_text(&configuration.to_string(), Path::new("c.json")).ok()?.snapshot;
    match snapshot.domains.find("localhost")?.routes.find("/", &Method::GET) {
        RouteMatch::Found(route) => route.rewrite.clone(),
        _ => None,
    }
}

fn rewritten(rules: &RewriteRules, sent: &str) -> Option<Result<String, RewriteError>> {
    let rewritten = apply(rules, &RequestPath::parse(sent).unwrap())?;
    Some(judge(&rewritten.path).map(|()| rewritten.path))
}

#[test]
fn what_a_client_could_make_of_a_rule_is_refused() {
    use RewriteError::{DotSegments, Path};
    for (list, pattern, replacement, sent, error) in [
        ("wildcardRules", "^/p*", "/files/$1", "/p../admin", DotSegments),
        ("wildcardRules", "^/p*", "/files/$1", "/p%2e%2e/admin", DotSegments),
        ("wildcardRules", "^/p*", "/files/$1", "/p..%2fadmin", DotSegments),
        ("wildcardRules", "^/p*", "/files/$1", "/p%252e%252e/admin", DotSegments),
        ("wildcardRules", "^/p*", "/files/$1", "/p..;a/admin", Path(PathError::DotSegmentWithParameter)),
        ("wildcardRules", "^/p/*", "/files/.$1", "/p/./", DotSegments),
        ("wildcardRules", "^/p/*", "/files/$1", "/p/..%2fadmin", DotSegments),
        ("regexRules", "^/(.*)-(.*)$", "/$2$1", "/2e-%25", DotSegments),
        ("regexRules", "^/([^C]*)C(.*)$", "/$1$2", "/%C3x", Path(PathError::InvalidEscape)),
        ("regexRules", "^/([^C]*)C(.*)$", "/$1$2", "/%C00", Path(PathError::ForbiddenCharacter)),
        ("regexRules", "^/([^C]*)C(.*)$", "/$1$2", "/%C5c", Path(PathError::ForbiddenCharacter)),
        ("regexRules", "^/([^C]*)C(.*)$", "/$1$2", "/%C0d", Path(PathError::ForbiddenCharacter)),
    ] {
        let rules = rule(list, pattern, replacement).unwrap();
        assert_eq!(rewritten(&rules, sent), Some(Err(error)), "{pattern} → {replacement} of {sent}");
    }
}

#[test]
fn rules_match_the_canonical_path_and_lead_to_a_path_of_this_host() {
    let api = rule("wildcardRules", "^/api/*", "/$1").unwrap();
    for (sent, right) in [
        ("/api/x", Some("/x")),
        ("/%61pi/x", Some("/x")),
        ("/x/../api/y", Some("/y")),
        ("/api/a%2fb", Some("/a%2Fb")),
        ("/api/caf%c3%a9", Some("/caf%C3%A9")),
        ("/api/", Some("/")),
        ("/api//evil.example/x", Some("/evil.example/x")),
        ("/api////evil.example//x", Some("/evil.example//x")),
        ("/api/..", None),
        ("/API/x", None),
        ("//api/x", None),
    ] {
        assert_eq!(rewritten(&api, sent), right.map(|path| Ok(path.to_owned())), "{sent}");
    }
}

proptest! {
    #[test]
    fn what_is_forwarded_is_a_plain_path_to_every_reader(
        list in prop::sample::select(vec!["equalRules", "wildcardRules", "regexRules"]),
        pattern in r"\^?/[a(*]?[a.*2e%)/+]{0,6}",
        replacement in "/[a./]{0,2}(\\$[1-3][.e2/a%]{0,2}){0,3}(\\?[ae]=\\$1)?",
        sent in "/(a|e|2|\\.|%2e|%2E|%25|%2f|%c3|/|;|&|\\\\){0,8}",
    ) {
        let (Some(rules), Ok(path)) = (rule(list, &pattern, &replacement), RequestPath::parse(&sent)) else {
            return Ok(());
        };
        let Some(rewritten) = apply(&rules, &path) else { return Ok(()) };
        let target = match &rewritten.query {
            Some(query) => format!("{}?{query}", rewritten.path),
            None => rewritten.path.clone(),
        };
        if judge(&rewritten.path).is_ok() {
            prop_assert!(target.starts_with('/') && !target.starts_with("//"));
            prop_assert!(target.bytes().all(|byte| byte.is_ascii_graphic()));
            let parsed = target.parse::<PathAndQuery>().unwrap();
            prop_assert_eq!(parsed.as_str(), &target);
            let parsed = RequestPath::parse(&rewritten.path).unwrap();
            for reading in parsed.readings() {
                prop_assert!(!reading.split('/').any(|segment| matches!(segment, "." | "..")), "{}", reading);
            }
        }
    }
}
