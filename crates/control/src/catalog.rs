//! The documents of the gateway: those that the configuration file declares, and those that are stored.
//!
//! A change is judged together with everything else, written, and in force when it is acknowledged. All
//! commits of documents depend on the record `documents/generation`, which each of them raises: two gateways
//! cannot make a set together that neither would have taken.

mod change;
mod commit;
mod document;
mod index;
mod judge;
mod records;
mod watch;

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use claimgate_config::{DocumentKind, DocumentProblem, Snapshot};
use claimgate_gateway::{Gateway, Serving};

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
    status: Mutex<Status>,
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
    revision: Option<u64>,
}

impl Opened {
    /// Reads what is stored; `declared` is the configuration file alone.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or what is stored cannot be served together with the file.
    pub async fn read(declared: Snapshot, store: Option<Store>) -> Result<Self, OpenError> {
        let (contents, revision) = match &store {
            Some(store) => {
                let (contents, revision) = records::read_all(store, &Contents::default()).await?;
                (contents, Some(revision))
            }
            None => (Contents::default(), None),
        };
        let (snapshot, warnings) =
            declared.with_stored(&contents.parsed, None).map_err(OpenError::Refused)?;
        Ok(Self { snapshot, warnings, store, declared, contents, revision })
    }

    /// A catalog of what `gateway` serves already. It follows the store from now on, in a task on the runtime
    /// that this is called on.
    pub fn follow(
        self,
        gateway: Arc<Gateway>,
        prepare: impl Fn(Snapshot, &Serving) -> anyhow::Result<Serving> + Send + Sync + 'static,
    ) -> Catalog {
        let Self { store, declared, contents, revision, .. } = self;
        let index = RwLock::new(Index::of(&declared, &contents));
        let shared = Shared {
            store,
            gateway,
            prepare: Box::new(prepare),
            changing: tokio::sync::Mutex::default(),
            state: Mutex::new(State { declared, contents }),
            index,
            status: Mutex::default(),
            replaced: Mutex::default(),
        };
        let catalog = Catalog { shared: Arc::new(shared) };
        if catalog.shared.store.is_some() {
            tokio::spawn(watch::follow(catalog.clone(), revision));
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
        lock(&self.shared.status).clone()
    }

    /// Makes changes, all or none; they are stored and in force when this returns.
    ///
    /// # Errors
    ///
    /// [`ApplyError`]; nothing was changed then.
    pub async fn apply(&self, changes: Vec<Change>, author: &str) -> Result<Applied, ApplyError> {
        self.commit(changes, author).await
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
        lock(&self.shared.status).refused = None;
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
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
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
