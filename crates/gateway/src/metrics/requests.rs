//! What is counted of requests and connections.
//!
//! Each thread that serves requests writes numbers of its own, which are added up when somebody reads them:
//! threads share no counter, and a request reaches its numbers by a position that was settled when the
//! configuration was loaded.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use super::histogram::{Count, Histogram};
use super::refused::{LatestRefused, Refused};
use crate::rejection::Fault;

/// How many rows there are at most. Each route has one, and each domain one more for requests that no
/// route serves.
const MOST_ROWS: usize = 1000;

/// In place of names beyond [`MOST_ROWS`]; no domain, route or function is called so.
const OTHERS: &str = "(others)";

/// The numbers of all threads, and what their rows are of.
#[derive(Debug)]
pub struct Requests {
    rows: Mutex<Rows>,
    workers: Mutex<Vec<Arc<WorkerCounts>>>,
}

/// A position in the numbers of every thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row(usize);

impl Row {
    /// Requests that are for no custom domain.
    pub const NO_DOMAIN: Row = Row(0);
    /// Whatever is beyond the bound.
    pub const OTHERS: Row = Row(1);
}

/// What a row is of. A route that moves to another function gets another row, as counters never fall.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct RowLabels {
    /// Name of the domain; empty for requests that are for none.
    pub domain: String,
    /// Empty when no route serves the request; so is `function`.
    pub route: String,
    /// Name of the function.
    pub function: String,
}

#[derive(Debug, Default)]
struct Rows {
    labels: Vec<RowLabels>,
    positions: HashMap<RowLabels, Row>,
}

impl Default for Requests {
    fn default() -> Self {
        let others = || OTHERS.to_owned();
        let others = RowLabels { domain: others(), route: others(), function: others() };
        let rows = Rows { labels: vec![RowLabels::default(), others], positions: HashMap::new() };
        Self { rows: Mutex::new(rows), workers: Mutex::default() }
    }
}

impl Requests {
    /// The row of a route of the configuration, or with an empty route of a domain. It stays when the
    /// configuration changes, so that counters go on.
    pub fn row(&self, labels: RowLabels) -> Row {
        let mut rows = lock(&self.rows);
        if let Some(row) = rows.positions.get(&labels) {
            return *row;
        }
        if rows.labels.len() >= MOST_ROWS {
            return Row::OTHERS;
        }
        let row = Row(rows.labels.len());
        rows.labels.push(labels.clone());
        rows.positions.insert(labels, row);
        row
    }

    /// Numbers for one more thread.
    pub fn worker(&self) -> Arc<WorkerCounts> {
        let rows = std::iter::repeat_with(OnceLock::new).take(MOST_ROWS).collect();
        let worker = Arc::new(WorkerCounts {
            rows,
            in_flight: Count::default(),
            connections: Count::default(),
            connections_opened: Count::default(),
            websockets: Count::default(),
            latest_refused: LatestRefused::default(),
        });
        lock(&self.workers).push(Arc::clone(&worker));
        worker
    }

    /// What a row is of.
    pub fn labels_of(&self, row: Row) -> RowLabels {
        lock(&self.rows).labels.get(row.0).cloned().unwrap_or_default()
    }

    /// What each row is of.
    pub fn labels(&self) -> Vec<RowLabels> {
        lock(&self.rows).labels.clone()
    }

    /// The numbers of every thread.
    pub fn workers(&self) -> Vec<Arc<WorkerCounts>> {
        lock(&self.workers).clone()
    }
}

/// The numbers of one thread, which no other may write.
#[derive(Debug)]
pub struct WorkerCounts {
    /// Made when a row is first needed: most threads of most gateways need few.
    rows: Box<[OnceLock<Box<RowCounts>>]>,
    pub in_flight: Count,
    pub connections: Count,
    pub connections_opened: Count,
    pub websockets: Count,
    latest_refused: LatestRefused,
}

