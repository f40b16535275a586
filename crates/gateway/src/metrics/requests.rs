//! What is counted of requests and connections.
//!
//! Each thread that serves requests writes numbers of its own, which are added up when somebody reads them:
//! threads share no counter, and a request reaches its numbers by a position that was settled when the
//! configuration was loaded.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::histogram::{Count, Histogram};
use super::refused::{LatestRefused, Refused};
use crate::rejection::Fault;

/// The most rows that a configuration can ask for.
pub const MOST_ROWS: usize = 100_000;

/// Rows are made room for in pieces of this size.
const ROWS_OF_PIECE: usize = 1000;

/// Replaces names beyond the limit; no domain, route or function has this name.
const OTHERS: &str = "(others)";

/// Replaces the names of routes and domains that are no longer configured.
const GONE: &str = "(removed)";

/// The numbers of all threads, and what their rows are of.
#[derive(Debug)]
pub struct Requests {
    rows: Mutex<Rows>,
    workers: Mutex<Vec<Arc<WorkerCounts>>>,
}

/// A position in the numbers of every thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    position: usize,
    /// Tells one row at a position from the next: a request may end after its route has gone.
    generation: u64,
}

impl Row {
    /// Requests that are for no custom domain.
    pub const NO_DOMAIN: Row = Row { position: 0, generation: 0 };
    /// Whatever is beyond the limit.
    pub const OTHERS: Row = Row { position: 1, generation: 0 };
}

/// What a row is of. A route that moves to another function gets another row, as counters never fall.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowLabels {
    /// Name of the domain; empty for requests that are for none.
    pub domain: String,
    /// Empty when no route serves the request; so is `function`.
    pub route: String,
    /// Name of the function.
    pub function: String,
}

impl RowLabels {
    /// Three times the same word, in place of names.
    fn word(word: &str) -> Self {
        let [domain, route, function] = [word; 3].map(str::to_owned);
        Self { domain, route, function }
    }
}

#[derive(Debug, Default)]
struct Rows {
    /// `None` for positions that are free.
    held: Vec<Option<HeldRow>>,
    free: Vec<usize>,
    positions: HashMap<RowLabels, usize>,
    generations: u64,
}

#[derive(Debug)]
struct HeldRow {
    labels: RowLabels,
    generation: u64,
    /// How many configurations have it that are still in use.
    holders: usize,
}

impl Default for Requests {
    fn default() -> Self {
        let always = |labels| Some(HeldRow { labels, generation: 0, holders: 1 });
        let held = vec![always(RowLabels::default()), always(RowLabels::word(OTHERS))];
        Self { rows: Mutex::new(Rows { held, ..Rows::default() }), workers: Mutex::default() }
    }
}

impl Requests {
    /// The row of a route of the configuration, or with an empty route of a domain. It stays, so that counters go
    /// on, until each configuration that holds it has released it. Beyond [`MOST_ROWS`] it is [`Row::OTHERS`].
    pub fn hold(&self, labels: RowLabels) -> Row {
        let mut rows = lock(&self.rows);
        if let Some(&position) = rows.positions.get(&labels)
            && let Some(Some(held)) = rows.held.get_mut(position)
        {
            held.holders += 1;
            return Row { position, generation: held.generation };
        }
        if rows.positions.len() >= MOST_ROWS {
            return Row::OTHERS;
        }
        rows.generations += 1;
        let generation = rows.generations;
        let held = Some(HeldRow { labels: labels.clone(), generation, holders: 1 });
        let free = rows.free.pop();
        let position = free.unwrap_or(rows.held.len());
        match rows.held.get_mut(position) {
            Some(place) => *place = held,
            None => rows.held.push(held),
        }
        rows.positions.insert(labels, position);
        Row { position, generation }
    }

