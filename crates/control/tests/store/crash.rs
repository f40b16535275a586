//! A gateway that is killed while it writes to its database.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, thread};

use claimgate_control::store::Store;

use crate::support::*;

/// Where the process that is killed writes to.
const DATABASE: &str = "CLAIMGATE_TEST_DATABASE";
/// How often it is killed.
const TIMES: &str = "CLAIMGATE_TEST_CRASHES";

#[tokio::test]
async fn a_kill_at_any_moment_loses_no_acknowledged_commit_and_leaves_none_half_made() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("claimgate.db");
    let times = env::var(TIMES).map_or(30, |times| times.parse().unwrap());
    let mut acknowledged = 0;
    for round in 0..times {
        acknowledged = kill_a_writer(&database).unwrap_or(acknowledged);
        let store = Store::open(&sqlite(&database)).await.unwrap();
        let stored = all(&store).await;
        let number: u64 = stored["count"].parse().unwrap();
        assert!(number >= acknowledged, "round {round}: {number} is there, {acknowledged} was acknowledged");
        for part in 0..PARTS {
            assert_eq!(stored[&format!("part/{part}")], value(number), "round {round}");
        }
        assert_eq!(stored.len(), PARTS + 1);
    }
    assert!(acknowledged > times, "hardly anything was written");
}

/// Gives the last number that a writer acknowledged before it was killed.
fn kill_a_writer(database: &Path) -> Option<u64> {
    let mut writer = Command::new(env::current_exe().unwrap())
        .args(["--exact", "crash::writes_until_it_is_killed", "--nocapture"])
        .env(DATABASE, database)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut numbers = lines.by_ref().filter_map(|line| line.strip_prefix("acknowledged ")?.parse().ok());
    let first = numbers.next();
    thread::sleep(Duration::from_micros(fastrand::u64(0..50_000)));
    writer.kill().unwrap();
    writer.wait().unwrap();
    numbers.last().or(first)
}

/// Large enough for a commit to take many pages.
const PARTS: usize = 20;

fn value(number: u64) -> String {
    format!("{number} ").repeat(1500)
}

/// What is killed: a test that does nothing unless it is told where.
#[tokio::test]
async fn writes_until_it_is_killed() {
    let Ok(database) = env::var(DATABASE) else { return };
    let store = Store::open(&sqlite(Path::new(&database))).await.unwrap();
    let found = store.get("count").await.unwrap();
    for number in found.map_or(0, |found| text(&found).parse().unwrap()) + 1.. {
        let mut writes = vec![put("count", &u64::to_string(&number))];
        writes.extend((0..PARTS).map(|part| put(&format!("part/{part}"), &value(number))));
        store.commit(&[], &writes).await.unwrap();
        // Not println, which the harness may keep back.
        use std::io::Write;
        writeln!(std::io::stdout().lock(), "\nacknowledged {number}").unwrap();
    }
}
