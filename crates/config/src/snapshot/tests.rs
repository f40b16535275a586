#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;
use crate::place::Location;
use crate::reach::Reach;

fn route(path: &str, methods: &[Method], function: &str) -> Route {
    let source =
        Source { json: "{}".into(), origin: Origin::Declared(Location::START), reach: Reach::Everywhere };
    let function = Arc::new(Function { name: function.to_owned(), target: FunctionTarget::Echo, source });
    Route { path: path.to_owned(), number: 0, methods: methods.to_vec(), function, rewrite: None }
}

fn domain(name: &str) -> Domain {
    Domain {
        name: name.to_owned(),
        kind: DomainKind::Custom,
        source: Source {
            json: "{}".into(),
            origin: Origin::Declared(Location::START),
            reach: Reach::Everywhere,
        },
        number: 0,
        protocol: Protocol::default(),
        tls: None,
        routes: RouteTable::default(),
        authentication: Authentication::Anonymous,
        remote_keys: None,
        cors: None,
    }
}

#[test]
fn routes_are_found_by_exact_path_then_longest_prefix_then_method() {
    let table = RouteTable::new([
        route("/*", &[], "everything"),
        route("/login/*", &[], "login"),
        route("/login/a/*", &[Method::GET], "deep-get"),
        route("/login/a/*", &[Method::POST, Method::PUT], "deep-post"),
        route("/login/a/exact", &[Method::GET], "exact"),
    ]);
    for (method, path, right) in [
        (Method::GET, "/", "everything"),
        (Method::GET, "/login", "everything"),
        (Method::GET, "/login/", "login"),
        (Method::GET, "/login/b/c", "login"),
        (Method::GET, "/login/a/b", "deep-get"),
        (Method::PUT, "/login/a/b", "deep-post"),
        (Method::DELETE, "/login/a/b", "405 GET POST PUT"),
        (Method::GET, "/login/a/exact", "exact"),
        (Method::POST, "/login/a/exact", "405 GET"),
        (Method::GET, "/login/a/exact/", "deep-get"),
        (Method::GET, "/LOGIN/", "everything"),
    ] {
        let found = match table.find(path, &method) {
            RouteMatch::Found(route) => route.function.name.clone(),
            RouteMatch::MethodNotAllowed(methods) => {
                let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
                format!("405 {}", names.join(" "))
            }
            RouteMatch::NotFound => "404".to_owned(),
        };
        assert_eq!(found, right, "{method} {path}");
    }
    assert!(matches!(RouteTable::default().find("/", &Method::GET), RouteMatch::NotFound));
}

#[test]
fn domains_are_found_by_exact_name_then_wildcard_of_one_label() {
    let table = DomainTable::new([domain("api.example.com"), domain("*.example.com"), domain("localhost")]);
    for (host, right) in [
        ("api.example.com", Some("api.example.com")),
        ("other.example.com", Some("*.example.com")),
        ("a.other.example.com", None),
        ("example.com", None),
        ("localhost", Some("localhost")),
        ("", None),
    ] {
        assert_eq!(table.find(host).map(|domain| domain.name.as_str()), right, "{host}");
    }
    assert_eq!(table.iter().count(), 3);
}
