//! Stored documents on top of a configuration file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;
use std::sync::Arc;

use claimgate_config::snapshot::{Authentication, Domain, DomainKind, Function, FunctionTarget};
use claimgate_config::{
    DocumentKind, DocumentProblem, Problem, Severity, Snapshot, StoredDocuments, StoredDomain,
    StoredFunction, UnknownFields, load_text,
};

const FILE: &str = "
functions:
  - {functionName: hello, builtin: echo, httpTrigger: {authType: anonymous}}
customDomains:
  - domainName: declared.example.com
    routeConfig: {routes: [{path: /*, functionName: hello}]}
    authConfig: {authType: anonymous}
control: {allow: {processes: true, users: [gone]}}
";

fn declared() -> Snapshot {
    load_text(FILE, Path::new("claimgate.yaml")).unwrap().snapshot
}

fn stored(functions: &[&str], domains: &[&str]) -> StoredDocuments {
    let mut documents = StoredDocuments::default();
    for text in functions {
        let (function, _) = StoredFunction::read(text, UnknownFields::Refused).unwrap();
        documents.functions.insert(function.name().to_owned(), Arc::new(function));
    }
    for text in domains {
        let (domain, _) = StoredDomain::read(text, UnknownFields::Refused).unwrap();
        documents.domains.insert(domain.name().to_owned(), Arc::new(domain));
    }
    documents
}

fn domain(name: &str, function: &str) -> String {
    format!(
        r#"{{"domainName": "{name}", "routeConfig": {{"routes": [{{"path": "/*", "functionName": "{function}"}}]}},
           "authConfig": {{"authType": "jwt", "authInfo": {{"jwksUri": "https://id.example.com/{name}",
           "tokenLookup": "header:Authorization:Bearer"}}}}}}"#
    )
}

fn find<'a>(snapshot: &'a Snapshot, name: &str) -> &'a Arc<Domain> {
    snapshot.domains.named(name).unwrap_or_else(|| panic!("{name} is not there"))
}

fn with(documents: &StoredDocuments, before: Option<&Snapshot>, declared: &Snapshot) -> Snapshot {
    let (snapshot, problems) = declared.with_stored(documents, before, &|_| Ok(()));
    assert!(!problems.iter().any(DocumentProblem::is_error), "{problems:?}");
    snapshot
}

fn errors(functions: &[&str], domains: &[&str]) -> Vec<(DocumentKind, String, String)> {
    let (_, problems) = declared().with_stored(&stored(functions, domains), None, &|_| Ok(()));
    let parts = |DocumentProblem { kind, name, problem }| (kind, name, problem.to_string());
    problems.into_iter().filter(DocumentProblem::is_error).map(parts).collect()
}

#[test]
fn stored_documents_are_served_beside_declared_ones() {
    let documents = stored(
        &[
            r#"{"functionName": "orders", "url": "http://127.0.0.1:9000", "httpTrigger": {"authType": "anonymous"}}"#,
        ],
        &[&domain("one.example.com", "orders"), &domain("*.example.com", "hello")],
    );
    let snapshot = with(&documents, None, &declared());
    assert_eq!(snapshot.domains.len(), 5);
    assert_eq!(find(&snapshot, "orders.fc.localhost").kind, DomainKind::Trigger);
    let mut numbers: Vec<usize> = snapshot.domains.iter().map(|domain| domain.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 1, 2, 3, 4]);
    let sources = |name| snapshot.remote_key_sources[find(&snapshot, name).remote_keys.unwrap()].to_string();
    assert_eq!(sources("one.example.com"), "https://id.example.com/one.example.com");
    assert_eq!(sources("*.example.com"), "https://id.example.com/*.example.com");
}

#[test]
fn what_does_not_change_is_taken_over() {
    let declared = declared();
    let mut documents = stored(&[], &[]);
    for name in ["a", "b", "c"] {
        let text = domain(&format!("{name}.example.com"), "hello");
        let (domain, _) = StoredDomain::read(&text, UnknownFields::Refused).unwrap();
        documents.domains.insert(domain.name().to_owned(), Arc::new(domain));
    }
    let first = with(&documents, None, &declared);
    documents.domains.remove("a.example.com");
    let second = with(&documents, Some(&first), &declared);
    let rules = |domain: &Domain| match &domain.authentication {
        Authentication::Jwt(jwt) => jwt.id,
        Authentication::Anonymous => panic!("anonymous"),
    };
    for name in ["b.example.com", "c.example.com"] {
        assert_eq!(rules(find(&first, name)), rules(find(&second, name)));
        assert_eq!(find(&first, name).number, find(&second, name).number);
        let source = find(&second, name).remote_keys.unwrap();
        assert_eq!(second.remote_key_sources[source].to_string(), format!("https://id.example.com/{name}"));
    }
    let third = with(&documents, Some(&second), &declared);
    assert!(Arc::ptr_eq(find(&second, "b.example.com"), find(&third, "b.example.com")));

    let (again, _) = StoredDomain::read(&domain("b.example.com", "hello"), UnknownFields::Refused).unwrap();
    documents.domains.insert("b.example.com".to_owned(), Arc::new(again));
    let (new, _) = StoredDomain::read(&domain("d.example.com", "hello"), UnknownFields::Refused).unwrap();
    documents.domains.insert("d.example.com".to_owned(), Arc::new(new));
    let fourth = with(&documents, Some(&third), &declared);
    assert_ne!(rules(find(&third, "b.example.com")), rules(find(&fourth, "b.example.com")));
    assert!(Arc::ptr_eq(find(&third, "c.example.com"), find(&fourth, "c.example.com")));
    // The place that a left.
    assert_eq!(find(&fourth, "d.example.com").number, find(&first, "a.example.com").number);
}

#[test]
fn a_function_that_changes_is_changed_for_its_domains() {
    let declared = declared();
    let orders = |port: u16| format!(r#"{{"functionName": "orders", "url": "http://127.0.0.1:{port}"}}"#);
    let mut documents = stored(&[&orders(9000)], &[&domain("one.example.com", "orders")]);
    let first = with(&documents, None, &declared);
    let (function, _) = StoredFunction::read(&orders(9001), UnknownFields::Refused).unwrap();
    documents.functions.insert("orders".to_owned(), Arc::new(function));
    let second = with(&documents, Some(&first), &declared);
    let target = |snapshot: &Snapshot| {
        let routes = &find(snapshot, "one.example.com").routes;
        format!("{:?}", routes.iter().next().unwrap().function.target)
    };
    assert!(target(&first).contains("9000") && target(&second).contains("9001"));
}

#[test]
fn a_name_that_is_declared_and_stored_is_an_error_that_names_both_places() {
    let hello = r#"{"functionName": "hello", "builtin": "echo"}"#;
    let errors = errors(&[hello], &[&domain("declared.example.com", "hello")]);
    let (kinds, texts): (Vec<_>, Vec<_>) =
        errors.iter().map(|(kind, name, text)| ((*kind, name.as_str()), text.as_str())).unzip();
    assert_eq!(
        kinds,
        [(DocumentKind::Function, "hello"), (DocumentKind::CustomDomain, "declared.example.com")]
    );
    assert_eq!(
        texts,
        [
            "error: functionName: the function hello is already declared on line 3, column 20",
            "error: domainName: the domain declared.example.com is already declared on line 5, column 17"
        ]
    );
}

#[test]
fn a_function_that_a_domain_names_has_to_be_there() {
    let errors = errors(&[], &[&domain("one.example.com", "orders")]);
    let (_, name, text) = errors.first().unwrap();
    assert_eq!(name, "one.example.com");
    assert!(text.contains("there is no function \"orders\""), "{text}");
}

#[test]
fn unknown_fields_are_refused_or_left_out() {
    let text = domain("one.example.com", "hello").replacen('{', r#"{"newer": {"a": 1}, "#, 1);
    let text = text.replace(r#""path""#, r#""alsoNewer": [1], "path""#);
    let refused = StoredDomain::read(&text, UnknownFields::Refused).unwrap_err();
    assert_eq!(
        refused.iter().map(|problem| problem.field.as_str()).collect::<Vec<_>>(),
        ["routeConfig.routes[0].alsoNewer", "newer"]
    );
    let (domain, warnings) = StoredDomain::read(&text, UnknownFields::LeftOut).unwrap();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(!domain.json().contains("ewer"), "{}", domain.json());
    assert!(domain.json().contains("id.example.com"));
    let slip = text.replace("tokenLookup", "issuer\": \"a\", \"tokenLookup");
    let errors = StoredDomain::read(&slip, UnknownFields::LeftOut).unwrap_err();
    assert!(errors.iter().any(|problem| problem.field == "authConfig.authInfo.issuer"), "{errors:?}");
}

/// What a host answers with: the function of each of its routes.
fn functions_of(snapshot: &Snapshot, host: &str) -> Vec<String> {
    let routes = &find(snapshot, host).routes;
    routes.iter().map(|route| format!("{:?}", route.function.target)).collect()
}

/// A document of each kind of harm next to a good one, and the host that it is about.
fn harmed() -> Vec<(&'static str, StoredDocuments, &'static str)> {
    let good = domain("good.example.com", "hello");
    let with = |functions: &[&str], domains: &[&str]| {
        let mut all = vec![good.as_str()];
        all.extend(domains);
        stored(functions, &all)
    };
    let mut unreadable = with(&[], &[]);
    let problem = |message: &str| Problem {
        severity: Severity::Error,
        line: 0,
        column: 0,
        field: String::new(),
        message: message.to_owned(),
    };
    let key = (DocumentKind::CustomDomain, "bad.example.com".to_owned());
    unreadable.unreadable.insert(key, problem("it cannot be read"));
    let https = |cert: &str| {
        let domain = domain("bad.example.com", "hello");
        format!(r#"{}, "protocol": "HTTPS", "certConfig": {cert}}}"#, domain.strip_suffix('}').unwrap())
    };
    let files = https(r#"{"certificateFile": "/nowhere/c.pem", "privateKeyFile": "/nowhere/k.pem"}"#);
    vec![
        ("unreadable", unreadable, "bad.example.com"),
        ("a function that is not there", with(&[], &[&domain("bad.example.com", "gone")]), "bad.example.com"),
        ("a certificate that is not there", with(&[], &[&files]), "bad.example.com"),
        (
            "a user that is not there",
            with(
                &[r#"{"functionName": "bad", "process": {"command": ["x"], "user": "gone"},
                      "httpTrigger": {"authType": "anonymous"}}"#],
                &[],
            ),
            "bad.fc.localhost",
        ),
    ]
}

fn can_run(function: &Function) -> Result<(), String> {
    match &function.target {
        FunctionTarget::Process(settings) if settings.user.as_deref() == Some("gone") => {
            Err("there is no user gone".to_owned())
        }
        _ => Ok(()),
    }
}

#[test]
fn a_bad_document_harms_itself_alone() {
    for (what, documents, host) in harmed() {
        let (snapshot, problems) = declared().with_stored(&documents, None, &can_run);
        let errors: Vec<_> = problems.iter().filter(|problem| problem.is_error()).collect();
        assert!(
            !errors.is_empty() && errors.iter().all(|error| error.name.starts_with("bad")),
            "{what}: {errors:?}"
        );
        assert_eq!(functions_of(&snapshot, host), ["Unavailable"], "{what}");
        assert_eq!(functions_of(&snapshot, "good.example.com"), ["Echo"], "{what}");
        assert_eq!(functions_of(&snapshot, "declared.example.com"), ["Echo"], "{what}");
        // And so it stays, however often it is compiled.
        let (again, still) = declared().with_stored(&documents, Some(&snapshot), &can_run);
        assert_eq!(still, problems, "{what}");
        assert_eq!(functions_of(&again, host), ["Unavailable"], "{what}");
    }
}

#[test]
fn a_bad_document_keeps_its_last_good_state() {
    let first = stored(
        &[
            r#"{"functionName": "bad", "url": "http://127.0.0.1:9000", "httpTrigger": {"authType": "anonymous"}}"#,
        ],
        &[&domain("bad.example.com", "bad")],
    );
    let declared = declared();
    let good = with(&first, None, &declared);
    let rules = |snapshot: &Snapshot| match &find(snapshot, "bad.example.com").authentication {
        Authentication::Jwt(jwt) => jwt.id,
        Authentication::Anonymous => panic!("anonymous"),
    };
    for (what, documents, host) in harmed() {
        let mut last = good.clone();
        for _ in 0..3 {
            last = declared.with_stored(&documents, Some(&last), &can_run).0;
            let target = &functions_of(&last, host)[0];
            assert!(target.contains("9000"), "{what}: {target}");
            if host == "bad.example.com" {
                assert_eq!(rules(&last), rules(&good), "{what}");
                let source = find(&last, host).remote_keys.unwrap();
                assert_eq!(
                    last.remote_key_sources[source].to_string(),
                    "https://id.example.com/bad.example.com"
                );
            }
        }
        // It is served as soon as it is good.
        let after = declared.with_stored(&first, Some(&last), &can_run).0;
        assert_ne!(find(&after, host).source.json, find(&last, "declared.example.com").source.json);
        assert!(functions_of(&after, host)[0].contains("9000"));
    }
}

#[test]
fn what_the_file_forbids_is_not_kept() {
    let process = r#"{"functionName": "run", "process": {"command": ["x"], "user": "gone"},
                      "httpTrigger": {"authType": "anonymous"}}"#;
    let documents = stored(&[process], &[&domain("one.example.com", "run")]);
    let before = with(&documents, None, &declared());
    assert!(functions_of(&before, "one.example.com")[0].contains("Process"));
    let text = FILE.replace("processes: true", "processes: false");
    let forbids = load_text(&text, Path::new("claimgate.yaml")).unwrap().snapshot;
    let (after, problems) = forbids.with_stored(&documents, Some(&before), &|_| Ok(()));
    assert!(problems.iter().any(DocumentProblem::is_error));
    for host in ["one.example.com", "run.fc.localhost"] {
        assert_eq!(functions_of(&after, host), ["Unavailable"]);
    }
}

#[test]
fn a_function_that_the_file_drops_serves_its_stored_domains_on() {
    let documents = stored(&[], &[&domain("one.example.com", "hello")]);
    let before = with(&documents, None, &declared());
    let other = load_text("functions: [{functionName: other, builtin: echo}]", Path::new("claimgate.yaml"));
    let other = other.unwrap().snapshot;
    let (after, problems) = other.with_stored(&documents, Some(&before), &can_run);
    assert_eq!(problems.len(), 1);
    assert_eq!(functions_of(&after, "one.example.com"), ["Echo"]);
    // No document that comes later may lead to it.
    let mut more = documents.clone();
    let (new, _) = StoredDomain::read(&domain("new.example.com", "hello"), UnknownFields::Refused).unwrap();
    more.domains.insert("new.example.com".to_owned(), Arc::new(new));
    let (after, problems) = other.with_stored(&more, Some(&after), &can_run);
    assert_eq!(problems.len(), 2);
    assert_eq!(functions_of(&after, "new.example.com"), ["Unavailable"]);
    assert_eq!(functions_of(&after, "one.example.com"), ["Echo"]);
}

#[test]
fn a_name_that_the_file_declares_stays_with_it() {
    let hello =
        r#"{"functionName": "hello", "url": "http://127.0.0.1:9", "httpTrigger": {"authType": "anonymous"}}"#;
    let documents = stored(&[hello], &[&domain("declared.example.com", "hello")]);
    for before in [None, Some(declared())] {
        let (snapshot, problems) = declared().with_stored(&documents, before.as_ref(), &can_run);
        assert_eq!(problems.len(), 2);
        for host in ["declared.example.com", "hello.fc.localhost"] {
            assert_eq!(functions_of(&snapshot, host), ["Echo"]);
        }
    }
}

#[test]
fn stored_documents_name_files_of_allowed_folders_alone() {
    let cert = |path: &str| {
        let domain = domain("files.example.com", "hello");
        let rest = format!(r#""certConfig": {{"certificateFile": "{path}", "privateKeyFile": "{path}"}}"#);
        format!(r#"{}, "protocol": "HTTPS", {rest}}}"#, domain.strip_suffix('}').unwrap())
    };
    let file = |allowed: &str| {
        let text = format!("gateway: {{https: '127.0.0.1:8443'}}\nstore: {{sqlite: x.db{allowed}}}\n{FILE}");
        load_text(&text, Path::new("/etc/claimgate/claimgate.yaml")).unwrap().snapshot
    };
    let is_refused = |declared: &Snapshot, path: &str| {
        let (_, problems) = declared.with_stored(&stored(&[], &[&cert(path)]), None, &can_run);
        assert!(!problems.is_empty(), "no file of the test is there");
        problems.iter().any(|problem| problem.problem.message.contains("store.allowFiles"))
    };
    for path in ["/etc/shadow", "c.pem", "/etc/claimgate/certs/c.pem"] {
        assert!(is_refused(&file(""), path), "{path}");
    }
    let allowed = file(", allowFiles: [certs, /srv/tls/]");
    for path in ["/etc/claimgate/certs/c.pem", "certs/c.pem", "./certs/deep/c.pem", "/srv/tls/c.pem"] {
        assert!(!is_refused(&allowed, path), "{path}");
    }
    for path in ["/etc/claimgate/c.pem", "certs/../c.pem", "/srv/tls/../x", "/srv/tlsx/c.pem", "/etc/shadow"]
    {
        assert!(is_refused(&allowed, path), "{path}");
    }
}
