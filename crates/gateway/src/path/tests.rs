#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;

fn canonical(raw: &str) -> Result<String, PathError> {
    RequestPath::parse(raw).map(|path| path.canonical().to_owned())
}

#[test]
fn canonical_form_and_what_is_forwarded() {
    let cases = [
        // raw, canonical, forwarded
        ("/", "/", "/"),
        ("/orders/1", "/orders/1", "/orders/1"),
        ("/%61dmin", "/admin", "/%61dmin"),
        ("/a%2fb", "/a%2Fb", "/a%2fb"),
        ("/a/./b", "/a/b", "/a/b"),
        ("/a/../b", "/b", "/b"),
        ("/a/%2e%2E/b", "/b", "/b"),
        ("/a/.%2e/b%2f", "/b%2F", "/b%2F"),
        ("/../../b", "/b", "/b"),
        ("/a/..", "/", "/"),
        ("/a/b/.", "/a/b/", "/a/b/"),
        ("//a", "//a", "//a"),
        ("/a//../b", "/a/b", "/a/b"),
        ("/a/...", "/a/...", "/a/..."),
        ("/.well-known/x", "/.well-known/x", "/.well-known/x"),
        ("/a;x=1/b", "/a;x=1/b", "/a;x=1/b"),
        ("/%252e%252e/b", "/%252e%252e/b", "/%252e%252e/b"),
        ("/caf%c3%a9", "/caf%C3%A9", "/caf%c3%a9"),
        ("/café", "/caf%C3%A9", "/café"),
    ];
    for (raw, canonical, forwarded) in cases {
        let path = RequestPath::parse(raw).unwrap();
        assert_eq!((path.canonical(), path.forwarded()), (canonical, forwarded), "{raw}");
    }
}

#[test]
fn refused_paths() {
    let cases = [
        ("*", PathError::NotAbsolute),
        ("", PathError::NotAbsolute),
        ("/%", PathError::InvalidEscape),
        ("/%2", PathError::InvalidEscape),
        ("/%zz", PathError::InvalidEscape),
        ("/%00", PathError::ForbiddenCharacter),
        ("/a%0d%0ab", PathError::ForbiddenCharacter),
        ("/a%7f", PathError::ForbiddenCharacter),
        ("/a%5cb", PathError::ForbiddenCharacter),
        ("/a\\b", PathError::ForbiddenCharacter),
        ("/public/..;/admin", PathError::DotSegmentWithParameter),
        ("/public/%2e.;x=1/admin", PathError::DotSegmentWithParameter),
        ("/%25252525252e", PathError::EncodedTooOften),
        (&"//a".repeat(65), PathError::TooManyReadings),
        (&format!("//a;%2561%2f%2f..%255c{}", "b".repeat(8_000)), PathError::TooManyReadings),
    ];
    for (raw, error) in cases {
        assert_eq!(canonical(raw), Err(error), "{raw}");
    }
}

fn whitelist(entries: &[&str]) -> AuthenticationScope {
    AuthenticationScope::AllExcept(entries.iter().map(|entry| pattern(entry)).collect())
}

fn blacklist(entries: &[&str]) -> AuthenticationScope {
    AuthenticationScope::Only(entries.iter().map(|entry| pattern(entry)).collect())
}

fn pattern(entry: &str) -> PathPattern {
    match entry.strip_suffix('*') {
        Some(prefix) => PathPattern::Prefix(prefix.to_owned()),
        None => PathPattern::Exact(entry.to_owned()),
    }
}

