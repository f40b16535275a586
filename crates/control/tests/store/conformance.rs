//! What every store promises. `check` is run against each kind, with a store that is empty.

use std::time::Duration;

use claimgate_control::store::{CommitError, Event, Store};

use crate::support::*;

/// Checks a store; `other` is the same one, as another process has it.
pub async fn check(store: &Store, other: &Store) {
    reads_what_was_written(store, other).await;
    lists_in_the_order_of_keys(store).await;
    lists_pages(store).await;
    commits_all_or_nothing(store).await;
    refuses_a_key_written_twice(store).await;
    lets_one_of_many_win(store, other).await;
    tells_watchers_what_changed(store, other).await;
    tells_of_changes_that_came_before_the_watch(store).await;
    keeps_commits_whole_for_watchers(store, other).await;
    ends_watches_that_come_too_late_or_too_early(store).await;
    lets_records_expire(store, other).await;
}

async fn reads_what_was_written(store: &Store, other: &Store) {
    assert_eq!(store.get("read/a").await, Ok(None));
    let first = store.commit(&[], &[put("read/a", "1"), put("read/empty", "")]).await.unwrap();
    for store in [store, other] {
        let record = store.get("read/a").await.unwrap().unwrap();
        assert_eq!((record.key.as_str(), text(&record).as_str(), record.version), ("read/a", "1", first));
        assert_eq!(store.get("read/empty").await.unwrap().unwrap().value, b"");
        assert_eq!(store.get("read").await, Ok(None));
    }
    let second = other.commit(&[], &[put("read/a", "2")]).await.unwrap();
    assert!(second > first);
    assert_eq!(store.get("read/a").await.unwrap().unwrap().version, second);
    assert_eq!(store.get("read/empty").await.unwrap().unwrap().version, first);
    let third = store.commit(&[], &[delete("read/a"), delete("read/never-there")]).await.unwrap();
    assert!(third > second);
    assert_eq!(other.get("read/a").await, Ok(None));
    let large = "x".repeat(1_000_000);
    store.commit(&[], &[put("read/large", &large)]).await.unwrap();
    assert_eq!(text(&other.get("read/large").await.unwrap().unwrap()), large);
    store.commit(&[], &[delete("read/large")]).await.unwrap();
}

async fn lists_in_the_order_of_keys(store: &Store) {
    // In the order of bytes; what begins otherwise is not listed.
    let keys = ["list/", "list/!", "list/a", "list/a/b", "list/ab", "list/z", "list/é", "list/\u{10ffff}x"];
    let others = ["lisu", "list", "list.", "list0", "LIST/a"];
    let writes: Vec<_> = keys.iter().rev().chain(&others).map(|key| put(key, key)).collect();
    let revision = store.commit(&[], &writes).await.unwrap();
    let listing = store.list("list/").await.unwrap();
    assert_eq!(listing.records.iter().map(|record| record.key.as_str()).collect::<Vec<_>>(), keys);
    assert!(listing.records.iter().all(|record| record.version == revision && text(record) == record.key));
    assert!(listing.revision >= revision);
    assert!(store.list("").await.unwrap().records.len() >= keys.len() + others.len());
    assert_eq!(store.list("list/nothing").await.unwrap().records, []);
}

async fn lists_pages(store: &Store) {
    let keys: Vec<String> = (0..1_000).map(|number| format!("page/{number:04}")).collect();
    for keys in keys.chunks(100) {
        store.commit(&[], &keys.iter().map(|key| put(key, "")).collect::<Vec<_>>()).await.unwrap();
    }
    assert_eq!(store.list("page/").await.unwrap().records.len(), 1_000);
    let mut listed: Vec<String> = Vec::new();
    loop {
        let page = store.list_page("page/", listed.last().map(String::as_str), 300).await.unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.len() == 300 || listed.len() == 900, "{}", page.len());
        listed.extend(page.into_iter().map(|record| record.key));
    }
    assert_eq!(listed, keys);
    // From a key that is not there, and from one before or after all.
    let page = store.list_page("page/", Some("page/0500x"), 1).await.unwrap();
    assert_eq!(page[0].key, "page/0501");
    assert_eq!(store.list_page("page/", Some("a"), 1).await.unwrap()[0].key, "page/0000");
    assert_eq!(store.list_page("page/", Some("q"), 1).await.unwrap(), []);
}

