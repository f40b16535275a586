//! What the store that gateways share has for itself, against a real etcd.

mod faults;
mod proxy;
mod secured;
mod server;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use claimgate_config::snapshot::{EtcdSettings, StoreBackend, StoreSettings};
use claimgate_control::store::{Event, Store, StoreError};

use self::proxy::{Mode, Proxy};
use self::server::Server;
use crate::support::*;

const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// The settings for members at these URLs.
fn settings(folder: &Path, endpoints: &[String]) -> StoreSettings {
    let key_file = folder.join("claimgate.key");
    fs::write(&key_file, KEY).unwrap();
    let etcd = EtcdSettings {
        endpoints: endpoints.to_vec(),
        prefix: "/claimgate".to_owned(),
        username: None,
        password_file: None,
        ca_file: None,
        client_certificate: None,
        snapshot_file: None,
    };
    StoreSettings { backend: StoreBackend::Etcd(etcd), key_file: Some(key_file), allow_files: Vec::new() }
}

fn etcd_of(settings: &mut StoreSettings) -> &mut EtcdSettings {
    match &mut settings.backend {
        StoreBackend::Etcd(etcd) => etcd,
        StoreBackend::Sqlite(_) => panic!("no etcd"),
    }
}

async fn opened(server: &Server, proxy: &Proxy) -> Store {
    Store::open(&settings(server.folder(), &[proxy.url()])).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_the_promises_of_every_store() {
    let server = Server::start().await;
    let proxy = Proxy::to(server.socket()).await;
    let (store, other) = (opened(&server, &proxy).await, opened(&server, &proxy).await);
    crate::conformance::check(&store, &other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_lies_encrypted_under_the_prefix() {
    let server = Server::start().await;
    let proxy = Proxy::to(server.socket()).await;
    let store = opened(&server, &proxy).await;
    store.commit(&[], &[put("a", "a-secret-of-mine")]).await.unwrap();
    let keys = server.control(&["get", "", "--prefix", "--keys-only"]).unwrap();
    assert_eq!(keys.split_whitespace().collect::<Vec<_>>(), ["/claimgate/a", "/claimgate/meta/key-check"]);
    assert!(!server.control(&["get", "/claimgate/a"]).unwrap().contains("secret"));

    // Another prefix is another store, even one that begins alike.
    let mut beside = settings(server.folder(), &[proxy.url()]);
    etcd_of(&mut beside).prefix = "/claimgate/a".to_owned();
    let beside = Store::open(&beside).await.unwrap();
    beside.commit(&[absent("a")], &[put("a", "1")]).await.unwrap();
    assert_eq!(all(&beside).await, map([("a", "1")]));
    server.control(&["put", "/claimgatea", "1"]).unwrap();

    // What somebody else wrote there is told by name; a watcher is sent to list.
    let revision = store.get("a").await.unwrap().unwrap().version;
    let mut watch = store.watch("documents/", revision);
    server.control(&["put", "/claimgate/documents/x", "by hand"]).unwrap();
    assert_eq!(within(watch.next()).await, Event::Lost);
    let refused = store.list("documents/").await.unwrap_err().to_string();
    assert!(refused.contains("the record 'documents/x' cannot be decrypted"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_gateways_need_the_same_key() {
    let server = Server::start().await;
    let proxy = Proxy::to(server.socket()).await;
    opened(&server, &proxy).await.commit(&[], &[put("a", "1")]).await.unwrap();
    let settings = settings(server.folder(), &[proxy.url()]);
    let key_file = settings.key_file.clone().unwrap();
    fs::write(&key_file, KEY.replace("AAAAA=", "BBBBA=")).unwrap();
    let store = Store::open(&settings).await.unwrap();
    let wrong = StoreError::WrongKey(key_file.display().to_string());
    assert_eq!(store.get("a").await, Err(wrong.clone()));
    assert_eq!(store.list("").await, Err(wrong.clone()));
    assert_eq!(store.commit(&[], &[put("b", "1")]).await, Err(wrong.into()));
    fs::remove_file(&key_file).unwrap();
    let missing = Store::open(&settings).await.unwrap_err().to_string();
    assert!(missing.contains("the key of the store is missing"), "{missing}");
    assert!(!key_file.exists());
    let none = Store::open(&StoreSettings { key_file: None, ..settings }).await.unwrap_err().to_string();
    assert!(none.starts_with("a store in etcd needs a key, which all gateways share"), "{none}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_for_etcd_is_told() {
    let server = Server::start().await;
    let proxy = Proxy::to(server.socket()).await;
    let store = opened(&server, &proxy).await;
    let many: Vec<_> = (0..4097).map(|number| put(&number.to_string(), "")).collect();
    let refused = store.commit(&[], &many).await.unwrap_err().to_string();
    assert!(refused.contains("--max-txn-ops"), "{refused}");
    for size in [1_600_000, 3_000_000] {
        let refused = store.commit(&[], &[put("large", &"x".repeat(size))]).await.unwrap_err().to_string();
        assert!(refused.contains("--max-request-bytes"), "{refused}");
    }
    assert_eq!(all(&store).await, map([]));
    // Far more than etcd's 128 operations, and yet one commit.
    let mut watch = store.watch("", store.list("").await.unwrap().revision);
    let revision = store.commit(&[absent("0")], &many[..4096]).await.unwrap();
    let Event::Changed { revision: told, records } = within(watch.next()).await else { panic!("a change") };
    assert_eq!((told, records.len()), (revision, 4096));
    assert_eq!(store.commit(&[absent("0")], &many[..4096]).await, conflict("0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_are_shared_by_records_that_are_kept_as_long() {
    let server = Server::start().await;
    let proxy = Proxy::to(server.socket()).await;
    let store = opened(&server, &proxy).await;
    for number in 0..50 {
        store
            .commit(&[], &[put_for(&format!("nonce/{number}"), "", Duration::from_secs(900))])
            .await
            .unwrap();
    }
    let leases = server.control(&["lease", "list"]).unwrap();
    assert!(leases.contains("found 1 leases"), "{leases}");
    // One that etcd does not know any more is replaced.
    let lease = leases.lines().last().unwrap();
    server.control(&["lease", "revoke", lease]).unwrap();
    assert_eq!(store.list("nonce/").await.unwrap().records, []);
    store.commit(&[], &[put_for("nonce/new", "", Duration::from_secs(900))]).await.unwrap();
    assert!(store.get("nonce/new").await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_starts_from_the_last_snapshot_while_etcd_is_away() {
    let mut server = Server::start().await;
    let proxy = Proxy::to(server.socket()).await;
    let file = server.folder().join("snapshot");
    let store = opened(&server, &proxy).await;
    store.commit(&[], &[put("a", "1")]).await.unwrap();
    let listing = Arc::new(store.list("").await.unwrap());
    store.save_snapshot(&file, Arc::clone(&listing)).await.unwrap();
    assert!(!String::from_utf8_lossy(&fs::read(&file).unwrap()).contains("key-check"));
    drop(store);

    server.kill();
    let store = opened(&server, &proxy).await;
    assert!(matches!(store.list("").await, Err(StoreError::Unreachable(_))));
    let loaded = store.load_snapshot(&file).await.unwrap().unwrap();
    assert_eq!(loaded.listing, *listing);
    // It goes on from there.
    let mut seen = Seen::of(&loaded.listing);
    let mut watch = store.watch("", loaded.listing.revision);
    assert!(matches!(within(watch.next()).await, Event::Unreachable(_)));
    server.restart().await;
    until("it answers", || async { store.list("").await.is_ok() }).await;
    let revision = store.commit(&[], &[put("a", "2")]).await.unwrap();
    seen.catch_up(&mut watch, revision).await;
    assert_eq!(seen.records["a"], "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_member_is_asked_when_one_does_not_answer() {
    let server = Server::start().await;
    let proxies = [Proxy::to(server.socket()).await, Proxy::to(server.socket()).await];
    let urls: Vec<_> = proxies.iter().map(Proxy::url).collect();
    let store = Store::open(&settings(server.folder(), &urls)).await.unwrap();
    let mut watch = store.watch("", store.list("").await.unwrap().revision);
    let mut seen = Seen::default();
    // The first closes its connections, then the second says nothing any more.
    for (bad, mode) in [(0, Mode::Refuse), (1, Mode::Hold)] {
        proxies[bad].set(mode);
        proxies[1 - bad].set(Mode::Pass);
        if mode == Mode::Refuse {
            proxies[bad].cut();
        }
        let revision = within(store.commit(&[], &[put("a", &bad.to_string())])).await;
        let revision = match revision {
            Ok(revision) => revision,
            // It had been sent to the one that says nothing, and has no condition.
            Err(_) => within(store.commit(&[], &[put("a", &bad.to_string())])).await.unwrap(),
        };
        seen.catch_up(&mut watch, revision).await;
        assert_eq!(seen.records["a"], bad.to_string());
    }
}
