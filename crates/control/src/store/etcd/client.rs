//! Calls to a cluster: over one connection at a time, to one member after the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use claimgate_config::snapshot::EtcdSettings;
use prost::Message;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

use super::super::StoreError;
use super::connection::Connection;
use super::grpc::{CallError, UNAVAILABLE};

/// For one call.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// After it no further call is begun.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(100);

/// A cluster.
#[derive(Debug)]
pub(super) struct Client {
    settings: EtcdSettings,
    /// The member that is tried first, counted on without end.
    member: AtomicUsize,
    current: Mutex<Current>,
}

#[derive(Debug, Default)]
struct Current {
    connection: Option<Arc<Connection>>,
    /// When no member could be connected to, and why.
    failed: Option<(Instant, String)>,
}

/// Why a call has no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// It was not made, as no member can be reached.
    Unreachable(String),
    /// It may have been made.
    Broken(String),
    /// It was not made, and can be made again at once.
    Again(String),
    /// etcd refuses it, in these words.
    Refused(String),
}

/// How long something may be tried again.
pub(super) struct Tries(Instant);

impl Tries {
    pub(super) fn begin() -> Self {
        Self(Instant::now())
    }

    /// Waits a little; `false` when it has been tried long enough.
    pub(super) async fn more(&self) -> bool {
        sleep(PAUSE).await;
        self.0.elapsed() < PATIENCE
    }
}

impl Client {
    pub(super) fn new(settings: EtcdSettings) -> Self {
        Self { settings, member: AtomicUsize::new(0), current: Mutex::default() }
    }

    /// Calls, and again when a connection breaks; so only for what does no harm when it is done twice.
    pub(super) async fn call<Answer: Message + Default>(
        &self,
        method: &str,
        request: &impl Message,
    ) -> Result<Answer, StoreError> {
        let tries = Tries::begin();
        loop {
            match self.call_once(method, request).await {
                Ok(answer) => return Ok(answer),
                Err(Failure::Broken(why) | Failure::Again(why)) => {
                    if !tries.more().await {
                        return Err(StoreError::Unreachable(why));
                    }
                }
                Err(Failure::Unreachable(why)) => return Err(StoreError::Unreachable(why)),
                Err(Failure::Refused(message)) => return Err(refused(&message)),
            }
        }
    }

    /// Calls once.
    pub(super) async fn call_once<Answer: Message + Default>(
        &self,
        method: &str,
        request: &impl Message,
    ) -> Result<Answer, Failure> {
        let connection = self.connection().await.map_err(Failure::Unreachable)?;
        let failure = match timeout(CALL_TIMEOUT, connection.caller().call(method, request)).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => judge(error),
            Err(_) => Failure::Broken(format!("no answer within {CALL_TIMEOUT:?}")),
        };
        if let Failure::Broken(_) | Failure::Again(_) = failure {
            self.discard(&connection).await;
        }
        Err(failure)
    }

    /// The connection in use, or a new one to the first member that answers.
    pub(super) async fn connection(&self) -> Result<Arc<Connection>, String> {
        let asked = Instant::now();
        let mut current = self.current.lock().await;
        if let Some(connection) = &current.connection
            && !connection.caller().is_closed()
        {
            return Ok(Arc::clone(connection));
        }
        // While we waited somebody else tried.
        if let Some((when, why)) = &current.failed
            && *when > asked
        {
            return Err(why.clone());
        }
        let mut failures = Vec::new();
        for _ in &self.settings.endpoints {
            let member = self.member.load(Ordering::Relaxed) % self.settings.endpoints.len().max(1);
            let Some(endpoint) = self.settings.endpoints.get(member) else { break };
            match Connection::open(endpoint, &self.settings).await {
                Ok(connection) => {
                    let connection = Arc::new(connection);
                    *current = Current { connection: Some(Arc::clone(&connection)), failed: None };
                    return Ok(connection);
                }
                Err(why) => failures.push(why),
            }
            self.member.fetch_add(1, Ordering::Relaxed);
        }
        let why = failures.join("; ");
        *current = Current { connection: None, failed: Some((Instant::now(), why.clone())) };
        Err(why)
    }

    /// Has the next call connect to another member, unless that was done already.
    pub(super) async fn discard(&self, connection: &Arc<Connection>) {
        let mut current = self.current.lock().await;
        if current.connection.as_ref().is_some_and(|current| Arc::ptr_eq(current, connection)) {
            current.connection = None;
            self.member.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Tells failures apart by what can be done next.
pub(super) fn judge(error: CallError) -> Failure {
    // Of gRPC; the messages are etcd's.
    const CANCELLED: u32 = 1;
    const DEADLINE_EXCEEDED: u32 = 4;
    const UNAUTHENTICATED: u32 = 16;
    /// The token is from before users were changed, or there was none as none was needed.
    const TOKEN: [&str; 2] = ["revision of auth store is old", "user name is empty"];
    match error {
        CallError::Broken(why) => Failure::Broken(why),
        CallError::Refused { code: UNAUTHENTICATED, message } => Failure::Again(message),
        CallError::Refused { message, .. } if TOKEN.iter().any(|text| message.contains(text)) => {
            Failure::Again(message)
        }
        CallError::Refused { code: CANCELLED | DEADLINE_EXCEEDED | UNAVAILABLE, message } => {
            Failure::Broken(message)
        }
        CallError::Refused { message, .. } if message.contains("too many requests") => {
            Failure::Again(message)
        }
        CallError::Refused { message, .. } => Failure::Refused(message),
    }
}

/// What etcd's refusal means.
pub(super) fn refused(message: &str) -> StoreError {
    let too_large = ["request is too large", "message larger than max"];
    if message.contains("too many operations") {
        return StoreError::TooLarge(format!(
            "more is changed at once than etcd takes (its option --max-txn-ops): {message}"
        ));
    }
    if too_large.iter().any(|text| message.contains(text)) {
        return StoreError::TooLarge(format!(
            "more is written at once than etcd takes (its option --max-request-bytes): {message}"
        ));
    }
    if message.contains("database space exceeded") {
        return StoreError::NotWritable(format!(
            "etcd is full (its option --quota-backend-bytes): {message}"
        ));
    }
    StoreError::Failed(format!("etcd says: {message}"))
}
