//! Files that are right, and what they mean.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::time::Duration;

use claimgate_config::snapshot::{
    Authentication, AuthenticationScope, CacheFolder, ClaimMapping, Environment, FunctionTarget,
    GatewaySettings, JwtAuthentication, Parameter, PathPattern, ProcessSettings, RemoteJwksSettings,
    RemoteKeySource, RouteMatch, TokenSource,
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
    assert_eq!([limits.connections, limits.http2_streams], [1, 10_000]);
    let timeouts = &gateway.timeouts;
    assert_eq!(
        [timeouts.header_read, timeouts.form_read, timeouts.connect, timeouts.first_byte, timeouts.idle],
        [1, 2, 3, 4, 5].map(Duration::from_secs)
    );
    assert_eq!(timeouts.response, Some(Duration::from_secs(6)));
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
fn a_process_is_run_as_it_is_written() {
    let snapshot = valid("process.yaml");
    let process = |name: &str| match &snapshot.functions.get(name).expect(name).target {
        FunctionTarget::Process(settings) => ProcessSettings::clone(settings),
        other => panic!("{other:?}"),
    };
    let report = ProcessSettings {
        command: ["python3", "app.py"].map(str::to_owned).to_vec(),
        cwd: Some(std::env::current_dir().unwrap().join("tests/valid/report")),
        folder: std::env::current_dir().unwrap().join("tests/valid"),
        env: Environment::default(),
        port: None,
        instance_concurrency: 20,
        max_instances: 1,
        idle_timeout: Duration::from_secs(300),
        start_timeout: Duration::from_secs(120),
        stop_timeout: Duration::from_secs(10),
        wait_timeout: Duration::from_secs(30),
        max_waiting_requests: 1000,
        user: None,
    };
    assert_eq!(process("report"), report);
    let env = [("LEVEL", "debug"), ("EMPTY", "")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let everything = ProcessSettings {
        command: ["./app", "", "--flag"].map(str::to_owned).to_vec(),
        cwd: Some("/srv/app".into()),
        env: Environment(env.into()),
        port: Some(9000),
        instance_concurrency: 1,
        idle_timeout: Duration::from_secs(2),
        start_timeout: Duration::from_secs(3),
        stop_timeout: Duration::ZERO,
        wait_timeout: Duration::from_secs(4),
        max_waiting_requests: 0,
        user: Some("33".to_owned()),
        ..report
    };
    assert_eq!(process("everything"), everything);
    assert!(!format!("{everything:?}").contains("debug"), "values may be secrets");
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

#[test]
fn remote_keys_are_fetched_once_for_all_domains_that_name_them() {
    let snapshot = valid("remote-keys.yaml");
    let keys = |domain: &str| jwt(&snapshot.domains.find(domain).expect(domain).authentication);
    let source = |domain: &str| {
        let number = snapshot.domains.named(domain).unwrap().remote_keys.expect(domain);
        snapshot.remote_key_sources.get(number).expect(domain)
    };
    assert_eq!(snapshot.remote_key_sources.len(), 3);
    assert_eq!(source("one.example.com"), source("same.example.com"));
    assert_eq!(source("one.example.com").to_string(), "https://id.example.com/keys?p=policy");
    assert!(keys("one.example.com").keys.keys().is_empty());
    assert!(keys("one.example.com").policy.issuers.is_empty());

    let issuer = RemoteKeySource::OidcIssuer {
        issuer: "https://id.example.com/tenant/".to_owned(),
        configuration: "https://id.example.com/tenant/.well-known/openid-configuration".parse().unwrap(),
    };
    assert_eq!(*source("issuer.example.com"), issuer);
    assert_eq!(keys("issuer.example.com").keys.keys().len(), 1);
    let issuers = ["https://old.example.com", "https://id.example.com/tenant/"];
    assert_eq!(keys("issuer.example.com").policy.issuers, issuers);

    let settings = &snapshot.gateway.remote_jwks;
    assert!(settings.allow_http);
    assert_eq!(
        settings.allow_addresses,
        ["169.254.10.0/24", "fd00:ec2::1"].map(|range| range.parse().unwrap())
    );
    assert_eq!(settings.ca_file, Some("tests/valid/ca.pem".into()));
    assert_eq!(settings.cache_folder, CacheFolder::At("/var/lib/claimgate/jwks".into()));
    let RemoteJwksSettings { min_refresh, max_refresh, refresh, timeout, .. } = settings.clone();
    let times = [min_refresh, max_refresh, refresh, timeout, settings.unknown_key_id_cooldown];
    assert_eq!(times, [1, 2, 3, 4, 5].map(Duration::from_secs));
    assert_eq!((settings.max_stale, settings.wait), (Some(Duration::from_secs(86400)), Duration::ZERO));
    assert_eq!((settings.max_bytes, settings.max_redirects), (4096, 0));
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
