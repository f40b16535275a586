//! Stored documents on top of a configuration file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;
use std::sync::Arc;

use claimgate_config::snapshot::{Authentication, Domain, DomainKind};
use claimgate_config::{
    DocumentKind, DocumentProblem, Snapshot, StoredDocuments, StoredDomain, StoredFunction, UnknownFields,
    load_text,
};

const FILE: &str = "
functions:
  - {functionName: hello, builtin: echo, httpTrigger: {authType: anonymous}}
customDomains:
  - domainName: declared.example.com
    routeConfig: {routes: [{path: /*, functionName: hello}]}
    authConfig: {authType: anonymous}
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
    declared.with_stored(documents, before).unwrap().0
}

fn errors(functions: &[&str], domains: &[&str]) -> Vec<(DocumentKind, String, String)> {
    let Err(problems) = declared().with_stored(&stored(functions, domains), None) else {
        panic!("nothing is wrong")
    };
    let parts = |DocumentProblem { kind, name, problem }| (kind, name, problem.to_string());
    problems.into_iter().map(parts).collect()
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
