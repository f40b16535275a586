//! The documents of the gateway: those that the configuration file declares, and those that are stored.
//!
//! A change is judged together with everything else, written, and in force when it is acknowledged. All
//! commits of documents depend on the record `documents/generation`, which each of them raises: two gateways
//! cannot make a set together that neither would have taken.

mod accept;
mod change;
mod commit;
mod document;
mod follow;
mod index;
mod judge;
mod keep;
mod purge;
mod records;
#[cfg(test)]
mod simulation;
mod status;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use claimgate_config::snapshot::Function;
use claimgate_config::{DocumentKind, DocumentProblem, Snapshot};
use claimgate_gateway::{Gateway, Serving};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::sync::{Notify, watch};

pub use accept::accept;
pub use change::{Applied, ApplyError, Author, Change, Expected};
pub use document::{Document, Origin, Stored, Version};
pub use purge::{Purge, Purged};
pub use status::{Refusal, Status};

use crate::store::{Store, StoreError};
use index::Index;
use records::Contents;
use status::{Age, Stamp};

/// What makes a configuration ready to be served: starts what stands beside it, as certificates and processes.
pub type Prepare = dyn Fn(Snapshot, &Serving) -> anyhow::Result<Serving> + Send + Sync;

/// Why a function cannot run on this machine, if it cannot.
pub type CanRun = fn(&Function) -> Result<(), String>;

/// The documents, and what changes them. Clones are the same catalog.
#[derive(Clone)]
pub struct Catalog {
    shared: Arc<Shared>,
}

struct Shared {
    store: Option<Store>,
    gateway: Arc<Gateway>,
    prepare: Box<Prepare>,
    can_run: CanRun,
    /// Held while documents are changed by this process, so that its own changes do not compete.
    changing: tokio::sync::Mutex<()>,
    /// Held while something is compiled and put in force; never across a wait.
    state: Mutex<State>,
    index: RwLock<Index>,
    status: watch::Sender<Status>,
    is_current: Gauge<i64, AtomicI64>,
    is_writable: Gauge<i64, AtomicI64>,
    not_served: Gauge<i64, AtomicI64>,
    /// Other stored documents are in force.
    taken_over: Notify,
    /// With many domains it takes a while to free a configuration, and the request that lets go of it last must
    /// not pay for it.
    replaced: Mutex<Vec<Arc<Serving>>>,
}

/// What is in force was made of this.
#[derive(Debug)]
struct State {
    /// The configuration file alone.
    declared: Snapshot,
    /// What is stored; it only ever gives way to what comes after it.
    contents: Contents,
}

/// What a catalog begins with.
pub struct Opened {
    /// What is to be served: the configuration file and what is stored.
    pub snapshot: Snapshot,
    /// What is wrong with stored documents, and what their authors should look at.
    pub problems: Vec<DocumentProblem>,
    store: Option<Store>,
    can_run: CanRun,
    declared: Snapshot,
    contents: Contents,
    /// Where what was read last is kept, for a start while the store is away.
    kept: Option<PathBuf>,
    status: Status,
}

impl Opened {
    /// Reads what is stored; `declared` is the configuration file alone. While the store does not answer, or
    /// holds what is older, it is what was `kept` in a file when it was read last.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn read(
        declared: Snapshot,
        store: Option<Store>,
        kept: Option<PathBuf>,
        can_run: CanRun,
    ) -> Result<Self, StoreError> {
        let mut status = Status::default();
        let contents = match &store {
            Some(store) => match (records::read_all(store, &Contents::default()).await, &kept) {
                (Err(StoreError::Unreachable(why)), Some(kept)) => {
                    let contents = keep::load(store, kept, &why).await?;
                    status.unreachable = Some(why);
                    contents
                }
                (Ok(read), Some(kept)) => match keep::newer_than(read.stamp(), store, kept).await {
                    Some((contents, refusal)) => {
                        status.refused = Some(refusal);
                        contents
                    }
                    None => read,
                },
                (read, _) => read?,
            },
            None => Contents::default(),
        };
        let (snapshot, problems) = declared.with_stored(&contents.parsed, None, &can_run);
        status.not_served = errors(&problems);
        Ok(Self { snapshot, problems, store, can_run, declared, contents, kept, status })
    }

    /// A catalog of what `gateway` serves already. It follows the store from now on, in a task on the runtime
    /// that this is called on.
    pub fn follow(
        self,
        gateway: Arc<Gateway>,
        prepare: impl Fn(Snapshot, &Serving) -> anyhow::Result<Serving> + Send + Sync + 'static,
    ) -> Catalog {
        let kept = self.kept.clone();
        let catalog = self.serve(gateway, prepare);
        if let Some(store) = &catalog.shared.store {
            tokio::spawn(follow::follow(catalog.clone()));
            if let Some(file) = kept {
                tokio::spawn(keep::keep(catalog.clone(), store.clone(), file));
            }
        }
        catalog
    }

    /// A catalog that does not follow its store.
    fn serve(
        self,
        gateway: Arc<Gateway>,
        prepare: impl Fn(Snapshot, &Serving) -> anyhow::Result<Serving> + Send + Sync + 'static,
    ) -> Catalog {
        let Self { store, can_run, declared, contents, status, .. } = self;
        let index = RwLock::new(Index::of(&declared, &contents));
        let shared = Shared {
            store,
            gateway,
            prepare: Box::new(prepare),
            can_run,
            changing: tokio::sync::Mutex::default(),
            state: Mutex::new(State { declared, contents }),
            index,
            status: watch::Sender::new(status),
            taken_over: Notify::new(),
            is_current: Gauge::default(),
            is_writable: Gauge::default(),
            not_served: Gauge::default(),
            replaced: Mutex::default(),
        };
        let catalog = Catalog { shared: Arc::new(shared) };
        if catalog.shared.store.is_some() {
            catalog.note_status(|status| status);
        }
        catalog
    }
}