#[test]
fn no_spelling_passes_a_whitelist_that_its_plain_form_would_not() {
    let scope = whitelist(&["/public/*", "/healthz"]);
    for exempt in ["/public/", "/public/a", "/public/a/b", "/healthz", "/public/a%20b", "/public//a"] {
        assert!(!RequestPath::parse(exempt).unwrap().need_of_token(&scope).is_there(), "{exempt}");
    }
    let checked = [
        "/",
        "/public",
        "/PUBLIC/a",
        "/healthz/",
        "/public/../admin",
        "/public/%2e%2e/admin",
        "/public/..%2fadmin",
        "/public/%252e%252e/admin",
        "/public/..%5c/admin".trim_end_matches("%5c/admin"),
        "//public/a",
        "/%70ublic/a",
        "/a/../public/b",
        "/public/..%3bx/admin",
        "/public/%2e%2e%2f%2e%2e/a",
        // Read as `//healthz` by what decodes twice and does not merge slashes.
        "/public/..%252f/healthz",
        "/public/x%c0%af..%c0%af../admin",
        "/public;x/../admin",
        // Read as `/public/../admin` by what drops parameters before it resolves dot segments.
        "/public/a/;/../../b",
        // Read as `/admin` by what decodes twice and does not turn the backslash.
        "/public/a%255cb%252f..%252f..%252fadmin",
    ];
    for path in checked {
        assert!(RequestPath::parse(path).unwrap().need_of_token(&scope).is_there(), "{path}");
    }
}

#[test]
fn no_spelling_passes_a_blacklist_that_its_plain_form_would_not() {
    let scope = blacklist(&["/admin", "/admin/*"]);
    let checked = [
        "/admin",
        "/admin/",
        "/admin/x",
        "//admin",
        "/%61dmin",
        "/%2561dmin",
        "/x/../admin",
        "/x/%2e%2e/admin",
        "/admin%2fx",
        "/x%2f..%2fadmin",
        "/./admin",
        "/x//../../admin/y",
        "/admin/../x",
        // Read as `/admin/` only when slashes are not merged, or dot segments not resolved.
        "/%2561dmin/b%2f%2f..%2f..",
        "/%2561dmin%2f..%2fx",
        // Sent on as `/admin%252f..`, and read as `/admin/..` by what decodes twice and resolves nothing.
        "/./admin%252f..",
    ];
    for path in checked {
        assert!(RequestPath::parse(path).unwrap().need_of_token(&scope).is_there(), "{path}");
    }
    let other_servers = [
        "/Admin/x",
        "/ADMIN",
        "/aDMIN/",
        "/admin;x",
        "/admin;x/secret",
        "/;/admin/secret",
        "/;x=1/admin",
        "/admin.json",
        "/Admin.JSON/",
        "/%c0%afadmin/secret",
        "/%e0%80%afadmin",
        "/%c1%a1dmin",
        "/admin%3bx",
        "//ADMIN;/x",
        "/x/..%2fAdmin",
        "//x/admin",
        "//x:80/admin/x",
        "//a:b@x/admin/x",
        "///x/admin/x",
        "/x/..//a:b@x/admin/x",
        "/%255c/;/admin/x",
        "/admin//",
        "/admin%2e;%2f..",
        "/%252e//%61%2fadmin",
    ];
    for path in other_servers {
        assert!(RequestPath::parse(path).unwrap().need_of_token(&scope).is_there(), "{path}");
    }
    // Letters that some fold to others: `K` (Kelvin), `ſ`, `İ`, `ı`.
    let scope = blacklist(&["/desk/*", "/it"]);
    for path in ["/de%C5%BF%E2%84%AA/x", "/DE\u{17f}k/x", "/des\u{212a}/x", "/%C4%B0t", "/%C4%B1T.json"] {
        assert!(RequestPath::parse(path).unwrap().need_of_token(&scope).is_there(), "{path}");
    }
    for exact in ["/admin/", "/admin;x", "/Admin.json", "/ADMIN"] {
        let need = RequestPath::parse(exact).unwrap().need_of_token(&blacklist(&["/admin"])).is_there();
        assert!(need, "{exact}");
    }
    for free in ["/", "/x", "/administrator", "/admin.d/x", "/x/admin", "/admi", "/admin-x", "/x;admin"] {
        assert!(!RequestPath::parse(free).unwrap().need_of_token(&scope).is_there(), "{free}");
    }
}

