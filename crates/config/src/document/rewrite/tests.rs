#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::{parse, replacement};
use crate::snapshot::RewriteKind::{self, Equal, Regex, Wildcard};
use crate::snapshot::{RewriteRule, RewriteRules};

fn rules(written: &[(RewriteKind, &str, &str)]) -> Result<RewriteRules, String> {
    let rule = |(kind, pattern, replacement): &(RewriteKind, &str, &str)| {
        let (parsed, groups) = parse(*kind, pattern)?;
        Ok(RewriteRule {
            kind: *kind,
            written_match: (*pattern).to_owned(),
            written_replacement: (*replacement).to_owned(),
            pattern: parsed,
            replacement: replacement::parse(replacement, groups)?,
        })
    };
    written.iter().map(rule).collect::<Result<_, String>>().map(RewriteRules)
}

fn rewritten(rules: &RewriteRules, path: &str) -> Option<String> {
    let rewritten = rules.rewrite(path)?;
    Some(rewritten.path + &rewritten.query.map(|query| format!("?{query}")).unwrap_or_default())
}

#[test]
fn the_examples_of_function_compute() {
    for (kind, pattern, replacement, path, right) in [
        (Equal, "/old", "/new", "/old", Some("/new")),
        (Equal, "/old", "/new", "/test/old", None),
        (Equal, "/serviceName.Qualifier", "/serviceA", "/serviceName.Qualifier", Some("/serviceA")),
        (Wildcard, "/old", "/new", "/old", Some("/new")),
        (Wildcard, "/old", "/new", "/test/old", Some("/new")),
        (Wildcard, "^/old", "/new", "/old", Some("/new")),
        (Wildcard, "^/old", "/new", "/test/old", None),
        (Wildcard, "/api/*", "/$1", "/api/getFunctionName", Some("/getFunctionName")),
        (Wildcard, "/api/*", "/$1", "/api/getFunctionName&Version=1", Some("/getFunctionName&Version=1")),
        (Wildcard, "/css/*", "/public/static/css/$1", "/css/style.css", Some("/public/static/css/style.css")),
        (
            Wildcard,
            "/ServiceName/*/FunctionName/*/Qualifier/*",
            "/$1.$3/$2",
            "/ServiceName/svc-a/FunctionName/func-a/Qualifier/1",
            Some("/svc-a.1/func-a"),
        ),
        (Wildcard, "/f..c", "/x", "/func", None),
        (Wildcard, "/f..c", "/x", "/f..c", Some("/x")),
        (Regex, "^/old/[a-z]+/", "/new", "/old/ab/", Some("/new")),
        (Regex, "^/old/[a-z]+/", "/new", "/test/a-b/", None),
        (Regex, "^/api/.+?/(.*)", "/api/v2/$1", "/api/v1/test", Some("/api/v2/test")),
    ] {
        let rules = rules(&[(kind, pattern, replacement)]).unwrap();
        assert_eq!(rewritten(&rules, path).as_deref(), right, "{pattern} on {path}");
    }
}

#[test]
fn what_the_examples_leave_open() {
    for (kind, pattern, replacement, path, right) in [
        // The end of a wildcard is the end of the path.
        (Wildcard, "/old", "/new", "/old/x", None),
        (Wildcard, "*.php", "/index.php", "/a/b.php", Some("/index.php")),
        (Wildcard, "^*.php", "/x$1", "/a/b.php", Some("/x/a/b")),
        (Wildcard, "/a/*/b", "/$1", "/a/x/b/b", Some("/x/b")),
        (Wildcard, "/a*", "/$1", "/a", Some("/")),
        // Captures are as short as possible, and the match begins as early as possible.
        (Wildcard, "/*-*", "/$2/$1", "/a-b-c", Some("/b-c/a")),
        (Wildcard, "/x*", "/$1", "/x/x", Some("//x")),
        // What is special in expressions alone is literal.
        (Wildcard, "/a+(b)|c$", "/x", "/a+(b)|c$", Some("/x")),
        (Wildcard, "/a+(b)|c$", "/x", "/aab", None),
        (Wildcard, "/x/^y", "/z", "/x/^y", Some("/z")),
        // An expression may match a part; the whole path is replaced.
        (Regex, "/old/", "/new", "/a/old/b", Some("/new")),
        (Regex, "^/(a)?(b)$", "/$1-$2", "/b", Some("/-b")),
        (Regex, r"^/(\d+)$", "/$1$1", "/12", Some("/1212")),
        (Regex, r"(?i)^/ADMIN$", "/a", "/admin", Some("/a")),
        (Regex, "^/%C3(.*)$", "/x", "/%C3%A9", Some("/x")),
        (Regex, "^/([^/]*)/", "/$1", "/caf%C3%A9/x", Some("/caf%C3%A9")),
        // A query, in which captured text is one value.
        (Equal, "/old", "/new?a=1&b", "/old", Some("/new?a=1&b")),
        (Wildcard, "/user/*", "/u?id=$1", "/user/7", Some("/u?id=7")),
        (Wildcard, "/user/*", "/u?id=$1", "/user/7&uid=1;a=b+c", Some("/u?id=7%26uid%3D1%3Ba%3Db%2Bc")),
        (Wildcard, "/user/*", "/u/$1?a?b", "/user/a=b", Some("/u/a=b?a?b")),
        // A dollar without a digit is one.
        (Wildcard, "/a/*", "/$$1/$x/$", "/a/b", Some("/$b/$x/$")),
        (Wildcard, "/a/*", "/$10", "/a/b", Some("/b0")),
    ] {
        let rules = rules(&[(kind, pattern, replacement)]).unwrap();
        assert_eq!(rewritten(&rules, path).as_deref(), right, "{pattern} on {path}");
    }
}

