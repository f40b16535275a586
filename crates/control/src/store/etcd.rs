//! The store that many gateways share: an etcd, version 3.4 or later.
//!
//! It is spoken to over gRPC, with the handful of calls that are needed.

mod client;
mod connection;
mod grpc;
mod leases;
mod messages;
mod tls;
mod watch;

use std::sync::Arc;

use claimgate_config::snapshot::EtcdSettings;
use tokio::sync::mpsc;

use self::client::{Client, Failure, Tries, refused};
use self::leases::Leases;
use self::messages::{
    Compare, DeleteRangeRequest, KeyValue, MOD, PutRequest, RANGE, RangeRequest, RangeResponse, RequestOp,
    TRANSACTION, TxnRequest, TxnResponse,
};
use super::{CommitError, Condition, Event, Listing, Record, StoreError, Write, keys};

/// How many records are read at once.
const PAGE: usize = 250;
/// How many writes are made by one transaction. Unless it is told otherwise, etcd takes transactions of 128
/// operations; but each of up to 64 of them may be a transaction of 64 operations in turn, part of the whole.
const BATCH: usize = 64;

/// A cluster, and where in it the records are.
#[derive(Debug)]
pub(super) struct Etcd {
    client: Client,
    leases: Leases,
    /// What all keys begin with, the slash included.
    root: String,
}

impl Etcd {
    /// Takes the settings, whose files have to be usable. The cluster is connected to when it is needed.
    pub(super) fn new(settings: &EtcdSettings) -> Result<Self, StoreError> {
        if settings.endpoints.iter().any(|endpoint| endpoint.starts_with("https:")) {
            tls::connector(settings).map_err(StoreError::Failed)?;
        }
        let root = format!("{}/", settings.prefix);
        Ok(Self { client: Client::new(settings.clone()), leases: Leases::default(), root })
    }