async fn commits_all_or_nothing(store: &Store) {
    let first = store.commit(&[absent("all/a")], &[put("all/a", "1")]).await.unwrap();
    assert_eq!(store.commit(&[absent("all/a")], &[put("all/a", "2")]).await, conflict("all/a"));
    assert_eq!(store.commit(&[at("all/b", first)], &[put("all/b", "2")]).await, conflict("all/b"));
    assert_eq!(store.commit(&[at("all/a", first + 1)], &[delete("all/a")]).await, conflict("all/a"));
    let writes = [put("all/a", "2"), put("all/b", "2"), delete("all/c")];
    let conditions = [at("all/a", first), absent("all/b"), at("all/c", first)];
    assert_eq!(store.commit(&conditions, &writes).await, conflict("all/c"));
    assert_eq!(contents(&store.list("all/").await.unwrap()), map([("all/a", "1")]));

    // A condition may be on what is not written, and many may be wrong at once.
    let second = store.commit(&conditions[..2], &writes).await.unwrap();
    assert!(matches!(store.commit(&conditions, &writes).await, Err(CommitError::Conflict { .. })));
    assert_eq!(contents(&store.list("all/").await.unwrap()), map([("all/a", "2"), ("all/b", "2")]));
    store.commit(&[at("all/a", second)], &[delete("all/b"), put("all/c", "3")]).await.unwrap();
    assert_eq!(contents(&store.list("all/").await.unwrap()), map([("all/a", "2"), ("all/c", "3")]));

    // A record that was removed and made anew is not the one that it was.
    store.commit(&[], &[delete("all/a")]).await.unwrap();
    store.commit(&[absent("all/a")], &[put("all/a", "2")]).await.unwrap();
    assert_eq!(store.commit(&[at("all/a", second)], &[put("all/a", "4")]).await, conflict("all/a"));
}

async fn refuses_a_key_written_twice(store: &Store) {
    let refused = store.commit(&[], &[put("twice", "1"), delete("twice")]).await;
    assert_eq!(refused.unwrap_err().to_string(), "'twice' is written twice in one commit");
    assert_eq!(store.get("twice").await, Ok(None));
}

async fn lets_one_of_many_win(store: &Store, other: &Store) {
    let increment = |store: Store| async move {
        let mut done = 0;
        while done < 10 {
            let found = store.get("counter").await.unwrap();
            let count = found.as_ref().map_or(0, |record| text(record).parse::<u32>().unwrap());
            let condition = found.map_or_else(|| absent("counter"), |record| at("counter", record.version));
            match store.commit(&[condition], &[put("counter", &(count + 1).to_string())]).await {
                Ok(_) => done += 1,
                Err(error) => assert_eq!(error, conflict("counter").unwrap_err()),
            }
        }
    };
    let stores = [store, other, store, other];
    let tasks: Vec<_> = stores.map(|store| tokio::spawn(increment(store.clone()))).into();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(text(&store.get("counter").await.unwrap().unwrap()), "40");
}

async fn tells_watchers_what_changed(store: &Store, other: &Store) {
    let before = store.list("watch/").await.unwrap();
    let mut seen = [Seen::of(&before), Seen::of(&before)];
    let mut watches = [store, other].map(|store| store.watch("watch/", before.revision));
    store.commit(&[], &[put("watch/a", "1"), put("watch/b", "1"), put("elsewhere", "1")]).await.unwrap();
    other.commit(&[], &[put("watch/a", "2"), delete("watch/b")]).await.unwrap();
    let last = store.commit(&[], &[put("watch/c", "3")]).await.unwrap();
    for (seen, watch) in seen.iter_mut().zip(&mut watches) {
        seen.catch_up(watch, last).await;
        assert_eq!(seen.records, map([("watch/a", "2"), ("watch/c", "3")]));
    }
    // What changes elsewhere is not told; so the next event is that of the last commit.
    store.commit(&[], &[put("elsewhere", "2"), put("watch0", "2"), put("watch", "2")]).await.unwrap();
    let last = other.commit(&[], &[delete("watch/a")]).await.unwrap();
    for watch in &mut watches {
        let expected = Event::Changed { revision: last, records: vec![("watch/a".to_owned(), None)] };
        assert_eq!(within(watch.next()).await, expected);
    }
}

