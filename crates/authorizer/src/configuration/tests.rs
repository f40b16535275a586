#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
use super::*;

fn load(yaml: &str) -> Result<(Configuration, String), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("authorizer.yaml");
    std::fs::write(&path, yaml).unwrap();
    let told = |problems: Problems| problems.to_string().replace(&format!("{}:", path.display()), "");
    Configuration::load(&path).map(|(configuration, warnings)| (configuration, told(warnings))).map_err(told)
}

const LEAST: &str = "issuer: http://127.0.0.1:8090\nkeys: {folder: ./keys}\nusers: {file: users.yaml}\n";

#[test]
fn what_is_left_out_has_its_default() {
    let (configuration, warnings) = load(LEAST).unwrap();
    assert_eq!(warnings, "");
    assert_eq!(configuration.listen, "127.0.0.1:8090".parse().unwrap());
    assert_eq!((configuration.admin, configuration.tls), (None, None));
    assert_eq!(configuration.token_lifetime, Duration::from_secs(3600));
    assert_eq!(configuration.keys.algorithm, Algorithm::RS256);
    assert_eq!(configuration.keys.publish_ahead, Duration::from_secs(300));
    assert_eq!(configuration.attempts_per_user.lock_out_after, 10);
    assert_eq!(configuration.attempts_per_address.lock_out_after, 100);
    let UsersSettings::File(file) = configuration.users else { panic!() };
    assert!(file.is_absolute() && file.ends_with("users.yaml"));
}

#[test]
fn everything_can_be_written() {
    let (configuration, warnings) = load(
        r#"
listen: 0.0.0.0:443
admin: {listen: "127.0.0.1:8091"}
tls: {certificateFile: cert.pem, privateKeyFile: /etc/key.pem}
issuer: https://login.example.com/a/b/
audience: [orders, "https://x"]
tokenLifetimeSeconds: 60
keys: {folder: keys, algorithm: EdDSA, publishAheadSeconds: 0}
users:
  postgresql:
    connection: "host=/run/postgresql user=a password=hunter2 dbname=b sslmode=verify-full"
    passwordFile: password
    rootCertificateFile: root.pem
    query: "select h, name from users where username = $1;"
    maxConnections: 2
    timeoutSeconds: 1
    hashParameters: {memoryKib: 64, iterations: 1, parallelism: 2}
claims: {sub: "{id}", roles: "{roles}"}
attempts:
  perUser: {freeAttempts: 0, firstDelaySeconds: 2, lockOutAfter: 5, lockOutSeconds: 10, forgetAfterSeconds: 10}
  perAddress: {lockOutAfter: 50}
trustedProxies: [127.0.0.1, "10.0.0.0/8"]
limits: {bodyBytes: 1024, passwordBytes: 64, connections: 10}
hashing: {concurrent: 1, waiting: 0, maxMemoryKib: 1024}
timeouts: {headerReadSeconds: 1, bodyReadSeconds: 2, drainSeconds: 0}
"#,
    )
    .unwrap();
    assert_eq!(warnings, "");
    assert_eq!(configuration.issuer.url(), "https://login.example.com/a/b/");
    assert_eq!(configuration.issuer.path(), "/a/b");
    assert_eq!(configuration.issuer.endpoint("/token"), "https://login.example.com/a/b/token");
    assert_eq!(configuration.audience.clone().unwrap().to_string(), r#"["orders","https://x"]"#);
    assert_eq!(configuration.tls.clone().unwrap().private_key, Path::new("/etc/key.pem"));
    assert_eq!(configuration.trusted_proxies.len(), 2);
    assert_eq!(configuration.hashing.max_memory_kib, 1024);
    assert!(!format!("{configuration:?}").contains("hunter2"));
}

#[test]
fn mistakes_are_told_where_they_stand() {
    for (yaml, right) in [
        (
            "",
            "1:1: error: the file is empty; expected an object with the fields issuer, keys, users and claims",
        ),
        ("{}", "1:1: error: the field issuer is missing"),
        ("isuer: x", "1:1: error: isuer: unknown field; did you mean issuer?"),
        ("issuer: ftp://x", "1:9: error: issuer: expected the URL under which"),
        ("issuer: https://x/?a", "it has neither query nor fragment"),
        ("issuer: https://u:hunter2@x", "it has no user name"),
        ("issuer: https://x//y", "its path has letters"),
        ("issuer: https://x/{y}", "issuer: expected the URL"),
        ("issuer: /x", "it begins with https:// or http://"),
        ("audience: []", "1:11: error: audience: expected a string or a list of strings that are not empty"),
        ("audience: 7", "1:11: error: audience: expected a string or a list of strings, found the number 7"),
        ("keys: {folder: k, algorithm: HS256}", "1:30: error: keys.algorithm: HS256 signs with a secret"),
        (
            "keys: {folder: k, algorithm: rs256}",
            "1:30: error: keys.algorithm: expected an algorithm, as RS256, found \"rs256\"; did you mean RS256?",
        ),
        ("keys: {folder: ''}", "1:16: error: keys.folder: expected a path, found \"\""),
        (
            "users: {}",
            "1:8: error: users: expected an object with the field file or postgresql, found neither",
        ),
        ("users: {file: a, postgresql: {}}", "users are in one place"),
        ("users: {postgresql: {connection: 'user=hunter2 dbname=x', query: $1}}", "this one names no host"),
        (
            "users: {postgresql: {connection: 'hunter2', query: $1}}",
            "1:34: error: users.postgresql.connection: expected a connection string",
        ),
        (
            "users: {postgresql: {connection: 'host=x sslmode=hunter2', query: $1}}",
            "sslmode is disable, prefer, require or verify-full",
        ),
        (
            "users: {postgresql: {connection: 'host=x', query: select 1}}",
            "users.postgresql.query: expected a query with the parameter $1",
        ),
        (
            "users: {postgresql: {connection: 'host=x', query: $1, hashParameters: {memoryKib: 1}}}",
            "memory must be at least 8 KiB",
        ),
        ("trustedProxies: [10.0.0.0/99]", "1:18: error: trustedProxies[0]: expected an address or a network"),
        (
            "attempts: {perUser: {lockOutSeconds: 4000}}",
            "forgetAfterSeconds (3600) must not be below lockOutSeconds (4000)",
        ),
        (
            "limits: {bodyBytes: 1}",
            "1:21: error: limits.bodyBytes: expected a whole number from 256 to 1048576 bytes, found the number 1",
        ),
        (
            "tokenLifetimeSeconds: 0",
            "tokenLifetimeSeconds: expected a whole number from 1 to 2592000 seconds",
        ),
        ("claims: {exp: 1}", "1:15: error: claims.exp: every token has its own exp"),
    ] {
        let told = load(yaml).unwrap_err();
        assert!(told.contains(right), "{yaml}: {told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[test]
fn a_public_issuer_without_tls_is_warned_of() {
    let warnings = |issuer: &str| load(&LEAST.replace("http://127.0.0.1:8090", issuer)).unwrap().1;
    assert_eq!(
        warnings("http://login.example.com"),
        "1:9: warning: issuer: passwords and tokens travel unencrypted to http URLs"
    );
    for good in
        ["https://login.example.com", "http://localhost:1", "http://[::1]:8090/x", "http://a.localhost"]
    {
        assert_eq!(warnings(good), "", "{good}");
    }
}
