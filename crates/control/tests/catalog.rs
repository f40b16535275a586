//! Documents that are changed while a gateway serves them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use claimgate_config::snapshot::{Role, StoreBackend, StoreSettings};
use claimgate_config::{DocumentKind, Snapshot, UnknownFields, load_text};
use claimgate_control::Catalog;
use claimgate_control::catalog::{ApplyError, Author, Change, Expected, Opened};
use claimgate_control::store::{Store, StoreError};
use claimgate_functions::ProcessFunctions;
use claimgate_gateway::access_log::AccessLog;
use claimgate_gateway::spans::Spans;
use claimgate_gateway::{Gateway, Metrics, Serving};
use claimgate_remote_keys::RemoteKeySources;
use claimgate_tls::Certificates;

const FILE: &str = "
functions:
  - {functionName: hello, builtin: echo}
customDomains:
  - domainName: declared.example.com
    routeConfig: {routes: [{path: /*, functionName: hello}]}
    authConfig: {authType: anonymous}
";

fn declared(text: &str) -> Snapshot {
    load_text(text, Path::new("claimgate.yaml")).unwrap().snapshot
}

fn serve(snapshot: Snapshot) -> Serving {
    let (keys, certificates) = (RemoteKeySources::default(), Certificates::default());
    Serving::new(snapshot, keys, certificates, ProcessFunctions::default(), &Metrics::default())
}

async fn open(folder: &Path, text: &str) -> Result<Catalog, StoreError> {
    let backend = StoreBackend::Sqlite(folder.join("claimgate.db"));
    let store = Store::open(&StoreSettings { backend, key_file: None, allow_files: Vec::new() }).await?;
    let opened = Opened::read(declared(text), Some(store), None, |_| Ok(())).await?;
    let serving = serve(opened.snapshot.clone());
    let gateway = Gateway::new(serving, Metrics::default(), AccessLog::off(), Spans::off());
    Ok(opened.follow(Arc::new(gateway), |snapshot, _| Ok(serve(snapshot))))
}

fn author(name: &str) -> Author {
    Author { name: name.to_owned(), role: Role::Editor }
}

fn domain(name: &str, function: &str) -> String {
    format!(
        r#"{{"domainName": "{name}", "routeConfig": {{"routes": [{{"path": "/*", "functionName": "{function}"}}]}},
           "authConfig": {{"authType": "anonymous"}}}}"#
    )
}

fn change(kind: DocumentKind, name: &str, expected: Expected, document: Option<String>) -> Change {
    Change { kind, name: name.to_owned(), expected, document, unknown_fields: UnknownFields::Refused }
}

fn create(name: &str) -> Change {
    change(DocumentKind::CustomDomain, name, Expected::Absent, Some(domain(name, "hello")))
}

fn is_served(catalog: &Catalog, name: &str) -> bool {
    catalog.gateway().serving().snapshot.domains.named(name).is_some()
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..400 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("not after 10 seconds: {what}");
}

#[tokio::test]
async fn a_change_is_in_force_when_it_is_acknowledged_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = open(folder.path(), FILE).await.unwrap();
    let other_name = Change { name: "other.example.com".to_owned(), ..create("api.example.com") };
    let refused = catalog.apply(vec![other_name], &author("ann")).await.unwrap_err();
    assert!(refused.to_string().contains("\"other.example.com\" was meant"), "{refused}");
    let applied = catalog.apply(vec![create("API.example.com")], &author("ann")).await.unwrap();
    assert!(is_served(&catalog, "api.example.com"));
    let version = applied.documents[0].stored().unwrap().version;

    let update = domain("api.example.com", "hello").replace("/*", "/orders/*");
    let expected = Expected::Version(version);
    let update = change(DocumentKind::CustomDomain, "api.example.com", expected, Some(update));
    let checked = catalog.check(vec![update.clone()], &author("ben")).await.unwrap();
    assert_eq!(checked.documents.len(), 1);
    catalog.apply(vec![update.clone()], &author("ben")).await.unwrap();
    let again = catalog.apply(vec![update], &author("ben")).await.unwrap_err();
    assert!(matches!(again, ApplyError::Changed { current: Some(_), .. }), "{again}");

    let other = open(folder.path(), FILE).await.unwrap();
    let document = other.find(DocumentKind::CustomDomain, "api.example.com").unwrap();
    assert!(document.json.contains("/orders/*"));
    let stored = document.stored().unwrap();
    assert_eq!((stored.author.as_str(), stored.version), ("ben", version + 1));
    let mine = catalog.find(DocumentKind::CustomDomain, "api.example.com").unwrap();
    assert_eq!(mine.stored(), Some(stored));

    let history = catalog.history(DocumentKind::CustomDomain, "api.example.com").await.unwrap();
    let history: Vec<_> =
        history.iter().map(|version| (version.author.as_str(), version.json.is_some())).collect();
    assert_eq!(history, [("ben", true), ("ann", true)]);
}

#[tokio::test]
async fn what_another_process_changes_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (open(folder.path(), FILE).await.unwrap(), open(folder.path(), FILE).await.unwrap());
    one.apply(vec![create("api.example.com")], &author("ann")).await.unwrap();
    until("the other serves it", || is_served(&two, "api.example.com")).await;
    assert_eq!(two.list(DocumentKind::CustomDomain, "", None, 10).len(), 2);
    let delete = change(DocumentKind::CustomDomain, "api.example.com", Expected::Present, None);
    two.apply(vec![delete.clone()], &author("ben")).await.unwrap();
    assert!(!is_served(&two, "api.example.com"));
    until("the other serves it no more", || !is_served(&one, "api.example.com")).await;
    let gone = one.apply(vec![delete], &author("ann")).await.unwrap_err();
    assert!(matches!(gone, ApplyError::NotFound { .. }), "{gone}");
    assert!(is_served(&one, "declared.example.com"));
}

#[tokio::test]
async fn two_processes_cannot_make_together_what_neither_would_have_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (open(folder.path(), FILE).await.unwrap(), open(folder.path(), FILE).await.unwrap());
    let orders = r#"{"functionName": "orders", "url": "http://127.0.0.1:9000"}"#.to_owned();
    let (ann, ben) = (author("ann"), author("ben"));
    for round in 0..20 {
        let name = format!("r{round}.example.com");
        let put = change(DocumentKind::Function, "orders", Expected::Any, Some(orders.clone()));
        one.apply(vec![put], &author("ann")).await.unwrap();
        let delete = change(DocumentKind::Function, "orders", Expected::Any, None);
        let uses = change(DocumentKind::CustomDomain, &name, Expected::Any, Some(domain(&name, "orders")));
        let (deleted, used) = tokio::join!(one.apply(vec![delete], &ann), two.apply(vec![uses], &ben));
        assert_eq!(
            [deleted.is_ok(), used.is_ok()].iter().filter(|is_ok| **is_ok).count(),
            1,
            "round {round}"
        );
        if used.is_ok() {
            let delete = change(DocumentKind::CustomDomain, &name, Expected::Any, None);
            two.apply(vec![delete], &author("ben")).await.unwrap();
        }
    }
    let reread = open(folder.path(), FILE).await.unwrap();
    assert_eq!(reread.status(), two.status());
}

#[tokio::test]
async fn many_changes_are_made_together_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = open(folder.path(), FILE).await.unwrap();
    let mut changes: Vec<Change> = (0..10).map(|number| create(&format!("d{number}.example.com"))).collect();
    changes.push(change(
        DocumentKind::CustomDomain,
        "bad.example.com",
        Expected::Any,
        Some(domain("bad.example.com", "nobody")),
    ));
    let error = catalog.apply(changes.clone(), &author("ann")).await.unwrap_err();
    assert!(error.to_string().contains("there is no function \"nobody\""), "{error}");
    assert_eq!(catalog.list(DocumentKind::CustomDomain, "", None, 100).len(), 1);
    changes.pop();
    catalog.apply(changes, &author("ann")).await.unwrap();
    let page = catalog.list(DocumentKind::CustomDomain, "d", Some("d3.example.com"), 3);
    let names: Vec<_> = page.iter().map(|document| document.name.as_str()).collect();
    assert_eq!(names, ["d4.example.com", "d5.example.com", "d6.example.com"]);
}

#[tokio::test]
async fn what_is_declared_cannot_be_changed_and_keeps_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = open(folder.path(), FILE).await.unwrap();
    let error = catalog.apply(vec![create("declared.example.com")], &author("ann")).await.unwrap_err();
    assert!(error.to_string().contains("on line 5, column 17"), "{error}");

    catalog.apply(vec![create("api.example.com")], &author("ann")).await.unwrap();
    let file = FILE.replace("declared.example.com", "api.example.com");
    catalog.declare(declared(&file)).unwrap();
    for catalog in [&catalog, &open(folder.path(), &file).await.unwrap()] {
        let not_served = catalog.status().sentences().concat();
        let expected = "customDomains/api.example.com: error: domainName: the domain api.example.com is already \
                        declared on line 5";
        assert!(not_served.contains(expected), "{not_served}");
        assert!(is_served(catalog, "api.example.com"));
    }
    catalog.declare(declared(&FILE.replace("declared.", "renamed."))).unwrap();
    assert!(catalog.status().is_current());
    for (name, served) in [("api", true), ("renamed", true), ("declared", false)] {
        assert_eq!(is_served(&catalog, &format!("{name}.example.com")), served, "{name}");
    }
}

#[tokio::test]
async fn history_is_bounded_for_each_document() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = open(folder.path(), FILE).await.unwrap();
    catalog.apply(vec![create("other.example.com")], &author("ann")).await.unwrap();
    for number in 0..120 {
        let document = domain("api.example.com", "hello").replace("/*", &format!("/{number}"));
        let put = change(DocumentKind::CustomDomain, "api.example.com", Expected::Any, Some(document));
        catalog.apply(vec![put], &author("ann")).await.unwrap();
    }
    let history = catalog.history(DocumentKind::CustomDomain, "api.example.com").await.unwrap();
    assert_eq!(history.len(), 100);
    assert!(history[0].json.as_deref().unwrap().contains("/119"));
    assert!(history[99].json.as_deref().unwrap().contains("/20\""));
    let other = catalog.history(DocumentKind::CustomDomain, "other.example.com").await.unwrap();
    assert_eq!(other.len(), 1);
}

#[tokio::test]
async fn an_editor_makes_no_process_of_what_another_gateway_has_made_a_url() {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("{FILE}control: {{allow: {{processes: true, users: [nobody]}}}}\n");
    let (one, two) = (open(folder.path(), &file).await.unwrap(), open(folder.path(), &file).await.unwrap());
    let put = |document: &str| {
        let document = format!(r#"{{"functionName": "run", {document}}}"#);
        vec![change(DocumentKind::Function, "run", Expected::Any, Some(document))]
    };
    let process = put(r#""process": {"command": ["true"], "user": "nobody"}"#);
    let url = put(r#""url": "http://127.0.0.1:9000""#);
    let admin = Author { role: Role::Admin, ..author("ann") };
    let refused = one.apply(process.clone(), &author("ben")).await.unwrap_err();
    assert!(matches!(refused, ApplyError::NotPermitted { .. }), "{refused}");
    one.apply(process.clone(), &admin).await.unwrap();
    until("the other follows", || two.find(DocumentKind::Function, "run").is_some()).await;
    // An editor may write it as it is, and no more as soon as an admin has changed it, though it is not seen yet.
    two.apply(process.clone(), &author("ben")).await.unwrap();
    one.apply(url, &admin).await.unwrap();
    let refused = two.apply(process, &author("ben")).await.unwrap_err();
    assert!(matches!(refused, ApplyError::NotPermitted { .. }), "{refused}");
}
