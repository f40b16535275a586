//! The stream of changes, which outlives connections.
//!
//! That a member is stopped, cut off or stuck shows as silence. So it is asked for its progress when it has
//! said nothing for a while; HTTP/2's own pings would tell as much, but etcd takes one in five seconds only.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::client::{Failure, judge};
use super::connection::Connection;
use super::grpc::CallError;
use super::messages::{Header, RANGE, RangeRequest, RangeResponse};
use super::messages::{WATCH, WatchCreateRequest, WatchEvent, WatchRequest, WatchResponse};
use super::{Etcd, Event, Record, StoreError};

const WAITING_EVENTS: usize = 16;
/// After so long without a word, a member is asked for one.
const SILENCE: Duration = Duration::from_secs(2);
/// For a member to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// Between attempts to connect; each one that fails doubles it.
const PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(2);

/// `EventType.DELETE`.
const DELETE: i32 = 1;

/// Begins to send what changes in a range after a revision.
pub(super) fn begin(etcd: Arc<Etcd>, range: RangeRequest, after: u64) -> mpsc::Receiver<Event> {
    let (sender, receiver) = mpsc::channel(WAITING_EVENTS);
    let mut watcher =
        Watcher { etcd, range, after, cluster: None, events: sender.clone(), reachable: true, pause: PAUSE };
    tokio::spawn(async move {
        tokio::select! {
            () = watcher.run() => {}
            () = sender.closed() => {}
        }
    });
    receiver
}

struct Watcher {
    etcd: Arc<Etcd>,
    range: RangeRequest,
    /// The revision up to which changes were sent.
    after: u64,
    /// The cluster that this is a revision of.
    cluster: Option<u64>,
    events: mpsc::Sender<Event>,
    reachable: bool,
    /// Before the next attempt.
    pause: Duration,
}

/// Why a stream has ended.
enum End {
    /// What comes next cannot be told.
    Lost,
    /// The connection, or the member; so the next one is tried.
    Broken(String),
}

impl Watcher {
    async fn run(&mut self) {
        loop {
            match self.follow().await {
                End::Lost => return self.send(Event::Lost).await,
                End::Broken(why) => {
                    if mem::replace(&mut self.reachable, false) {
                        let why = StoreError::Unreachable(why).to_string();
                        self.send(Event::Unreachable(why)).await;
                    }
                    // Gateways that lost one member at once do not come to the next one at once.
                    sleep(self.pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
                    self.pause = (self.pause * 2).min(MAX_PAUSE);
                }
            }
        }
    }

    async fn follow(&mut self) -> End {
        let etcd = Arc::clone(&self.etcd);
        match etcd.client.connection().await {
            Err(why) => End::Broken(why),
            Ok(connection) => {
                let Err(end) = self.follow_on(&connection).await;
                if let End::Broken(_) = end {
                    etcd.client.discard(&connection).await;
                }
                end
            }
        }
    }

    async fn follow_on(&mut self, connection: &Connection) -> Result<Infallible, End> {
        let silent = |_| End::Broken(format!("no answer within {ANSWER_TIMEOUT:?}"));
        let create = WatchCreateRequest {
            key: self.range.key.clone(),
            range_end: self.range.range_end.clone(),
            start_revision: self.after.saturating_add(1).cast_signed(),
            progress_notify: true,
        };
        let request = WatchRequest { create: Some(create), progress: None };
        let opened = timeout(ANSWER_TIMEOUT, connection.caller().open(WATCH, &request)).await;
        let (questions, mut answers) = opened.map_err(silent)??;
        let mut is_asked = true;
        loop {
            let before = answers.partial();
            let wait = if is_asked { ANSWER_TIMEOUT } else { SILENCE };
            match timeout(wait, answers.next()).await {
                Ok(answer) => {
                    is_asked = false;
                    let answer = answer?.ok_or_else(|| End::Broken("it ended the watch".to_owned()))?;
                    self.take(answer).await?;
                }
                // A large answer is on its way.
                Err(_) if answers.partial() != before => {}
                Err(elapsed) if is_asked => return Err(silent(elapsed)),
                Err(_) => {
                    questions.send(&WatchRequest { create: None, progress: Some(()) });
                    is_asked = true;
                }
            }
        }
    }

    async fn take(&mut self, answer: WatchResponse) -> Result<(), End> {
        let header = answer.header.unwrap_or_default();
        if answer.compact_revision > 0 {
            return Err(End::Lost);
        }
        if answer.canceled {
            return Err(End::Broken(format!("it ended the watch: {}", answer.cancel_reason)));
        }
        if answer.created {
            return self.begun(&header).await;
        }
        if !answer.events.is_empty() {
            return self.tell(answer.events).await;
        }
        // It has no changes up to here, unless this answers a question, which some versions do too early.
        if answer.watch_id >= 0 {
            self.after = self.after.max(header.revision.cast_unsigned());
        }
        Ok(())
    }

    async fn begun(&mut self, header: &Header) -> Result<(), End> {
        if self.cluster.replace(header.cluster_id).is_some_and(|before| before != header.cluster_id) {
            return Err(End::Lost);
        }
        if header.revision.cast_unsigned() < self.after {
            // Either this member is behind, or the cluster was restored from a backup.
            let request = RangeRequest { keys_only: true, ..self.etcd.one("") };
            let now = self.etcd.client.call::<RangeResponse>(RANGE, &request).await;
            let now = now.map_err(|error| End::Broken(error.to_string()))?.header.unwrap_or_default();
            if now.revision.cast_unsigned() < self.after {
                return Err(End::Lost);
            }
        }
        self.pause = PAUSE;
        if !mem::replace(&mut self.reachable, true) {
            self.send(Event::Reachable).await;
        }
        Ok(())
    }

    /// Sends the changes of whole commits: etcd does not part them.
    async fn tell(&mut self, events: Vec<WatchEvent>) -> Result<(), End> {
        let mut records: BTreeMap<String, Option<Record>> = BTreeMap::new();
        for event in events {
            let Some(changed) = event.kv else { continue };
            self.after = self.after.max(changed.mod_revision.cast_unsigned());
            if let Some(record) = self.etcd.record(changed) {
                let key = record.key.clone();
                records.insert(key, (event.kind != DELETE).then_some(record));
            }
        }
        if !records.is_empty() {
            self.send(Event::Changed { revision: self.after, records: records.into_iter().collect() }).await;
        }
        Ok(())
    }

    async fn send(&self, event: Event) {
        // When nobody listens any more, this task is ended.
        let _ = self.events.send(event).await;
    }
}

impl From<CallError> for End {
    fn from(error: CallError) -> Self {
        Self::Broken(match judge(error) {
            Failure::Unreachable(why) | Failure::Broken(why) | Failure::Again(why) => why,
            Failure::Refused(message) => format!("etcd says: {message}"),
        })
    }
}
