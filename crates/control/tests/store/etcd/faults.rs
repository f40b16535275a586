//! What must hold whatever happens to etcd and on the way to it: no commit that was acknowledged is lost, and
//! who watches sees in the end what is there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use claimgate_control::store::{CommitError, Event, Store, Watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::proxy::{Mode, Proxy};
use super::server::Server;
use super::{opened, settings};
use crate::support::*;

/// Two gateways that write and watch while things go wrong.
struct Trial {
    server: Server,
    proxy: Proxy,
    over: Arc<AtomicBool>,
    writers: Vec<JoinHandle<BTreeMap<u64, String>>>,
    watchers: Vec<JoinHandle<(Seen, Watch)>>,
}

impl Trial {
    async fn begin() -> Self {
        let server = Server::start().await;
        let proxy = Proxy::to(server.socket()).await;
        let over = Arc::new(AtomicBool::new(false));
        let (mut writers, mut watchers) = (Vec::new(), Vec::new());
        for name in ["a", "b"] {
            let store = opened(&server, &proxy).await;
            watchers.push(tokio::spawn(watch(store.clone(), Arc::clone(&over))));
            writers.push(tokio::spawn(write(store, name, Arc::clone(&over))));
        }
        let trial = Self { server, proxy, over, writers, watchers };
        trial.until_more().await;
        trial
    }

    /// Waits until something more is acknowledged.
    async fn until_more(&self) {
        // Past the proxy, whose mode is the test's.
        let direct = Proxy::to(self.server.socket()).await;
        let store = opened(&self.server, &direct).await;
        let count = || async {
            store.get("count").await.map_or(0, |found| found.map_or(0, |found| number(&text(&found))))
        };
        until("etcd answers", || async { store.list("").await.is_ok() }).await;
        let before = count().await;
        until("there is more", || async { count().await > before + 5 }).await;
    }

    async fn end(self) {
        self.proxy.set(Mode::Pass);
        self.until_more().await;
        self.over.store(true, Ordering::Relaxed);
        let mut acknowledged = BTreeMap::new();
        for writer in self.writers {
            for (number, name) in within(writer).await.unwrap() {
                assert_eq!(acknowledged.insert(number, name), None, "{number} was given to both");
            }
        }
        let store = opened(&self.server, &self.proxy).await;
        let listing = store.list("trial/").await.unwrap();
        let stored = contents(&listing);
        for (number, name) in &acknowledged {
            assert_eq!(
                stored.get(&format!("trial/{number:06}")),
                Some(name),
                "{number} of {}",
                acknowledged.len()
            );
        }
        let count = number(&text(&store.get("count").await.unwrap().unwrap()));
        assert_eq!(stored.len() as u64, count, "each is there, and none twice");
        for watcher in self.watchers {
            let (mut seen, mut events) = within(watcher).await.unwrap();
            let last = listing.records.iter().map(|record| record.version).max().unwrap();
            seen.catch_up(&mut events, last).await;
            assert!(seen.records == stored, "a watcher has missed something");
        }
    }
}

/// Counts up, and notes each number that was acknowledged.
async fn write(store: Store, name: &'static str, over: Arc<AtomicBool>) -> BTreeMap<u64, String> {
    let mut acknowledged = BTreeMap::new();
    while !over.load(Ordering::Relaxed) {
        let Ok(found) = store.get("count").await else {
            sleep(Duration::from_millis(20)).await;
            continue;
        };
        let condition = found.as_ref().map_or_else(|| absent("count"), |found| at("count", found.version));
        let next = found.as_ref().map_or(0, |found| number(&text(found))) + 1;
        let writes = [put("count", &next.to_string()), put(&format!("trial/{next:06}"), name)];
        match store.commit(&[condition], &writes).await {
            Ok(_) => drop(acknowledged.insert(next, name.to_owned())),
            Err(CommitError::Conflict { .. } | CommitError::Unknown(_)) => {}
            Err(CommitError::Store(_)) => sleep(Duration::from_millis(20)).await,
        }
    }
    acknowledged
}

