//! TLS, client certificates, and users.

use std::fs;
use std::path::Path;

use claimgate_config::snapshot::StoreSettings;
use claimgate_control::store::{Store, StoreError};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

use super::proxy::Proxy;
use super::server::Server;
use super::{etcd_of, settings};
use crate::support::*;

/// An authority in a folder.
struct Authority(Issuer<'static, KeyPair>);

impl Authority {
    fn make(folder: &Path, name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = parameters.self_signed(&key).unwrap();
        fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
        Self(Issuer::new(parameters, key))
    }

    /// A certificate and its key, for a name.
    fn issue(&self, folder: &Path, file: &str, name: &str, purpose: ExtendedKeyUsagePurpose) {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
        parameters.extended_key_usages = vec![purpose];
        let certificate = parameters.signed_by(&key, &self.0).unwrap();
        fs::write(folder.join(format!("{file}.pem")), certificate.pem()).unwrap();
        fs::write(folder.join(format!("{file}-key.pem")), key.serialize_pem()).unwrap();
    }
}

fn certificates() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::make(folder.path(), "ca");
    authority.issue(folder.path(), "server", "localhost", ExtendedKeyUsagePurpose::ServerAuth);
    authority.issue(folder.path(), "client", "gateway", ExtendedKeyUsagePurpose::ClientAuth);
    Authority::make(folder.path(), "other-ca");
    folder
}

/// Why this cannot be used.
async fn refusal(settings: &StoreSettings) -> String {
    match Store::open(settings).await {
        Ok(store) => store.list("").await.unwrap_err().to_string(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_verifies_both_sides() {
    let server = Server::start_with(
        certificates(),
        &[
            "--listen-client-urls=unixs://client:0",
            "--cert-file=server.pem",
            "--key-file=server-key.pem",
            "--client-cert-auth",
            "--trusted-ca-file=ca.pem",
        ],
    )
    .await;
    let proxy = Proxy::to(server.socket()).await;
    let file = |name: &str| server.folder().join(name);
    let mut good = settings(server.folder(), &[format!("https://localhost:{}", proxy.port())]);
    etcd_of(&mut good).ca_file = Some(file("ca.pem"));
    etcd_of(&mut good).client_certificate = Some((file("client.pem"), file("client-key.pem")));
    let store = Store::open(&good).await.unwrap();
    let revision = store.commit(&[], &[put("a", "1")]).await.unwrap();
    let mut watch = store.watch("", revision);
    let revision = store.commit(&[], &[put("a", "2")]).await.unwrap();
    Seen::default().catch_up(&mut watch, revision).await;

    let changed = |change: &dyn Fn(&mut claimgate_config::snapshot::EtcdSettings)| {
        let mut settings = good.clone();
        change(etcd_of(&mut settings));
        settings
    };
    let bad = changed(&|etcd| etcd.ca_file = Some(file("other-ca.pem")));
    assert!(refusal(&bad).await.contains("TLS: "), "an authority that is not trusted");
    let bad = changed(&|etcd| etcd.ca_file = None);
    assert!(refusal(&bad).await.contains("TLS: "), "the system's authorities");
    let bad = changed(&|etcd| etcd.endpoints = vec![format!("https://127.0.0.1:{}", proxy.port())]);
    assert!(refusal(&bad).await.contains("TLS: "), "another name than the certificate's");
    let bad = changed(&|etcd| etcd.client_certificate = None);
    assert!(refusal(&bad).await.starts_with("the store cannot be reached"), "no certificate");
    let bad = changed(&|etcd| etcd.endpoints = vec![proxy.url()]);
    assert!(refusal(&bad).await.starts_with("the store cannot be reached"), "no TLS");
    for (bad, name) in [
        (changed(&|etcd| etcd.ca_file = Some(file("missing"))), "missing"),
        (changed(&|etcd| etcd.ca_file = Some(file("client-key.pem"))), "client-key.pem"),
        (changed(&|etcd| etcd.client_certificate = Some((file("client.pem"), file("ca.pem")))), "ca.pem"),
    ] {
        let refused = Store::open(&bad).await.unwrap_err().to_string();
        assert!(refused.starts_with("cannot use ") && refused.contains(name), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_sign_in_and_again_when_their_tokens_end() {
    let mut server = Server::start().await;
    let proxy = Proxy::to(server.socket()).await;
    let password = server.folder().join("password");
    let mut settings = settings(server.folder(), &[proxy.url()]);
    etcd_of(&mut settings).username = Some("gateway".to_owned());
    etcd_of(&mut settings).password_file = Some(password.clone());
    fs::write(&password, "first\n").unwrap();
    // While etcd has no users, none is needed.
    let store = Store::open(&settings).await.unwrap();
    store.commit(&[], &[put("a", "0")]).await.unwrap();

    let root = "--user=root:root";
    for arguments in [
        &["user", "add", "root:root"][..],
        &["user", "add", "gateway:first"],
        &["role", "add", "gateway"],
        &["role", "grant-permission", "gateway", "--prefix=true", "readwrite", "/claimgate/"],
        &["user", "grant-role", "gateway", "gateway"],
        &["user", "grant-role", "root", "root"],
        &["auth", "enable"],
    ] {
        server.control(arguments).unwrap();
    }
    let revision = store.commit(&[], &[put("a", "1")]).await.unwrap();
    let mut watch = store.watch("", revision);
    let mut seen = Seen::default();
    let revision = store.commit(&[], &[put("a", "2")]).await.unwrap();
    seen.catch_up(&mut watch, revision).await;

    // A user who is made anew ends the tokens that there are; so does a restart.
    fs::write(&password, "second").unwrap();
    server.control(&[root, "user", "delete", "gateway"]).unwrap();
    server.control(&[root, "user", "add", "gateway:second"]).unwrap();
    server.control(&[root, "user", "grant-role", "gateway", "gateway"]).unwrap();
    let revision = store.commit(&[], &[put("a", "3")]).await.unwrap();
    seen.catch_up(&mut watch, revision).await;
    server.kill();
    server.restart().await;
    until("it answers", || async { store.get("a").await.is_ok() }).await;
    let revision = store.commit(&[], &[put("a", "4")]).await.unwrap();
    seen.catch_up(&mut watch, revision).await;
    assert_eq!(seen.records["a"], "4");

    fs::write(&password, "wrong").unwrap();
    let refused = refusal(&settings).await;
    assert!(
        refused.contains("signing in as 'gateway': it says: ") && !refused.contains("wrong"),
        "{refused}"
    );
    etcd_of(&mut settings).username = None;
    assert!(matches!(Store::open(&settings).await.unwrap().get("a").await, Err(StoreError::Unreachable(_))));
    etcd_of(&mut settings).username = Some("gateway".to_owned());
    etcd_of(&mut settings).prefix = "/elsewhere".to_owned();
    fs::write(&password, "second").unwrap();
    let refused = refusal(&settings).await;
    assert!(refused.contains("etcd says: etcdserver: permission denied"), "{refused}");
}