async fn tells_of_changes_that_came_before_the_watch(store: &Store) {
    let before = store.list("late/").await.unwrap();
    store.commit(&[], &[put("late/a", "1"), put("late/b", "1")]).await.unwrap();
    let middle = store.commit(&[], &[put("late/a", "2")]).await.unwrap();
    let last = store.commit(&[], &[delete("late/b")]).await.unwrap();
    let mut seen = Seen::of(&before);
    seen.catch_up(&mut store.watch("late/", before.revision), last).await;
    assert_eq!(seen.records, map([("late/a", "2")]));
    let mut seen = Seen { revision: middle, ..Seen::default() };
    seen.catch_up(&mut store.watch("late/", middle), last).await;
    assert_eq!(seen.records, map([]), "only what came after");
}

async fn keeps_commits_whole_for_watchers(store: &Store, other: &Store) {
    let start = store.commit(&[], &[put("whole/a", "0"), put("whole/b", "0")]).await.unwrap();
    let mut watch = other.watch("whole/", start);
    let writer = store.clone();
    let written = tokio::spawn(async move {
        let mut last = 0;
        for number in 1..=50 {
            let number = number.to_string();
            last = writer.commit(&[], &[put("whole/a", &number), put("whole/b", &number)]).await.unwrap();
        }
        last
    });
    let mut seen = Seen { revision: start, ..Seen::default() };
    while seen.records.get("whole/a").map(String::as_str) != Some("50") {
        seen.take(within(watch.next()).await);
        assert_eq!(seen.records["whole/a"], seen.records["whole/b"]);
    }
    assert!(seen.revision >= written.await.unwrap());
}

async fn ends_watches_that_come_too_late_or_too_early(store: &Store) {
    let now = store.list("").await.unwrap().revision;
    let mut watch = store.watch("", now + 1000);
    assert_eq!(within(watch.next()).await, Event::Lost, "the store is older than what is known of it");
    assert_eq!(within(watch.next()).await, Event::Lost);
}

async fn lets_records_expire(store: &Store, other: &Store) {
    let soon = Duration::from_secs(2);
    let before = store.list("expire/").await.unwrap();
    let mut watch = other.watch("expire/", before.revision);
    let mut seen = Seen::of(&before);
    let writes = [
        put_for("expire/soon", "1", soon),
        put_for("expire/later", "1", Duration::from_secs(3600)),
        put_for("expire/kept", "1", soon),
        put("expire/never", "1"),
    ];
    store.commit(&[], &writes).await.unwrap();
    assert!(store.get("expire/soon").await.unwrap().is_some());
    // What is written anew without a time stays.
    let written = store.commit(&[], &[put("expire/kept", "2")]).await.unwrap();
    seen.catch_up(&mut watch, written).await;
    assert_eq!(seen.records.len(), 4);
    until("it expires", || async { store.get("expire/soon").await.unwrap().is_none() }).await;
    let left = map([("expire/kept", "2"), ("expire/later", "1"), ("expire/never", "1")]);
    assert_eq!(contents(&other.list("expire/").await.unwrap()), left);
    within(async {
        while seen.records.len() > 3 {
            let event = watch.next().await;
            seen.take(event);
        }
    })
    .await;
    assert_eq!(seen.records, left);
    // As absent as what never was there.
    store.commit(&[absent("expire/soon")], &[put("expire/soon", "2")]).await.unwrap();
    assert!(store.list("expire/").await.unwrap().revision > before.revision);
}