#[test]
fn the_first_rule_that_matches_is_the_only_one() {
    let rules = rules(&[
        (Equal, "/a", "/b"),
        (Equal, "/b", "/c"),
        (Wildcard, "/x/*", "/wild"),
        (Wildcard, "/x/y/*", "/never"),
        (Regex, "^/x", "/regex"),
    ])
    .unwrap();
    for (path, right) in [
        ("/a", Some("/b")),
        ("/b", Some("/c")),
        ("/x/y/z", Some("/wild")),
        ("/x", Some("/regex")),
        ("/c", None),
    ] {
        assert_eq!(rewritten(&rules, path).as_deref(), right, "{path}");
    }
    assert_eq!(rules.rewrite("/x").unwrap().rule.kind, Regex);
}

#[test]
fn bad_rules_are_refused() {
    for (kind, pattern, replacement, said) in [
        (Equal, "old", "/new", "begin with /"),
        (Equal, "/old", "new", "begin with one /"),
        (Equal, "/old", "//new", "begin with one /"),
        (Equal, "/old", "http://evil/", "begin with one /"),
        (Equal, "/%61", "/new", "\"/a\""),
        (Equal, "/a b", "/new", "\"/a%20b\""),
        (Equal, "/a/../b", "/new", "\"/b\""),
        (Equal, "/a?b", "/new", "no query"),
        (Equal, "/old", "/$1", "there is no $1: the match captures nothing"),
        (Equal, "/old", "/a/../b", "dot segment"),
        (Equal, "/old", "/..;a", "dot segment"),
        (Equal, "/old", "/%2e%2e", "canonical form"),
        (Equal, "/old", "/%00", "control character"),
        (Equal, "/old", "/a\r\nX: y", "control character"),
        (Equal, "/old", "/a\\b", "backslash"),
        (Equal, "/old", "/a#b", "fragment"),
        (Equal, "/old", "/{1}", "%7B"),
        (Equal, "/old", "/a?b c", "%20"),
        (Equal, "/old", "/a?b=é", "%C3%A9"),
        (Equal, "/old", "/a?b%0d%0a", "control character"),
        (Equal, "/old", "/a?%z", "hexadecimal"),
        (Equal, "/old", "/a?%+1", "hexadecimal"),
        (Equal, "/old", "/a?", "nothing behind"),
        (Wildcard, "^old", "/new", "matches none"),
        (Wildcard, "/caf\u{e9}/*", "/new", "caf%C3%A9"),
        (Wildcard, "/*/*", "/$3", "$1 to $2"),
        (Wildcard, "/*", "/$0", "there is no $0: the match captures one part, $1"),
        (Wildcard, "/**********", "/new", "at most 9"),
        (Regex, "(", "/new", "unclosed group"),
        (Regex, "^/(?=a)", "/new", "look-around"),
        (Regex, r"^/(a)\1", "/new", "backreferences"),
        (Regex, r"\p{Greek}", "/new", "no regular expression"),
        (Regex, "é", "/new", "percent-encoded"),
        (Regex, "(a{1000}){1000}", "/new", "repeat less"),
        (Regex, "()()()()()()()()()()", "/new", "at most 9"),
    ] {
        let why = rules(&[(kind, pattern, replacement)]).map(|_| panic!("{pattern} → {replacement}"));
        let why = why.unwrap_err();
        assert!(why.contains(said), "{pattern} → {replacement}: {why}");
        assert!(!why.contains('\n'), "{why:?}");
    }
}

proptest! {
    #[test]
    fn a_wildcard_matches_what_a_simple_reading_of_it_does(
        pattern in r"\^?/[ab/*.]{0,6}",
        path in "/[ab/.]{0,8}",
    ) {
        let Ok(rules) = rules(&[(Wildcard, &pattern, "/new")]) else { return Ok(()) };
        let right = match pattern.strip_prefix('^') {
            Some(anchored) => globs(anchored.as_bytes(), path.as_bytes()),
            None => (0..path.len()).any(|start| globs(pattern.as_bytes(), &path.as_bytes()[start..])),
        };
        prop_assert_eq!(rules.rewrite(&path).is_some(), right);
    }

    #[test]
    fn any_rule_that_is_accepted_makes_an_absolute_path_without_spaces_and_control_characters(
        kind in prop::sample::select(vec![Equal, Wildcard, Regex]),
        pattern in r"[\^/(]?[a-c/*.()\[\]+?|$%^]{0,10}",
        replacement in r"/[a-c/$0-3?&=.%{\\\r ]{0,10}",
        path in "/[a-c/.%&=+;]{0,12}",
    ) {
        let Ok(rules) = rules(&[(kind, &pattern, &replacement)]) else { return Ok(()) };
        if let Some(rewritten) = rules.rewrite(&path) {
            prop_assert!(rewritten.path.starts_with('/'));
            prop_assert!(!rewritten.path.contains(['?', '#', '\\']));
            let query = rewritten.query.unwrap_or_default();
            prop_assert!(rewritten.path.bytes().chain(query.bytes()).all(|byte| byte.is_ascii_graphic()));
        }
    }
}

/// Whether a pattern with `*` matches a whole text.
fn globs(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|skipped| globs(rest, &text[skipped..])),
        Some((first, rest)) => text.first() == Some(first) && globs(rest, &text[1..]),
    }
}
