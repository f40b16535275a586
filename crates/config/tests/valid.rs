//! Files that are right, and what they mean.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::time::Duration;

use claimgate_config::snapshot::{
    Authentication, AuthenticationScope, ClaimMapping, FunctionTarget, GatewaySettings, JwtAuthentication,
    Parameter, PathPattern, RouteMatch, TokenSource,
};
use claimgate_config::{Snapshot, load_file, load_text};
use http::{HeaderName, Method, StatusCode};

#[test]
fn every_valid_file_loads_without_a_word() {
    for entry in fs::read_dir("tests/valid").unwrap() {
        let file = entry.unwrap().path();
        let loaded = load_file(&file).unwrap_or_else(|problems| panic!("{problems}"));
        assert!(loaded.warnings.list.is_empty(), "{}", loaded.warnings);
    }
}

#[test]
fn the_configuration_of_the_design_means_the_same_in_every_notation() {
    for name in [
        "design.yaml",
        "json-as-the-api-prints-it.json",
        "list-notation.yaml",
        "capitalised.yaml",
        "anchors.yaml",
    ] {
        let snapshot = valid(name);
        let defaults = GatewaySettings::default();
        assert_eq!(snapshot.gateway, GatewaySettings { workers: Some(2), ..defaults }, "{name}");
        assert_eq!(snapshot.admin.listen, Some("127.0.0.1:8081".parse().unwrap()), "{name}");

        let domain = snapshot.domains.find("api.example.com").expect(name);
        assert_eq!(domain.name, "api.example.com", "{name}");
        for (method, path, right) in [
            (Method::GET, "/orders/1", Some("orders")),
            (Method::DELETE, "/orders/1", None),
            (Method::DELETE, "/", Some("hello")),
        ] {
            let found = match domain.routes.find(path, &method) {
                RouteMatch::Found(route) => Some(route.function.name.as_str()),
                RouteMatch::MethodNotAllowed(_) | RouteMatch::NotFound => None,
            };
            assert_eq!(found, right, "{name}: {method} {path}");
        }
        let orders = snapshot.functions.get("orders").expect(name);
        let url = FunctionTarget::Url {
            origin: "http://127.0.0.1:9000/".parse().unwrap(),
            base_path: String::new(),
        };
        assert_eq!(orders.target, url, "{name}");

        let jwt = jwt(&domain.authentication);
        assert_eq!(
            jwt.token_lookup,
            [
                TokenSource::Header { name: http::header::AUTHORIZATION, prefix: Some("Bearer".to_owned()) },
                TokenSource::Cookie("token".to_owned()),
            ],
            "{name}"
        );
        let x_name = Parameter::Header(HeaderName::from_static("x-name"));
        assert_eq!(
            jwt.claim_mappings,
            [
                ClaimMapping { claim: "name".to_owned(), parameter: x_name },
                ClaimMapping { claim: "uid".to_owned(), parameter: Parameter::Query("uid".to_owned()) },
            ],
            "{name}"
        );
        let whitelist =
            [PathPattern::Exact("/healthz".to_owned()), PathPattern::Prefix("/public/".to_owned())];
        assert_eq!(jwt.scope, AuthenticationScope::AllExcept(whitelist.to_vec()), "{name}");
        assert_eq!(jwt.keys.keys().len(), 1, "{name}");
        assert_eq!(jwt.policy.issuers, ["https://id.example.com"], "{name}");
        assert_eq!(jwt.policy.audiences, ["orders", "reports"], "{name}");
        assert_eq!(jwt.policy.leeway, Duration::from_secs(60), "{name}");
        assert!(!jwt.forward_token, "{name}");
    }
    assert!(matches!(
        valid("anchors.yaml").domains.find("x.example.com").unwrap().authentication,
        Authentication::Jwt(_)
    ));
}

