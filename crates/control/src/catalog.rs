//! The documents of the gateway: those that the configuration file declares, and those that are stored.
//!
//! A change is judged together with everything else, written, and in force when it is acknowledged. All
//! commits of documents depend on the record `documents/generation`, which each of them raises: two gateways
//! cannot make a set together that neither would have taken.

mod change;
mod commit;
mod document;
mod follow;
mod index;
mod judge;
mod keep;
mod records;

use std::path::PathBuf;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use claimgate_config::{DocumentKind, DocumentProblem, Snapshot};
use claimgate_gateway::{Gateway, Serving};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::sync::{Notify, watch};

pub use change::{Applied, ApplyError, Change, Expected};
pub use document::{Document, Origin, Stored, Version};

use crate::store::{Store, StoreError};
use index::Index;
use records::Contents;

/// What makes a configuration ready to be served: starts what stands beside it, as certificates and processes.
pub type Prepare = dyn Fn(Snapshot, &Serving) -> anyhow::Result<Serving> + Send + Sync;

/// The documents, and what changes them. Clones are the same catalog.
#[derive(Clone)]
pub struct Catalog {
    shared: Arc<Shared>,
}

struct Shared {
    store: Option<Store>,
    gateway: Arc<Gateway>,
    prepare: Box<Prepare>,
    /// Held while documents are changed by this process, so that its own changes do not compete.
    changing: tokio::sync::Mutex<()>,
    /// Held while something is compiled and put in force; never across a wait.
    state: Mutex<State>,
    index: RwLock<Index>,
    status: watch::Sender<Status>,
    is_current: Gauge<i64, AtomicI64>,
    /// Another configuration file is in force, where what is stored was refused before.
    declared_anew: Notify,
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
    contents: Contents,
}

/// How the catalog gets on with its store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Why the store cannot be reached, while it cannot: what is served may be older than what is stored.
    pub unreachable: Option<String>,
    /// Why what is stored is not what is served.
    pub refused: Option<String>,
}

/// Why a catalog cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is stored and what is declared cannot be served together.
    #[error("what is stored cannot be served with this configuration: {}", Shown(.0))]
    Refused(Vec<DocumentProblem>),
}

/// One line for all problems.
struct Shown<'a>(&'a [DocumentProblem]);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (position, DocumentProblem { kind, name, problem }) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { "; " };
            write!(f, "{separator}{}/{name}: {problem}", kind.list())?;
        }
        Ok(())
    }
}

/// What a catalog begins with.
pub struct Opened {
    /// What is to be served: the configuration file and what is stored.
    pub snapshot: Snapshot,
    /// What whoever wrote the stored documents should look at.
    pub warnings: Vec<DocumentProblem>,
    store: Option<Store>,
    declared: Snapshot,
    contents: Contents,
    /// Where what was read last is kept, for a start while the store is away.
    kept: Option<PathBuf>,
    status: Status,
}

impl Opened {
    /// Reads what is stored; `declared` is the configuration file alone. While the store does not answer, it is
    /// what was `kept` in a file when it was read last.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or what is stored cannot be served together with the file.
    pub async fn read(
        declared: Snapshot,
        store: Option<Store>,
        kept: Option<PathBuf>,
    ) -> Result<Self, OpenError> {
        let mut status = Status::default();
        let contents = match &store {
            Some(store) => match (records::read_all(store, &Contents::default()).await, &kept) {
                (Err(StoreError::Unreachable(why)), Some(kept)) => {
                    let contents = keep::load(store, kept, &why).await?;
                    status.unreachable = Some(why);
                    contents
                }
                (read, _) => read?,
            },
            None => Contents::default(),
        };
        let (snapshot, warnings) =
            declared.with_stored(&contents.parsed, None).map_err(OpenError::Refused)?;
        Ok(Self { snapshot, warnings, store, declared, contents, kept, status })
    }

    /// A catalog of what `gateway` serves already. It follows the store from now on, in a task on the runtime
    /// that this is called on.
    pub fn follow(
        self,
        gateway: Arc<Gateway>,
        prepare: impl Fn(Snapshot, &Serving) -> anyhow::Result<Serving> + Send + Sync + 'static,
    ) -> Catalog {
        let Self { store, declared, contents, kept, status, .. } = self;
        let index = RwLock::new(Index::of(&declared, &contents));
        let shared = Shared {
            store,
            gateway,
            prepare: Box::new(prepare),
            changing: tokio::sync::Mutex::default(),
            state: Mutex::new(State { declared, contents }),
            index,
            status: watch::Sender::new(status),
            declared_anew: Notify::new(),
            taken_over: Notify::new(),
            is_current: Gauge::default(),
            replaced: Mutex::default(),
        };
        let catalog = Catalog { shared: Arc::new(shared) };
        if let Some(store) = &catalog.shared.store {
            catalog.note_status(|status| status);
            tokio::spawn(follow::follow(catalog.clone()));
            if let Some(file) = kept {
                tokio::spawn(keep::keep(catalog.clone(), store.clone(), file));
            }
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
        }
    }

    fn note_status(&self, change: impl FnOnce(Status) -> Status) {
        self.shared.status.send_modify(|status| *status = change(std::mem::take(status)));
        let status = self.status();
        let is_current = status.unreachable.is_none() && status.refused.is_none();
        self.shared.is_current.set(i64::from(is_current));
    }

    /// Tells what [`apply`](Self::apply) would come to, and changes nothing.
    ///
    /// # Errors
    ///
    /// [`ApplyError`].
    pub async fn check(&self, changes: Vec<Change>, author: &str) -> Result<Applied, ApplyError> {
        if self.shared.store.is_none() {
            return Err(ApplyError::ReadOnly);
        }
        let (catalog, author) = (self.clone(), author.to_owned());
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
        if self.status().refused.is_some() {
            self.shared.declared_anew.notify_one();
        }
        Ok(())
    }

    /// Puts other stored documents in force.
    fn serve(&self, state: &mut State, contents: Contents) -> Result<(), ServeError> {
        self.serve_with(&state.declared, &contents)?;
        self.note(state, contents);
        Ok(())
    }

    fn serve_with(&self, declared: &Snapshot, contents: &Contents) -> Result<(), ServeError> {
        let serving = self.shared.gateway.serving();
        let compiled = declared.with_stored(&contents.parsed, Some(&serving.snapshot));
        let (snapshot, _) = compiled.map_err(ServeError::Refused)?;
        let next = (self.shared.prepare)(snapshot, &serving).map_err(ServeError::Prepare)?;
        self.put_in_force(next, serving);
        Ok(())
    }

    /// Notes what is in force, for who lists and looks up.
    fn note(&self, state: &mut State, contents: Contents) {
        write(&self.shared.index).update(&state.contents, &contents);
        state.contents = contents;
        self.shared.taken_over.notify_one();
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
pub enum ServeError {
    /// What is stored does not go together with the configuration file.
    #[error("what is stored cannot be served: {}", Shown(.0))]
    Refused(Vec<DocumentProblem>),
    /// It cannot be served.
    #[error("{0:#}")]
    Prepare(anyhow::Error),
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