impl Catalog {
    /// The document of a name.
    pub fn find(&self, kind: DocumentKind, name: &str) -> Option<Document> {
        read(&self.shared.index).find(kind, name).cloned()
    }

    /// The first documents whose names begin so and come after a name, at most so many.
    pub fn list(&self, kind: DocumentKind, prefix: &str, after: Option<&str>, limit: usize) -> Vec<Document> {
        read(&self.shared.index).after(kind, prefix, after).take(limit).cloned().collect()
    }

    /// The store, when there is one.
    pub fn store(&self) -> Option<&Store> {
        self.shared.store.as_ref()
    }

    /// What is served.
    pub fn gateway(&self) -> &Arc<Gateway> {
        &self.shared.gateway
    }

    /// How the catalog gets on with its store.
    pub fn status(&self) -> Status {
        self.shared.status.borrow().clone()
    }

    /// Adds what is told of the store to metrics.
    pub fn register(&self, registry: &mut Registry) {
        if self.shared.store.is_some() {
            registry.sub_registry_with_prefix("claimgate").register(
                "store_is_current",
                "Whether the store answers and what is stored in it is served",
                self.shared.is_current.clone(),
            );
            registry.sub_registry_with_prefix("claimgate").register(
                "store_is_writable",
                "Whether changes can be stored, as far as is known",
                self.shared.is_writable.clone(),
            );
            registry.sub_registry_with_prefix("claimgate").register(
                "documents_not_served",
                "Stored documents that are not served as they are stored",
                self.shared.not_served.clone(),
            );
        }
    }

    fn note_status(&self, change: impl FnOnce(Status) -> Status) {
        self.shared.status.send_modify(|status| *status = change(std::mem::take(status)));
        let status = self.status();
        self.shared.is_current.set(i64::from(status.is_current()));
        self.shared.is_writable.set(i64::from(status.not_writable.is_none()));
        let not_served: BTreeSet<_> = status.not_served.iter().map(|of| (of.kind, &of.name)).collect();
        self.shared.not_served.set(i64::try_from(not_served.len()).unwrap_or(i64::MAX));
    }

    /// Notes which stored documents are not served, and logs what is new of it.
    fn note_not_served(&self, not_served: Vec<DocumentProblem>) {
        let before = self.status().not_served;
        for new in not_served.iter().filter(|problem| !before.contains(problem)) {
            log_not_served(new);
        }
        for gone in before.iter().filter(|problem| !not_served.contains(problem)) {
            tracing::info!(document = %named(gone), "a problem of a stored document is gone");
        }
        self.note_status(|status| Status { not_served, ..status });
    }

    /// Tells what [`apply`](Self::apply) would come to, and changes nothing.
    ///
    /// # Errors
    ///
    /// [`ApplyError`].
    pub async fn check(&self, changes: Vec<Change>, author: &Author) -> Result<Applied, ApplyError> {
        if self.shared.store.is_none() {
            return Err(ApplyError::ReadOnly);
        }
        let (catalog, author) = (self.clone(), author.clone());
        let judged = blocking(move || catalog.judge(&catalog.shared.gateway.serving(), &changes, &author));
        Ok(judged.await?.1.applied)
    }

