//! Paths of routes, whitelists and blacklists: written in the canonical form in which the gateway
//! compares them (RFC 3986 section 6.2.2), so that what stands in the file is what is matched.
use std::fmt::Write;

use crate::place::quoted;
use crate::snapshot::PathPattern;

/// Characters that a path may have (Function Compute's limit for `path`).
const MAX_LENGTH: usize = 2048;

/// Parses a pattern: a path, or a path with `*` at its end. The error reads on from the name of
/// what was parsed.
pub(crate) fn parse_pattern(text: &str) -> Result<PathPattern, String> {
    let (path, is_prefix) = match text.strip_suffix('*') {
        Some(prefix) => (prefix, true),
        None => (text, false),
    };
    if !path.starts_with('/') {
        return Err(format!("must begin with /, found {}", quoted(text)));
    }
    if text.chars().count() > MAX_LENGTH {
        return Err(format!("is longer than {MAX_LENGTH} characters"));
    }
    if path.contains('*') {
        return Err(format!("may have a * at its end only, found {}", quoted(text)));
    }
    let end_of_segments = if is_prefix { path.rfind('/').map_or(0, |end| end + 1) } else { path.len() };
    let (segments, rest) = path.split_at_checked(end_of_segments).unwrap_or((path, ""));
    let canonical = format!("{}{}", canonical(segments)?, canonical_escapes(rest)?);
    if canonical != path {
        let star = if is_prefix { "*" } else { "" };
        return Err(not_canonical(text, &format!("{canonical}{star}")));
    }
    Ok(if is_prefix { PathPattern::Prefix(canonical) } else { PathPattern::Exact(canonical) })
}

/// Checks that a path, which may be empty, is in canonical form. The error reads on from the name of
/// what was checked.
pub(crate) fn check(path: &str) -> Result<(), String> {
    let canonical = canonical(path)?;
    if canonical == path { Ok(()) } else { Err(not_canonical(path, &canonical)) }
}

/// As [`check`], for what is a part of a path and may have dot segments.
pub(crate) fn check_escapes(part: &str) -> Result<(), String> {
    let canonical = canonical_escapes(part)?;
    if canonical == part { Ok(()) } else { Err(not_canonical(part, &canonical)) }
}

fn canonical(path: &str) -> Result<String, String> {
    let escaped = canonical_escapes(path)?;
    if escaped.split('/').any(|segment| segment.starts_with(".;") || segment.starts_with("..;")) {
        return Err(format!(
            "has a dot segment with a parameter, which the gateway refuses: {}",
            quoted(path)
        ));
    }
    Ok(resolve_dot_segments(&escaped).unwrap_or(escaped))
}

fn canonical_escapes(path: &str) -> Result<String, String> {
    let forbidden = || {
        let found = quoted(path);
        format!("may have no backslash and no control character, encoded or not, found {found}")
    };
    let mut canonical = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(first) = rest.chars().next() {
        rest = rest.get(first.len_utf8()..).unwrap_or_default();
        match first {
            '?' | '#' => return Err(format!("has no query and no fragment, found {}", quoted(path))),
            '%' => {
                let Some(byte) = rest.get(..2).and_then(decode) else {
                    return Err(format!("has a % without two hexadecimal digits: {}", quoted(path)));
                };
                rest = rest.get(2..).unwrap_or_default();
                push_escaped(&mut canonical, byte).ok_or_else(forbidden)?;
            }
            '\\' => return Err(forbidden()),
            _ if first.is_ascii_control() => return Err(forbidden()),
            ' ' | '\u{80}'.. => {
                let mut buffer = [0; 4];
                for byte in first.encode_utf8(&mut buffer).bytes() {
                    push_escaped(&mut canonical, byte).ok_or_else(forbidden)?;
                }
            }
            _ => canonical.push(first),
        }
    }
    Ok(canonical)
}

fn not_canonical(written: &str, canonical: &str) -> String {
    format!("must be written in its canonical form {}, found {}", quoted(canonical), quoted(written))
}

/// Unreserved characters (RFC 3986 section 2.3) as they are, others as escapes in upper case; `None`
/// for what no path may have.
fn push_escaped(canonical: &mut String, byte: u8) -> Option<()> {
    match byte {
        b'\\' | 0..=0x1f | 0x7f => return None,
        b'-' | b'.' | b'_' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
            canonical.push(char::from(byte));
        }
        _ => write!(canonical, "%{byte:02X}").ok()?,
    }
    Some(())
}

/// The byte of an escape, of which these are the digits.
pub(crate) fn decode(digits: &str) -> Option<u8> {
    let only_digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    only_digits.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

/// The path without dot segments (RFC 3986 section 5.2.4); `None` when it has none.
fn resolve_dot_segments(path: &str) -> Option<String> {
    let segments = || path.split('/').skip(1);
    let is_dots = |segment: &str| segment == "." || segment == "..";
    if !segments().any(is_dots) {
        return None;
    }
    let mut resolved = Vec::new();
    for segment in segments() {
        match segment {
            "." => {}
            ".." => {
                resolved.pop();
            }
            _ => resolved.push(segment),
        }
    }
    if segments().last().is_some_and(is_dots) {
        resolved.push("");
    }
    Some(format!("/{}", resolved.join("/")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::parse_pattern;
    use crate::snapshot::PathPattern;

    #[test]
    fn accepts_canonical_patterns() {
        for (text, is_prefix) in [
            ("/", false),
            ("/*", true),
            ("/a", false),
            ("/a/", false),
            ("/a*", true),
            ("/a/*", true),
            ("//a", false),
            ("/a/..b/.c/...", false),
            ("/a/.*", true),
            ("/a/..*", true),
            ("/caf%C3%A9/%2F", false),
            ("/a;x=1/b", false),
        ] {
            let path = text.trim_end_matches('*').to_owned();
            let right = if is_prefix { PathPattern::Prefix(path) } else { PathPattern::Exact(path) };
            assert_eq!(parse_pattern(text), Ok(right), "{text}");
        }
        assert!(parse_pattern(&format!("/{}", "a".repeat(2047))).is_ok());
    }

    #[test]
    fn says_the_canonical_spelling() {
        for (text, canonical) in [
            ("/%61dmin", "/admin"),
            ("/%61dmin/*", "/admin/*"),
            ("/a%2fb", "/a%2Fb"),
            ("/café", "/caf%C3%A9"),
            ("/a b", "/a%20b"),
            ("/a/../b", "/b"),
            ("/a/./b/*", "/a/b/*"),
            ("/a/..", "/"),
            ("/a/../b*", "/b*"),
            ("/a/%2e%2e/b", "/b"),
            ("/%2e%2e/x/%7e*", "/x/~*"),
        ] {
            let error = parse_pattern(text).unwrap_err();
            assert!(error.contains(&format!("\"{canonical}\"")), "{text}: {error}");
        }
    }

    #[test]
    fn refuses_what_never_matches() {
        let long = format!("/{}", "a".repeat(2048));
        for text in [
            "", "*", "a", "a/*", "/*/a", "/**", "/a?b", "/a#b", "/%", "/%2", "/%zz", "/%00", "/%5C", "/a\\b",
            "/a\nb", "/..;/a", "/%+1", &long,
        ] {
            assert!(parse_pattern(text).is_err(), "{text}");
        }
    }
}