/// Every letter with what upper and lower case make of it, in entries and requests as they are escaped.
#[test]
fn no_letter_passes_a_blacklist_in_another_case() {
    let escaped = |text: &str| -> String {
        text.bytes()
            .map(|byte| if byte.is_ascii() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
            .collect()
    };
    for letter in ('\u{80}'..=char::MAX).filter(|letter| letter.is_alphabetic()) {
        let (lower, upper) = (letter.to_lowercase().to_string(), letter.to_uppercase().to_string());
        if lower == upper {
            continue;
        }
        let scope =
            blacklist(&[&format!("/{}/*", escaped(&letter.to_string())), &escaped(&format!("/x{letter}"))]);
        for other in [lower, upper] {
            for path in [
                format!("/{}/y", escaped(&other)),
                format!("/X{}", escaped(&other)),
                format!("/x{}/", escaped(&other).to_lowercase()),
            ] {
                assert!(
                    RequestPath::parse(&path).unwrap().need_of_token(&scope).is_there(),
                    "{letter} {path}"
                );
            }
        }
    }
}

#[test]
fn encoded_dot_segments_may_leave_a_folder() {
    for leaves in [
        "/a/..%2fb",
        "/a/%2e%2e%2fb",
        "/..%2fb",
        "/a%2f..%2fb",
        "/a/%252e%252e/b",
        "/a/..%252fb",
        "/a/..%3bx/b",
        "/a/..%c0%afb",
        "/x/../a/..%2fb",
        "/a/%252e%252e%252fb",
        "/a/..%255cb",
    ] {
        assert!(RequestPath::parse(leaves).unwrap().may_leave_its_folder(), "{leaves}");
    }
    for stays in
        ["/a/b", "/a/../b", "/a/%2e%2e/b", "/a%2fb", "/a/..b", "/a/b..", "/a/...%2fb", "/a/%2561", "/a;..x/b"]
    {
        assert!(!RequestPath::parse(stays).unwrap().may_leave_its_folder(), "{stays}");
    }
}

/// Paths made of the pieces that matter.
fn hostile_path() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "/", "/", "..", ".", "%2e", "%2E", "%2f", "%252e", "%61", "a", "admin", "public", ";", "%3b",
        "%c3%a9", "é", "~", "%7e", "%20", "+", ":", "@", "!",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| format!("/{}", pieces.concat()))
}

proptest! {
    #[test]
    fn canonicalization_is_idempotent(raw in hostile_path()) {
        if let Ok(once) = canonical(&raw) {
            prop_assert_eq!(canonical(&once), Ok(once.clone()));
        }
    }

    #[test]
    fn canonical_paths_hold_no_dot_segment(raw in hostile_path()) {
        if let Ok(path) = canonical(&raw) {
            prop_assert!(path.starts_with('/'));
            prop_assert!(path.split('/').all(|segment| segment != "." && segment != ".."), "{}", path);
        }
    }

    #[test]
    fn what_is_forwarded_canonicalizes_to_what_was_judged(raw in hostile_path()) {
        if let Ok(path) = RequestPath::parse(&raw) {
            prop_assert_eq!(canonical(path.forwarded()), Ok(path.canonical().to_owned()));
        }
    }

    #[test]
    fn a_path_is_exempt_only_when_its_plain_form_is(raw in hostile_path()) {
        let Ok(path) = RequestPath::parse(&raw) else { return Ok(()) };
        for scope in [whitelist(&["/public/*", "/a"]), blacklist(&["/admin", "/admin/*"])] {
            if !path.need_of_token(&scope).is_there() {
                for form in [path.canonical()].into_iter().chain(path.lenient.iter().map(String::as_str)) {
                    if let Ok(plain) = RequestPath::parse(form) {
                        prop_assert!(!plain.need_of_token(&scope).is_there(), "{raw} as {form}");
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_panics(raw in any::<String>()) {
        let _ = RequestPath::parse(&raw);
        let _ = RequestPath::parse(&format!("/{raw}"));
    }
}