/// The numbers of one thread for one row.
#[derive(Debug, Default)]
pub struct RowCounts {
    /// Of accepted requests.
    pub accepted: Histogram,
    /// Preflight requests, which the gateway answers.
    pub preflights: Count,
    /// Requests whose client left before the answer.
    pub clients_left: Count,
    pub verification: Histogram,
    pub function: Histogram,
    /// Locked by this thread and by who reads, so hardly ever waited for.
    rejected: Mutex<Rejected>,
    /// Answers that the function broke off, by reason.
    broken_off: Mutex<Vec<(&'static str, u64)>>,
}

/// Requests that were not accepted.
#[derive(Debug, Default)]
pub struct Rejected {
    pub refused: Histogram,
    pub failed: Histogram,
    /// In all; few, as reasons are a closed set of words and hardly any applies to one route.
    pub by_reason: Vec<(Fault, &'static str, u64)>,
}

/// How long parts of a request took; `None` for those that were not needed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Durations {
    /// Until the head of the answer was there.
    pub whole: Duration,
    pub verification: Option<Duration>,
    pub function: Option<Duration>,
}

impl WorkerCounts {
    /// Counts a request; with fault and reason one that was not accepted.
    pub fn count(&self, row: Row, rejected: Option<(Fault, &'static str)>, durations: Durations) {
        let Some(row) = self.rows.get(row.0) else {
            return;
        };
        let row = row.get_or_init(Box::default);
        match rejected {
            None => row.accepted.record(durations.whole),
            Some((fault, reason)) => row.rejected().count(fault, reason, durations.whole),
        }
        if let Some(verification) = durations.verification {
            row.verification.record(verification);
        }
        if let Some(function) = durations.function {
            row.function.record(function);
        }
    }

    /// Keeps a refused request among the latest.
    pub fn note_refused(&self, request: Refused) {
        self.latest_refused.note(request);
    }

    /// The latest refused requests of this thread.
    pub(super) fn latest_refused(&self) -> &LatestRefused {
        &self.latest_refused
    }

    /// Counts a preflight request that was answered.
    pub fn count_preflight(&self, row: Row) {
        if let Some(row) = self.rows.get(row.0) {
            row.get_or_init(Box::default).preflights.add(1);
        }
    }

    /// Counts a request whose client left before it was answered.
    pub fn count_client_left(&self, row: Row) {
        if let Some(row) = self.rows.get(row.0) {
            row.get_or_init(Box::default).clients_left.add(1);
        }
    }

    /// Counts an answer that the function broke off behind its head.
    pub fn count_broken_off(&self, row: Row, reason: &'static str) {
        let Some(row) = self.rows.get(row.0) else {
            return;
        };
        let mut counts = row.get_or_init(Box::default).broken_off();
        match counts.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => counts.push((reason, 1)),
        }
    }

    /// The numbers of each row that has any.
    pub fn rows(&self) -> impl Iterator<Item = (usize, &RowCounts)> {
        self.rows.iter().enumerate().filter_map(|(position, row)| Some((position, &**row.get()?)))
    }

    /// Counts a request that is in flight until what is given here is dropped.
    pub fn begin(&self) -> InFlight<'_> {
        self.in_flight.add(1);
        InFlight(self)
    }

    /// Counts a connection that is open until what is given here is dropped.
    pub fn open_connection(self: &Arc<Self>) -> OpenConnection {
        self.connections.add(1);
        self.connections_opened.add(1);
        OpenConnection(Arc::clone(self))
    }

    /// Counts a WebSocket that is open until what is given here is dropped.
    pub fn open_websocket(self: &Arc<Self>) -> OpenWebSocket {
        self.websockets.add(1);
        OpenWebSocket(Arc::clone(self))
    }
}

impl RowCounts {
    pub fn rejected(&self) -> MutexGuard<'_, Rejected> {
        lock(&self.rejected)
    }

    pub fn broken_off(&self) -> MutexGuard<'_, Vec<(&'static str, u64)>> {
        lock(&self.broken_off)
    }
}

impl Rejected {
    fn count(&mut self, fault: Fault, reason: &'static str, whole: Duration) {
        match fault {
            Fault::Client => self.refused.record(whole),
            Fault::Function => self.failed.record(whole),
        }
        let known = self.by_reason.iter_mut().find(|known| (known.0, known.1) == (fault, reason));
        match known {
            Some((_, _, count)) => *count += 1,
            None => self.by_reason.push((fault, reason, 1)),
        }
    }
}

/// A request that is answered; dropped on the thread that counted it.
#[derive(Debug)]
pub struct InFlight<'a>(&'a WorkerCounts);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.subtract(1);
    }
}

/// A connection of a client; dropped on the thread that counted it.
#[derive(Debug)]
pub struct OpenConnection(Arc<WorkerCounts>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.connections.subtract(1);
    }
}

/// A WebSocket; dropped on the thread that counted it.
#[derive(Debug)]
pub struct OpenWebSocket(Arc<WorkerCounts>);

impl Drop for OpenWebSocket {
    fn drop(&mut self) {
        self.0.websockets.subtract(1);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(route: usize) -> RowLabels {
        let (domain, function) = ("api.example.com".to_owned(), "orders".to_owned());
        RowLabels { domain, route: format!("/{route}"), function }
    }

    #[test]
    fn rows_stay_and_are_bounded() {
        let requests = Requests::default();
        let first = requests.row(labels(0));
        assert!(first != Row::NO_DOMAIN && first != Row::OTHERS);
        for route in 0..MOST_ROWS * 2 {
            requests.row(labels(route));
        }
        assert_eq!(requests.row(labels(0)), first);
        assert_eq!(requests.row(labels(MOST_ROWS)), Row::OTHERS);
        assert_eq!(requests.labels().len(), MOST_ROWS);
        let worker = requests.worker();
        worker.count(Row::OTHERS, None, Durations::default());
        worker.count(first, Some((Fault::Client, "expired")), Durations::default());
        let positions: Vec<usize> = worker.rows().map(|(position, _)| position).collect();
        assert_eq!(positions, [Row::OTHERS.0, first.0]);
    }
}