    /// The versions of a document, the newest first.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn history(&self, kind: DocumentKind, name: &str) -> Result<Vec<Version>, StoreError> {
        let Some(store) = &self.shared.store else { return Ok(Vec::new()) };
        let listing = store.list(&records::history(kind, name)).await?;
        let versions =
            listing.records.iter().rev().filter_map(|record| records::Value::parse(&record.value).ok());
        Ok(versions.map(records::Value::into_version).collect())
    }

    /// Puts a new configuration file in force, together with what is stored. Compiles on the calling thread.
    ///
    /// # Errors
    ///
    /// Why it cannot be served; what was served before still is.
    pub fn declare(&self, declared: Snapshot) -> Result<(), ServeError> {
        let mut state = lock(&self.shared.state);
        self.serve_with(&declared, &state.contents)?;
        *write(&self.shared.index) = Index::of(&declared, &state.contents);
        state.declared = declared;
        Ok(())
    }

    /// Makes stored documents active, unless what is active is as new. Everything that was read or written
    /// goes this way, in whatever order it arrives.
    fn advance(&self, state: &mut State, contents: Contents) -> Result<(), ServeError> {
        if contents.stamp().compared_with(state.contents.stamp()) != Age::Newer {
            return Ok(());
        }
        self.serve_with(&state.declared, &contents)?;
        self.note(state, contents);
        Ok(())
    }

    fn serve_with(&self, declared: &Snapshot, contents: &Contents) -> Result<(), ServeError> {
        let serving = self.shared.gateway.serving();
        let (snapshot, problems) = self.compile(declared, contents, &serving);
        let next = (self.shared.prepare)(snapshot, &serving).map_err(ServeError)?;
        self.put_in_force(next, serving);
        self.note_not_served(errors(&problems));
        Ok(())
    }

    fn compile(
        &self,
        declared: &Snapshot,
        contents: &Contents,
        serving: &Serving,
    ) -> (Snapshot, Vec<DocumentProblem>) {
        declared.with_stored(&contents.parsed, Some(&serving.snapshot), &self.shared.can_run)
    }

    /// Tries again what could not be served: its files or its user may be there by now.
    fn try_again(&self) -> Result<(), ServeError> {
        let state = lock(&self.shared.state);
        let not_served = self.status().not_served;
        if not_served.is_empty() {
            return Ok(());
        }
        let (_, problems) = self.compile(&state.declared, &state.contents, &self.shared.gateway.serving());
        if errors(&problems) == not_served {
            Ok(())
        } else {
            self.serve_with(&state.declared, &state.contents)
        }
    }

    /// Notes what is in force, for who lists and looks up.
    fn note(&self, state: &mut State, contents: Contents) {
        write(&self.shared.index).update(&state.contents, &contents);
        state.contents = contents;
        self.shared.taken_over.notify_one();
    }

    /// Which state of the stored documents is active.
    fn stamp(&self) -> Stamp {
        lock(&self.shared.state).contents.stamp()
    }

    /// Frees configurations that no request uses any more.
    pub fn take_unused(&self) -> Vec<Arc<Serving>> {
        lock(&self.shared.replaced).extract_if(.., |serving| Arc::strong_count(serving) == 1).collect()
    }

    fn put_in_force(&self, next: Serving, replaced: Arc<Serving>) {
        self.shared.gateway.replace(next);
        lock(&self.shared.replaced).push(replaced);
    }
}

/// Why a configuration is not put in force.
#[derive(Debug, thiserror::Error)]
#[error("{0:#}")]
pub struct ServeError(anyhow::Error);

/// Logs that a stored document is not served as it is stored.
pub fn log_not_served(problem: &DocumentProblem) {
    tracing::error!(
        document = %named(problem),
        field = problem.problem.field,
        "the stored document is not served; what was served of it last, or an answer with 503, is in its place: {}",
        problem.problem.message
    );
}

fn named(problem: &DocumentProblem) -> String {
    format!("{}/{}", problem.kind.list(), problem.name)
}

fn errors(problems: &[DocumentProblem]) -> Vec<DocumentProblem> {
    problems.iter().filter(|problem| problem.is_error()).cloned().collect()
}

/// Does what may take long on a thread where it holds up nobody.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        // Nobody cancels such a task, so that it panicked; whoever asked for it does not go on either.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// An error of no one document, told as a problem of the one that was to be changed.
fn in_one_problem(kind: DocumentKind, name: &str, error: &anyhow::Error) -> Vec<DocumentProblem> {
    vec![DocumentProblem { kind, name: name.to_owned(), problem: records::plain(format!("{error:#}")) }]
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