    /// Gives rows back. What was counted in those that no configuration holds any more is forgotten.
    pub fn release(&self, released: impl IntoIterator<Item = Row>) {
        let mut gone = Vec::new();
        let mut rows = lock(&self.rows);
        for row in released.into_iter().filter(|row| row.generation > 0) {
            let Some(place) = rows.held.get_mut(row.position) else { continue };
            let Some(held) = place.as_mut().filter(|held| held.generation == row.generation) else {
                continue;
            };
            held.holders -= 1;
            if held.holders == 0
                && let Some(held) = place.take()
            {
                rows.positions.remove(&held.labels);
                rows.free.push(row.position);
                gone.push(row);
            }
        }
        drop(rows);
        for worker in self.workers() {
            gone.iter().for_each(|row| worker.forget(*row));
        }
    }

    /// Numbers for one more thread.
    pub fn worker(&self) -> Arc<WorkerCounts> {
        let worker = Arc::new(WorkerCounts {
            rows: std::array::from_fn(|_| OnceLock::new()),
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
        let rows = lock(&self.rows);
        let held = rows.held.get(row.position).and_then(Option::as_ref);
        let held = held.filter(|held| held.generation == row.generation);
        held.map_or_else(|| RowLabels::word(GONE), |held| held.labels.clone())
    }

    /// The numbers of each thread for each row that has any.
    pub fn numbers(&self) -> Vec<(RowLabels, Arc<RowCounts>)> {
        let mut numbers = Vec::new();
        // Before the labels: a row has these before anything is counted in it.
        let counted: Vec<_> = self.workers().iter().flat_map(|worker| worker.counted()).collect();
        let rows = lock(&self.rows);
        for (position, counts) in counted {
            let held = rows.held.get(position).and_then(Option::as_ref);
            if let Some(held) = held.filter(|held| held.generation == counts.generation) {
                numbers.push((held.labels.clone(), counts));
            }
        }
        numbers
    }

    /// The numbers of every thread.
    pub fn workers(&self) -> Vec<Arc<WorkerCounts>> {
        lock(&self.workers).clone()
    }
}

type Piece = Box<[ArcSwapOption<RowCounts>]>;

/// The numbers of one thread, which no other may write.
#[derive(Debug)]
pub struct WorkerCounts {
    /// Made when a row is first needed: most threads of most gateways need few.
    rows: [OnceLock<Piece>; MOST_ROWS.div_ceil(ROWS_OF_PIECE) + 1],
    pub in_flight: Count,
    pub connections: Count,
    pub connections_opened: Count,
    pub websockets: Count,
    latest_refused: LatestRefused,
}

/// The numbers of one thread for one row.
#[derive(Debug, Default)]
pub struct RowCounts {
    /// Of the row.
    generation: u64,
    /// Of accepted requests.
    pub accepted: Histogram,
    /// Preflight requests, which the gateway answers.
    pub preflights: Count,
    /// Requests whose client left before the answer.
    pub clients_left: Count,
    /// Claims that could not be carried where they are mapped to.
    pub claims_not_forwarded: Count,
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
        self.with(row, |row| {
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
        });
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
        self.with(row, |row| row.preflights.add(1));
    }

    /// Counts a request whose client left before it was answered.
    pub fn count_client_left(&self, row: Row) {
        self.with(row, |row| row.clients_left.add(1));
    }

    /// Counts a claim that was left out.
    pub fn count_claim_not_forwarded(&self, row: Row) {
        self.with(row, |row| row.claims_not_forwarded.add(1));
    }

    /// Counts an answer that the function broke off behind its head.
    pub fn count_broken_off(&self, row: Row, reason: &'static str) {
        self.with(row, |row| {
            let mut counts = row.broken_off();
            match counts.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, count)) => *count += 1,
                None => counts.push((reason, 1)),
            }
        });
    }

    /// Counts something in a row, unless another one has taken its place.
    fn with(&self, row: Row, count: impl FnOnce(&RowCounts)) {
        let Some(piece) = self.rows.get(row.position / ROWS_OF_PIECE) else { return };
        let piece = piece.get_or_init(|| (0..ROWS_OF_PIECE).map(|_| ArcSwapOption::empty()).collect());
        let Some(place) = piece.get(row.position % ROWS_OF_PIECE) else { return };
        let found = place.load();
        match &*found {
            Some(counts) if counts.generation == row.generation => count(counts),
            Some(counts) if counts.generation > row.generation => {}
            _ => {
                let counts = RowCounts { generation: row.generation, ..RowCounts::default() };
                count(&counts);
                place.store(Some(Arc::new(counts)));
            }
        }
    }

    /// Gives back the memory of a row that has gone.
    fn forget(&self, row: Row) {
        let piece = self.rows.get(row.position / ROWS_OF_PIECE).and_then(OnceLock::get);
        let Some(place) = piece.and_then(|piece| piece.get(row.position % ROWS_OF_PIECE)) else { return };
        let counts = place.load();
        if counts.as_ref().is_some_and(|counts| counts.generation <= row.generation) {
            // The thread may have begun to count in the next row of this position.
            place.compare_and_swap(&*counts, None);
        }
    }

    /// The numbers of each position that has any.
    fn counted(&self) -> Vec<(usize, Arc<RowCounts>)> {
        let pieces = self.rows.iter().enumerate().filter_map(|(piece, rows)| Some((piece, rows.get()?)));
        let places = pieces.flat_map(|(piece, rows)| (piece * ROWS_OF_PIECE..).zip(rows));
        places.filter_map(|(position, row)| Some((position, row.load_full()?))).collect()
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
    use super::super::histogram::Total;
    use super::*;

    fn labels(route: usize) -> RowLabels {
        let (domain, function) = ("api.example.com".to_owned(), "orders".to_owned());
        RowLabels { domain, route: format!("/{route}"), function }
    }

    fn counted(requests: &Requests) -> Vec<(String, u64)> {
        let numbers = requests.numbers();
        let mut counted: Vec<_> = numbers
            .into_iter()
            .map(|(labels, counts)| (labels.route, Total::of(&counts.accepted).count()))
            .collect();
        counted.sort_unstable();
        counted
    }

    #[test]
    fn rows_stay() {
        let requests = Requests::default();
        let first = requests.hold(labels(0));
        assert!(first != Row::NO_DOMAIN && first != Row::OTHERS);
        let rows: Vec<Row> = (0..200).map(|route| requests.hold(labels(route))).collect();
        assert!(!rows.contains(&Row::OTHERS));
        assert_eq!(rows.first(), Some(&first));
        let worker = requests.worker();
        for row in [Row::OTHERS, first, first] {
            worker.count(row, None, Durations::default());
        }
        assert_eq!(counted(&requests), [("(others)".to_owned(), 1), ("/0".to_owned(), 2)]);
    }

    #[test]
    fn a_row_is_given_back_when_nothing_holds_it() {
        let requests = Requests::default();
        let worker = requests.worker();
        let first = requests.hold(labels(0));
        assert_eq!(requests.hold(labels(0)), first);
        worker.count(first, None, Durations::default());
        requests.release([first, Row::OTHERS, Row::NO_DOMAIN]);
        assert_eq!(counted(&requests), [("/0".to_owned(), 1)]);
        requests.release([first]);
        assert_eq!((counted(&requests), requests.labels_of(first).route), (vec![], "(removed)".to_owned()));
        assert_eq!(worker.counted().len(), 0);

        // The next row is at the same position, and a request of the first that ends late is not counted in it.
        let second = requests.hold(labels(1));
        assert_eq!(second.position, first.position);
        worker.count(first, None, Durations::default());
        assert_eq!(counted(&requests), []);
        worker.count(second, None, Durations::default());
        worker.count(first, None, Durations::default());
        requests.release([first]);
        assert_eq!(counted(&requests), [("/1".to_owned(), 1)]);
        // Begun anew.
        requests.release([second]);
        worker.count(requests.hold(labels(1)), None, Durations::default());
        assert_eq!(counted(&requests), [("/1".to_owned(), 1)]);
    }

    #[test]
    fn there_is_room_for_as_many_rows_as_can_be_set() {
        let requests = Requests::default();
        let worker = requests.worker();
        let last = (0..MOST_ROWS).map(|route| requests.hold(labels(route))).last();
        let last = last.unwrap_or(Row::OTHERS);
        worker.count(last, None, Durations::default());
        assert_eq!(counted(&requests), [(format!("/{}", MOST_ROWS - 1), 1)]);
        assert_eq!(requests.hold(labels(MOST_ROWS)), Row::OTHERS);
    }
}