/// Follows what happens, listing anew when it has to.
async fn watch(store: Store, over: Arc<AtomicBool>) -> (Seen, Watch) {
    loop {
        let Ok(listing) = store.list("trial/").await else {
            sleep(Duration::from_millis(20)).await;
            continue;
        };
        let mut seen = Seen::of(&listing);
        let mut events = store.watch("trial/", listing.revision);
        while !seen.lost {
            if over.load(Ordering::Relaxed) {
                return (seen, events);
            }
            if let Ok(event) = tokio::time::timeout(Duration::from_millis(100), events.next()).await {
                seen.take(event);
            }
        }
    }
}

fn number(text: &str) -> u64 {
    text.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_etcd_crashes() {
    let mut trial = Trial::begin().await;
    for _ in 0..3 {
        trial.server.kill();
        sleep(Duration::from_millis(300)).await;
        trial.server.restart().await;
        trial.until_more().await;
    }
    trial.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_etcd_is_stopped() {
    let trial = Trial::begin().await;
    // Shorter than anybody notices, and longer.
    for seconds in [1, 12] {
        trial.server.stop();
        sleep(Duration::from_secs(seconds)).await;
        trial.server.go_on();
        trial.until_more().await;
    }
    trial.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_connections_are_cut() {
    let trial = Trial::begin().await;
    for round in 0..30 {
        trial.proxy.cut();
        sleep(Duration::from_millis(17 * (round % 7))).await;
    }
    trial.until_more().await;
    for _ in 0..3 {
        trial.proxy.set(Mode::Refuse);
        trial.proxy.cut();
        sleep(Duration::from_millis(500)).await;
        trial.proxy.set(Mode::Pass);
        trial.until_more().await;
    }
    trial.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_the_way_is_slow_or_stuck() {
    let trial = Trial::begin().await;
    trial.proxy.set(Mode::Delay(Duration::from_millis(150)));
    trial.until_more().await;
    // What was on its way arrives when those who sent it have given up and sent it again elsewhere.
    for mode in [Mode::Hold, Mode::HoldAnswers] {
        trial.proxy.set(mode);
        sleep(Duration::from_secs(6)).await;
        trial.proxy.set(Mode::Pass);
        trial.until_more().await;
    }
    trial.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_away_while_etcd_compacted_is_sent_to_list() {
    let server = Server::start().await;
    let (proxy, direct) = (Proxy::to(server.socket()).await, Proxy::to(server.socket()).await);
    let (store, other) = (opened(&server, &proxy).await, opened(&server, &direct).await);
    let first = store.commit(&[], &[put("a", "1"), put("b", "1")]).await.unwrap();
    let mut watch = store.watch("", first);
    let mut seen = Seen { revision: first, ..Seen::default() };
    let second = store.commit(&[], &[put("a", "2")]).await.unwrap();
    seen.catch_up(&mut watch, second).await;

    proxy.set(Mode::Refuse);
    proxy.cut();
    assert!(matches!(within(watch.next()).await, Event::Unreachable(_)));
    other.commit(&[], &[put("a", "3")]).await.unwrap();
    let last = other.commit(&[], &[delete("b")]).await.unwrap();
    server.compact(last);
    proxy.set(Mode::Pass);
    loop {
        match within(watch.next()).await {
            Event::Lost => break,
            Event::Reachable => {}
            other => panic!("{other:?}"),
        }
    }
    let listing = store.list("").await.unwrap();
    assert_eq!(contents(&listing)["a"], "3");
    let mut seen = Seen::of(&listing);
    let mut watch = store.watch("", listing.revision);
    // Who is connected is not troubled by it.
    for number in 0..20 {
        let revision = other.commit(&[], &[put("a", &number.to_string())]).await.unwrap();
        server.compact(revision);
        seen.catch_up(&mut watch, revision).await;
    }
    assert_eq!(seen.records, contents(&store.list("").await.unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_tells_that_etcd_is_away_and_when_it_is_back() {
    let server = Server::start().await;
    let proxy = Proxy::to(server.socket()).await;
    let store = opened(&server, &proxy).await;
    let revision = store.commit(&[], &[put("a", "1")]).await.unwrap();
    let mut watch = store.watch("", revision);
    let revision = store.commit(&[], &[put("a", "2")]).await.unwrap();
    Seen::default().catch_up(&mut watch, revision).await;
    server.stop();
    let Event::Unreachable(why) = within(watch.next()).await else { panic!("it is away") };
    assert!(why.contains("no answer"), "{why}");
    // Meanwhile what is asked for is answered in bounded time.
    assert!(within(store.get("a")).await.is_err());
    assert!(within(store.commit(&[], &[put("b", "1")])).await.is_err());
    server.go_on();
    assert_eq!(within(watch.next()).await, Event::Reachable);
    until("it answers", || async { store.get("a").await.is_ok() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_was_made_anew_is_noticed() {
    let mut server = Server::start().await;
    let proxy = Proxy::to(server.socket()).await;
    let store = opened(&server, &proxy).await;
    for number in 0..20 {
        store.commit(&[], &[put("a", &number.to_string())]).await.unwrap();
    }
    let mut watch = store.watch("", store.list("").await.unwrap().revision);
    server.kill();
    assert!(matches!(within(watch.next()).await, Event::Unreachable(_)));
    server.forget();
    server.restart().await;
    assert_eq!(within(watch.next()).await, Event::Lost);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_comes_late_undoes_nothing() {
    let server = Server::start().await;
    let (slow, direct) = (Proxy::to(server.socket()).await, Proxy::to(server.socket()).await);
    let urls = [slow.url(), direct.url()];
    let store = Store::open(&settings(server.folder(), &urls)).await.unwrap();
    let first = store.commit(&[absent("a")], &[put("a", "1")]).await.unwrap();
    slow.set(Mode::Hold);
    // Sent where it is stuck, and then, as no answer comes, to the other member.
    let second = within(store.commit(&[at("a", first)], &[put("a", "2")])).await.unwrap();
    let third = store.commit(&[at("a", second)], &[put("a", "3")]).await.unwrap();
    slow.set(Mode::Pass);
    for _ in 0..20 {
        sleep(Duration::from_millis(50)).await;
        let found = store.get("a").await.unwrap().unwrap();
        assert_eq!((text(&found).as_str(), found.version), ("3", third));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_was_lost_is_known_to_be_made() {
    let server = Server::start().await;
    let (mute, direct) = (Proxy::to(server.socket()).await, Proxy::to(server.socket()).await);
    let urls = [mute.url(), direct.url()];
    let store = Store::open(&settings(server.folder(), &urls)).await.unwrap();
    let first = store.commit(&[absent("a")], &[put("a", "1")]).await.unwrap();
    mute.set(Mode::HoldAnswers);
    let second = within(store.commit(&[at("a", first)], &[put("a", "2"), put("b", "2")])).await.unwrap();
    assert_eq!(second, first + 1, "it was made once");
    assert_eq!(store.get("a").await.unwrap().unwrap().version, second);

    // Without a condition that it makes wrong it is not repeated: a delayed one could undo a later one.
    mute.set(Mode::Pass);
    let store = Store::open(&settings(server.folder(), &urls)).await.unwrap();
    store.get("a").await.unwrap();
    mute.set(Mode::HoldAnswers);
    let unknown = within(store.commit(&[at("b", second)], &[put("a", "3")])).await.unwrap_err();
    assert!(matches!(unknown, CommitError::Unknown(_)), "{unknown}");
    let found = store.get("a").await.unwrap().unwrap();
    assert_eq!((text(&found).as_str(), found.version), ("3", second + 1), "by the other member");
}
