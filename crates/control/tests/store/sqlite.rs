//! What the store of one gateway has for itself.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use claimgate_control::store::{Event, Store, StoreError, backup, restore};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::support::*;

async fn opened(folder: &TempDir) -> Store {
    Store::open(&sqlite(&folder.path().join("claimgate.db"))).await.unwrap()
}

async fn refusal(path: &Path) -> String {
    Store::open(&sqlite(path)).await.unwrap_err().to_string()
}

#[tokio::test]
async fn keeps_the_promises_of_every_store() {
    let folder = tempfile::tempdir().unwrap();
    // Two connections, as two processes have them.
    let (store, other) = (opened(&folder).await, opened(&folder).await);
    crate::conformance::check(&store, &other).await;
}

#[tokio::test]
async fn what_was_stored_is_there_after_a_restart_and_cannot_be_read_without_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(&folder).await;
    store.commit(&[], &[put("a", "a-secret-of-mine")]).await.unwrap();
    for file in fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
        let content = fs::read(file.path()).unwrap();
        assert!(!content.windows(8).any(|bytes| bytes == b"a-secret"), "{file:?}");
    }
    assert!(!format!("{store:?}").contains("secret"));
    drop(store);
    assert_eq!(all(&opened(&folder).await).await, map([("a", "a-secret-of-mine")]));
}

#[tokio::test]
async fn processes_may_make_a_database_at_once() {
    for _ in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        let settings = sqlite(&folder.path().join("claimgate.db"));
        let open = |number: usize| {
            let settings = settings.clone();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let store = Store::open(&settings).await.unwrap();
                    store.commit(&[], &[put(&number.to_string(), "")]).await.unwrap();
                });
            })
        };
        for opened in (0..8).map(open).collect::<Vec<_>>() {
            opened.join().unwrap();
        }
        assert_eq!(all(&Store::open(&settings).await.unwrap()).await.len(), 8);
    }
}

#[tokio::test]
async fn the_key_has_to_be_the_right_one() {
    let folder = tempfile::tempdir().unwrap();
    let (database, key) = (folder.path().join("claimgate.db"), folder.path().join("claimgate.key"));
    drop(opened(&folder).await);
    let right = fs::read_to_string(&key).unwrap();

    fs::remove_file(&key).unwrap();
    assert!(refusal(&database).await.contains("the key of the store is missing: put it at"));
    assert!(!key.exists(), "no other key is made for what is there");
    for text in ["", "short", &right[1..], &format!("{right}{right}"), "\0"] {
        fs::write(&key, text).unwrap();
        let refused = refusal(&database).await;
        assert!(refused.contains("claimgate.key is not a key of the store, which is 32 bytes in base64"));
    }
    fs::write(&key, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
    let wrong = Store::open(&sqlite(&database)).await.unwrap_err();
    assert_eq!(wrong, StoreError::WrongKey(key.display().to_string()));
    fs::write(&key, right.trim_end()).unwrap();
    opened(&folder).await;

    let mut elsewhere = sqlite(&database);
    elsewhere.key_file = Some(folder.path().join("elsewhere"));
    fs::rename(&key, folder.path().join("elsewhere")).unwrap();
    Store::open(&elsewhere).await.unwrap();
}

#[tokio::test]
async fn a_record_that_was_moved_or_changed_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(&folder).await;
    let revision = store.commit(&[], &[put("a", "1"), put("b", "2")]).await.unwrap();
    let mut watch = store.watch("", revision);
    let connection = Connection::open(folder.path().join("claimgate.db")).unwrap();
    connection
        .execute("UPDATE records SET value = (SELECT value FROM records WHERE key = 'b') WHERE key = 'a'", [])
        .unwrap();
    assert!(store.get("a").await.unwrap_err().to_string().starts_with("the record 'a' cannot be decrypted"));
    assert!(store.list("").await.is_err());
    assert_eq!(text(&store.get("b").await.unwrap().unwrap()), "2");
    // A watcher that cannot read a change is sent to list, where it is told.
    connection
        .execute_batch("UPDATE records SET revision = 100 WHERE key = 'a'; UPDATE state SET revision = 100")
        .unwrap();
    assert_eq!(within(watch.next()).await, Event::Lost);
}