#[test]
fn everything_may_be_left_out() {
    let snapshot = valid("everything-left-out.yaml");
    assert_eq!(snapshot.gateway, GatewaySettings::default());
    assert_eq!(snapshot.admin.listen, None);
    assert!(snapshot.functions.is_empty());
    assert_eq!(snapshot.domains.iter().count(), 0);
    let nothing = load_text("{}", Path::new("claimgate.yaml")).unwrap().snapshot;
    assert_eq!(nothing.admin.listen, Some("127.0.0.1:8081".parse().unwrap()));
}

#[test]
fn every_setting_arrives_where_it_belongs() {
    let snapshot = valid("local.yaml");
    let gateway = &snapshot.gateway;
    assert_eq!(gateway.http, "127.0.0.1:0".parse().unwrap());
    assert_eq!(gateway.missing_token_status, StatusCode::BAD_REQUEST);
    let limits = &gateway.limits;
    assert_eq!(
        [limits.header_bytes, limits.header_fields, limits.request_line_bytes, limits.form_bytes],
        [1024, 10, 256, 1 << 30]
    );
    assert_eq!(limits.token_bytes, 1 << 20);
    let timeouts = &gateway.timeouts;
    assert_eq!(
        [timeouts.header_read, timeouts.form_read, timeouts.connect, timeouts.first_byte, timeouts.idle],
        [1, 2, 3, 4, 5].map(Duration::from_secs)
    );
    assert_eq!(timeouts.drain, Duration::ZERO);
    assert_eq!(snapshot.admin.listen, None);
    let target = |name: &str| &snapshot.functions.get(name).expect(name).target;
    assert_eq!(*target("_a-1"), FunctionTarget::Echo);
    assert_eq!(*target("socket"), FunctionTarget::Unix("/run/orders.sock".into()));
    assert_eq!(*target("socket2"), FunctionTarget::Unix("/run/orders.sock".into()));
    let tls =
        FunctionTarget::Url { origin: "https://[::1]:8443/".parse().unwrap(), base_path: "/base".to_owned() };
    assert_eq!(*target("tls"), tls);
    assert!(snapshot.domains.find("anything.localhost").is_some());
}

#[test]
fn a_blacklist_names_the_only_paths_that_need_a_token() {
    let snapshot = valid("blacklist.yaml");
    let jwt = jwt(&snapshot.domains.find("api.example.com").unwrap().authentication);
    let blacklist = [PathPattern::Exact("/admin".to_owned()), PathPattern::Prefix("/admin/".to_owned())];
    assert_eq!(jwt.scope, AuthenticationScope::Only(blacklist.to_vec()));
    assert!(jwt.claim_mappings.is_empty());
}

#[test]
fn what_is_left_out_of_auth_info_is_the_safe_choice() {
    let design = fs::read_to_string("tests/valid/blacklist.yaml").unwrap();
    let own = design.find("        claimPassBy").unwrap();
    let minimal = design.split_at(own).0;
    for rest in ["", "        blacklist: []\n", "        whitelist: []\n", "        blacklist: null\n"] {
        let loaded = load_text(&format!("{minimal}{rest}"), Path::new("minimal.yaml"));
        let snapshot = loaded.unwrap_or_else(|problems| panic!("{problems}")).snapshot;
        let jwt = jwt(&snapshot.domains.find("api.example.com").unwrap().authentication);
        assert_eq!(jwt.scope, AuthenticationScope::Everything, "{rest}");
        assert!(jwt.claim_mappings.is_empty());
        assert!(jwt.policy.issuers.is_empty() && jwt.policy.audiences.is_empty());
        assert_eq!(jwt.policy.leeway, Duration::ZERO);
        assert!(jwt.forward_token);
    }
}

fn valid(name: &str) -> Snapshot {
    let loaded = load_file(&Path::new("tests/valid").join(name));
    loaded.unwrap_or_else(|problems| panic!("{problems}")).snapshot
}

fn jwt(authentication: &Authentication) -> &JwtAuthentication {
    match authentication {
        Authentication::Jwt(jwt) => jwt,
        Authentication::Anonymous => panic!("the domain is anonymous"),
    }
}