    /// What all keys begin with.
    pub(super) fn root(&self) -> &str {
        &self.root
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Record>, StoreError> {
        let request = RangeRequest { key: self.path(key), ..RangeRequest::default() };
        let found: RangeResponse = self.client.call(RANGE, &request).await?;
        Ok(found.kvs.into_iter().find_map(|found| self.record(found)))
    }

    /// Records whose keys begin with this and come after another, at most so many; as they were at one
    /// moment, though they are read in pages.
    pub(super) async fn list(
        &self,
        prefix: &str,
        after_key: Option<&str>,
        limit: Option<usize>,
    ) -> Result<Listing, StoreError> {
        match self.list_once(prefix, after_key, limit).await {
            // Between two pages etcd forgot the moment of the first.
            Err(StoreError::Failed(why)) if why.contains("revision has been compacted") => {
                self.list_once(prefix, after_key, limit).await
            }
            listed => listed,
        }
    }

    async fn list_once(
        &self,
        prefix: &str,
        after_key: Option<&str>,
        limit: Option<usize>,
    ) -> Result<Listing, StoreError> {
        let limit = limit.unwrap_or(usize::MAX);
        let mut request = self.range(prefix);
        if let Some(after) = after_key {
            request.key = request.key.max(following(&self.path(after)));
        }
        let mut records = Vec::new();
        loop {
            let wanted = PAGE.min(limit.saturating_sub(records.len()));
            request.limit = i64::try_from(wanted).unwrap_or(i64::MAX);
            let page: RangeResponse = self.client.call(RANGE, &request).await?;
            // The next pages are of the same moment as the first.
            if request.revision == 0 {
                request.revision = page.header.unwrap_or_default().revision;
            }
            if let Some(last) = page.kvs.last() {
                request.key = following(&last.key);
            }
            records.extend(page.kvs.into_iter().filter_map(|found| self.record(found)));
            if !page.more || records.len() >= limit {
                return Ok(Listing { records, revision: request.revision.cast_unsigned() });
            }
        }
    }

    pub(super) async fn commit(
        &self,
        conditions: &[Condition],
        writes: &[Write],
    ) -> Result<u64, CommitError> {
        // A repetition does no harm where what was done makes a condition wrong.
        let may_repeat =
            conditions.iter().any(|condition| writes.iter().any(|write| write.key() == condition.key()));
        let tries = Tries::begin();
        let mut lost = None;
        let (mut compare, mut failure) = (Vec::new(), Vec::new());
        for condition in conditions {
            compare.push(self.compare(condition));
            failure.push(read(RangeRequest { keys_only: true, ..self.one(condition.key()) }));
        }
        loop {
            let success = self.operations(writes).await?;
            let request = TxnRequest { compare: compare.clone(), success, failure: failure.clone() };
            let answer = self.client.call_once::<TxnResponse>(TRANSACTION, &request).await;
            let why = match (answer, &lost) {
                (Ok(answer), _) if answer.succeeded => {
                    return Ok(answer.header.unwrap_or_default().revision.cast_unsigned());
                }
                (Ok(answer), None) => return Err(conflict(conditions, answer)),
                (Ok(answer), Some(_)) => {
                    // It may have been what was sent before that changed the records.
                    return match self.written(writes).await {
                        Ok(Some(revision)) => Ok(revision),
                        Ok(None) => Err(conflict(conditions, answer)),
                        Err(error) => Err(CommitError::Unknown(error.to_string())),
                    };
                }
                (Err(Failure::Refused(message)), None) if message.contains("lease not found") => {
                    self.leases.forget();
                    message
                }
                (Err(Failure::Again(why)), _) => why,
                (Err(Failure::Broken(why)), _) => {
                    lost = Some(why.clone());
                    if !may_repeat {
                        return Err(CommitError::Unknown(why));
                    }
                    why
                }
                (Err(Failure::Unreachable(why)), None) => return Err(StoreError::Unreachable(why).into()),
                (Err(Failure::Refused(message)), None) => return Err(refused(&message).into()),
                (Err(Failure::Unreachable(_) | Failure::Refused(_)), Some(why)) => why.clone(),
            };
            if !tries.more().await {
                return Err(match lost {
                    Some(why) => CommitError::Unknown(why),
                    None => StoreError::Unreachable(why).into(),
                });
            }
        }
    }

    /// Sends what changes after a revision, until nobody listens.
    pub(super) fn watch(self: &Arc<Self>, prefix: &str, after: u64) -> mpsc::Receiver<Event> {
        watch::begin(Arc::clone(self), self.range(prefix), after)
    }

    /// The revision at which these writes were made, if they were: a sealed value is like no other.
    async fn written(&self, writes: &[Write]) -> Result<Option<u64>, StoreError> {
        for write in writes {
            if let Write::Put { key, value, .. } = write
                && let Some(record) = self.get(key).await?
                && record.value == *value
            {
                return Ok(Some(record.version));
            }
        }
        Ok(None)
    }

    fn compare(&self, condition: &Condition) -> Compare {
        let revision = match condition {
            Condition::Absent { .. } => 0,
            Condition::At { version, .. } => version.cast_signed(),
        };
        Compare { result: 0, target: MOD, key: self.path(condition.key()), mod_revision: Some(revision) }
    }

    async fn operations(&self, writes: &[Write]) -> Result<Vec<RequestOp>, StoreError> {
        let mut operations = Vec::new();
        for write in writes {
            operations.push(match write {
                Write::Put { key, value, expires_in } => {
                    let lease = match expires_in {
                        Some(time) => self.leases.lease(&self.client, *time).await?,
                        None => 0,
                    };
                    let put = PutRequest { key: self.path(key), value: value.clone(), lease };
                    RequestOp { put: Some(put), ..RequestOp::default() }
                }
                Write::Delete { key } => {
                    let delete = DeleteRangeRequest { key: self.path(key) };
                    RequestOp { delete_range: Some(delete), ..RequestOp::default() }
                }
            });
        }
        if operations.len() <= BATCH {
            return Ok(operations);
        }
        let batch = |success: &[RequestOp]| {
            let transaction = TxnRequest { success: success.to_vec(), ..TxnRequest::default() };
            RequestOp { txn: Some(transaction), ..RequestOp::default() }
        };
        Ok(operations.chunks(BATCH).map(batch).collect())
    }

    fn one(&self, key: &str) -> RangeRequest {
        RangeRequest { key: self.path(key), ..RangeRequest::default() }
    }

    /// All keys with a prefix.
    fn range(&self, prefix: &str) -> RangeRequest {
        let key = format!("{}{prefix}", self.root);
        let end = keys::end_of(&key).map_or_else(|| vec![0], String::into_bytes);
        RangeRequest { key: key.into_bytes(), range_end: end, ..RangeRequest::default() }
    }

    /// A key as etcd has it.
    fn path(&self, key: &str) -> Vec<u8> {
        format!("{}{key}", self.root).into_bytes()
    }

    /// A key as everybody else has it; `None` when it is none of ours, which are text.
    fn key(&self, path: Vec<u8>) -> Option<String> {
        String::from_utf8(path).ok()?.strip_prefix(&self.root).map(str::to_owned)
    }

    fn record(&self, found: KeyValue) -> Option<Record> {
        let KeyValue { key, value, mod_revision } = found;
        Some(Record { key: self.key(key)?, value, version: mod_revision.cast_unsigned() })
    }
}

fn read(range: RangeRequest) -> RequestOp {
    RequestOp { range: Some(range), ..RequestOp::default() }
}

/// The key after this one.
fn following(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}

/// The first condition that does not hold, by what was found instead.
fn conflict(conditions: &[Condition], answer: TxnResponse) -> CommitError {
    let found = answer.responses.into_iter().map(|response| {
        let record = response.range.and_then(|range| range.kvs.into_iter().next());
        record.map_or(0, |record| record.mod_revision.cast_unsigned())
    });
    let wrong = conditions.iter().zip(found).find(|(condition, found)| match condition {
        Condition::Absent { .. } => *found != 0,
        Condition::At { version, .. } => found != version,
    });
    match wrong {
        Some((condition, _)) => CommitError::Conflict { key: condition.key().to_owned() },
        None => StoreError::Failed("etcd made no change, and does not say why".to_owned()).into(),
    }
}