#[tokio::test]
async fn removals_are_forgotten_after_a_thousand_commits_and_late_watchers_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(&folder).await;
    let first = store.commit(&[], &[put("a", "1")]).await.unwrap();
    let removed = store.commit(&[], &[delete("a")]).await.unwrap();
    let connection = Connection::open(folder.path().join("claimgate.db")).unwrap();
    connection.execute_batch("UPDATE state SET revision = 5000").unwrap();
    store.commit(&[], &[put_for("b", "1", Duration::from_millis(10))]).await.unwrap();
    let rows = || connection.query_row("SELECT count(*) FROM records", [], |row| row.get(0));
    // What remains is the record that checks the key, and that 'b' was there.
    until("it is forgotten", || async { rows() == Ok(2_i64) }).await;
    let mut watch = store.watch("", first);
    assert_eq!(within(watch.next()).await, Event::Lost);
    assert_eq!(within(store.watch("", removed).next()).await, Event::Lost);
    let now = store.list("").await.unwrap().revision;
    let next = store.commit(&[], &[put("c", "1")]).await.unwrap();
    let mut seen = Seen { revision: now, ..Seen::default() };
    seen.catch_up(&mut store.watch("", now), next).await;
    assert_eq!(seen.records, map([("c", "1")]));
}

#[tokio::test]
async fn other_databases_and_newer_ones_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE a (b)").unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(refusal(&path).await, format!("the database {} belongs to another program", path.display()));
    assert_eq!(fs::read(&path).unwrap(), before);

    drop(opened(&folder).await);
    let path = folder.path().join("claimgate.db");
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    let refused = refusal(&path).await;
    assert!(refused.contains("was written by a newer claimgate: it has version 99"), "{refused}");

    let path = folder.path().join("missing/claimgate.db");
    assert!(refusal(&path).await.starts_with("cannot make the database"));
    assert!(refusal(folder.path()).await.contains("cannot use the database"));
}

#[tokio::test]
async fn a_damaged_database_is_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("noise.db");
    fs::File::create(&path).unwrap().write_all(&[0xa5; 8192]).unwrap();
    let refused = refusal(&path).await;
    assert!(refused.contains("noise.db is damaged, or is none; restore a backup of it"), "{refused}");

    let store = opened(&folder).await;
    let path = folder.path().join("claimgate.db");
    let writes: Vec<_> = (0..500).map(|number| put(&format!("a/{number}"), &"x".repeat(100))).collect();
    store.commit(&[], &writes).await.unwrap();
    drop(store);
    let copy = folder.path().join("copy.db");
    until("it is closed", || async { !folder.path().join("claimgate.db-wal").exists() }).await;
    fs::copy(&path, &copy).unwrap();
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(&[0xa5; 16 * 4096], 4096).unwrap();
    let error = match Store::open(&sqlite(&path)).await {
        Ok(store) => store.list("").await.unwrap_err(),
        Err(error) => error,
    };
    assert!(error.to_string().contains("is damaged"), "{error}");

    // A backup that is damaged is not restored.
    let file = fs::OpenOptions::new().write(true).open(&copy).unwrap();
    let length = file.metadata().unwrap().len();
    file.write_all_at(&[0xa5; 4096], length - 4096).unwrap();
    let mut settings = sqlite(&folder.path().join("new.db"));
    settings.key_file = Some(folder.path().join("claimgate.key"));
    let refused = restore(&settings, &copy).await.unwrap_err().to_string();
    assert!(refused.contains("damaged"), "{refused}");
    assert!(!folder.path().join("new.db").exists());
}

#[tokio::test]
async fn a_backup_of_a_store_in_use_is_a_state_that_it_had() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(&folder).await;
    let settings = sqlite(&folder.path().join("claimgate.db"));
    let writer = tokio::spawn({
        let store = store.clone();
        async move {
            for number in 0..200 {
                let value = number.to_string();
                store.commit(&[], &[put("a", &value), put("b", &value)]).await.unwrap();
            }
        }
    });
    let mut kept = Vec::new();
    for number in 0..3 {
        let to = folder.path().join(format!("backup-{number}.db"));
        backup(&settings, &to).await.unwrap();
        assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
        let refused = backup(&settings, &to).await.unwrap_err().to_string();
        assert!(refused.contains("is there already; nothing is overwritten"), "{refused}");
        kept.push(to);
    }
    writer.await.unwrap();
    kept.push(folder.path().join("last.db"));
    backup(&settings, &kept[3]).await.unwrap();

    for (number, from) in kept.iter().enumerate() {
        let mut settings = sqlite(&folder.path().join(format!("restored-{number}.db")));
        settings.key_file = Some(folder.path().join("claimgate.key"));
        restore(&settings, from).await.unwrap();
        let restored = all(&Store::open(&settings).await.unwrap()).await;
        assert_eq!(restored.get("a"), restored.get("b"));
        if number == 3 {
            assert_eq!(restored, map([("a", "199"), ("b", "199")]));
        }
    }
    assert!(leftovers(folder.path()).is_empty());
}

#[tokio::test]
async fn a_backup_is_restored_only_with_its_key_and_over_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(&folder).await;
    store.commit(&[], &[put("a", "1")]).await.unwrap();
    let settings = sqlite(&folder.path().join("claimgate.db"));
    let saved = folder.path().join("backup.db");
    backup(&settings, &saved).await.unwrap();
    let refused = restore(&settings, &saved).await.unwrap_err().to_string();
    assert!(refused.contains("claimgate.db is there already"), "{refused}");

    let new = tempfile::tempdir().unwrap();
    let settings = sqlite(&new.path().join("claimgate.db"));
    assert!(
        restore(&settings, &saved).await.unwrap_err().to_string().contains("the key of the store is missing")
    );
    fs::write(new.path().join("claimgate.key"), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
    assert!(matches!(restore(&settings, &saved).await, Err(StoreError::WrongKey(_))));
    fs::copy(folder.path().join("claimgate.key"), new.path().join("claimgate.key")).unwrap();
    fs::write(new.path().join("claimgate.db-wal"), "").unwrap();
    assert!(
        restore(&settings, &saved)
            .await
            .unwrap_err()
            .to_string()
            .contains("claimgate.db-wal is there already")
    );
    fs::remove_file(new.path().join("claimgate.db-wal")).unwrap();
    let missing = restore(&settings, &new.path().join("missing")).await.unwrap_err().to_string();
    assert!(missing.starts_with("cannot read"), "{missing}");
    assert!(!new.path().join("claimgate.db").exists());
    restore(&settings, &saved).await.unwrap();
    assert_eq!(all(&Store::open(&settings).await.unwrap()).await, map([("a", "1")]));
    assert!(leftovers(new.path()).is_empty());
}

/// What was being written, and should have been given its name or removed.
fn leftovers(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.map(|name| name.into_string().unwrap()).filter(|name| name.starts_with('.')).collect()
}

#[tokio::test]
async fn nothing_is_left_in_the_files_of_what_was_removed() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(&folder).await;
    let long = "a secret ".repeat(1000);
    store.commit(&[], &[put("short", "a secret"), put("long", &long), put("kept", "stays")]).await.unwrap();
    let connection = Connection::open(folder.path().join("claimgate.db")).unwrap();
    let sealed = |key: &str| -> Vec<u8> {
        connection.query_row("SELECT value FROM records WHERE key = ?1", [key], |row| row.get(0)).unwrap()
    };
    let (short, long, kept) = (sealed("short"), sealed("long"), sealed("kept"));
    let is_there = |value: &[u8]| {
        fs::read_dir(folder.path()).unwrap().any(|file| {
            let content = fs::read(file.unwrap().path()).unwrap();
            value.chunks_exact(24).any(|part| content.windows(24).any(|bytes| bytes == part))
        })
    };
    assert!(is_there(&short) && is_there(&long) && is_there(&kept));
    store.commit(&[], &[delete("short"), put("long", "another")]).await.unwrap();
    store.erase_removed().await.unwrap();
    assert!(!is_there(&short) && !is_there(&long) && is_there(&kept));
    assert_eq!(store.get("kept").await.unwrap().unwrap().value, b"stays");
}
