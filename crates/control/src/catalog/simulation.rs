//! Gateways that share a store, with everything that arrives at them delayed, repeated, merged and out of order.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use claimgate_config::snapshot::{Role, StoreBackend, StoreSettings};
use claimgate_config::{DocumentKind, Snapshot, UnknownFields, load_text};
use claimgate_gateway::access_log::AccessLog;
use claimgate_gateway::spans::Spans;
use claimgate_gateway::{Gateway, Metrics, Serving};
use proptest::prelude::*;

use super::commit::{Ready, written};
use super::follow::Next;
use super::records::{self, Contents};
use super::status::Stamp;
use super::{Author, Catalog, Change, Expected, Opened, lock};
use crate::store::{CommitError, Record, Store, Write};

const GATEWAYS: usize = 3;

/// What happens next, to one of the gateways.
#[derive(Debug, Clone, Copy)]
enum Happening {
    /// It judges and commits a change of a document, and has no answer yet.
    Commit { document: u8, deletes: bool },
    /// The answer to its commit arrives.
    Answer,
    /// The store sends it so many commits, in one event.
    Event { commits: usize },
    /// It asks for all that is stored.
    Ask,
    /// What it asked for arrives.
    Read,
    /// It looks which state the store is in.
    Look,
    /// It loads its configuration file again.
    Reload,
    /// It dies, and starts again.
    Restart,
}

fn happenings() -> impl Strategy<Value = Vec<(usize, Happening)>> {
    let happening = prop_oneof![
        4 => (0..3_u8, any::<bool>()).prop_map(|(document, deletes)| Happening::Commit { document, deletes }),
        3 => Just(Happening::Answer),
        4 => (1..3_usize).prop_map(|commits| Happening::Event { commits }),
        2 => Just(Happening::Ask),
        2 => Just(Happening::Read),
        1 => Just(Happening::Look),
        1 => Just(Happening::Reload),
        1 => Just(Happening::Restart),
    ];
    prop::collection::vec((0..GATEWAYS, happening), 1..60)
}

/// Which version of each document is there, by its name.
type Versions = BTreeMap<String, u64>;

/// A commit, as the store sends it.
struct Committed {
    revision: u64,
    records: Vec<(String, Option<Record>)>,
}

/// The store, and all that was ever committed.
struct World {
    store: Store,
    commits: Vec<Committed>,
    /// What was stored after so many commits.
    after: Vec<Versions>,
    next_version: u64,
}

struct Simulated {
    catalog: Catalog,
    /// A commit whose answer has not arrived.
    committed: Option<(Ready, u64)>,
    /// What was read and has not arrived, and what was served when it was asked for.
    read: Option<(Contents, Stamp)>,
    /// How many commits were sent to it.
    sent: usize,
    /// The newest generation that it has served.
    served: u64,
}

const FILE: &str = "functions: [{functionName: hello, builtin: echo}]";

fn declared() -> Snapshot {
    load_text(FILE, Path::new("claimgate.yaml")).unwrap().snapshot
}

fn serving(snapshot: Snapshot) -> Serving {
    let (keys, certificates) = (Default::default(), Default::default());
    Serving::new(snapshot, keys, certificates, Default::default(), &Metrics::default())
}

fn document(name: &str, version: u64) -> String {
    format!(
        r#"{{"domainName": "{name}", "authConfig": {{"authType": "anonymous"}},
            "routeConfig": {{"routes": [{{"path": "/{version}", "functionName": "hello"}}]}}}}"#
    )
}

/// What a gateway serves, as its domains' routes show it.
fn versions(catalog: &Catalog) -> Versions {
    let serving = catalog.gateway().serving();
    let version = |domain: &claimgate_config::snapshot::Domain| {
        let path = domain.routes.iter().next().unwrap().path.clone();
        path.trim_start_matches('/').parse().unwrap()
    };
    serving.snapshot.domains.iter().map(|domain| (domain.name.clone(), version(domain))).collect()
}

async fn start(store: &Store) -> Catalog {
    let opened = Opened::read(declared(), Some(store.clone()), None, |_| Ok(())).await.unwrap();
    let first = serving(opened.snapshot.clone());
    let gateway = Gateway::new(first, Metrics::default(), AccessLog::off(), Spans::off());
    opened.serve(Arc::new(gateway), |snapshot, _| Ok(serving(snapshot)))
}

impl World {
    async fn commit(&mut self, catalog: &Catalog, name: &str, deletes: bool) -> Option<(Ready, u64)> {
        self.next_version += 1;
        let change = Change {
            kind: DocumentKind::CustomDomain,
            name: name.to_owned(),
            expected: Expected::Any,
            document: (!deletes).then(|| document(name, self.next_version)),
            unknown_fields: UnknownFields::Refused,
        };
        // One that is not there cannot be deleted.
        let ready = catalog
            .make_ready(Arc::from([change]), Author { name: "ann".to_owned(), role: Role::Admin })
            .await
            .ok()?;
        let (conditions, writes) = written(&ready.judged, &self.store).await.unwrap();
        let revision = match self.store.commit(&conditions, &writes).await {
            Ok(revision) => revision,
            Err(CommitError::Conflict { .. }) => return None,
            Err(error) => panic!("{error}"),
        };
        let records = writes.into_iter().map(|write| match write {
            Write::Put { key, value, .. } => (key.clone(), Some(Record { key, value, version: revision })),
            Write::Delete { key } => (key, None),
        });
        let records = records.filter(|(key, _)| key.starts_with(records::DOCUMENTS)).collect();
        self.commits.push(Committed { revision, records });
        let mut stored = self.after.last().unwrap().clone();
        if deletes {
            stored.remove(name);
        } else {
            stored.insert(name.to_owned(), self.next_version);
        }
        self.after.push(stored);
        Some((ready, revision))
    }

    /// So many commits from one on, of each record the last.
    fn event(&self, from: usize, commits: usize) -> (u64, Vec<(String, Option<Record>)>) {
        let mut records = BTreeMap::new();
        let sent = &self.commits[from..(from + commits).min(self.commits.len())];
        for committed in sent {
            records.extend(committed.records.iter().cloned());
        }
        (sent.last().unwrap().revision, records.into_iter().collect())
    }
}

impl Simulated {
    fn new(catalog: Catalog, sent: usize) -> Self {
        Self { catalog, committed: None, read: None, sent, served: 0 }
    }

    async fn happens(&mut self, happening: Happening, world: &mut World) {
        match happening {
            Happening::Commit { document, deletes } if self.committed.is_none() => {
                let name = format!("d{document}.example.com");
                self.committed = world.commit(&self.catalog, &name, deletes).await;
            }
            Happening::Answer => {
                if let Some((ready, revision)) = self.committed.take() {
                    self.catalog.put_ready_in_force(ready, revision).await.unwrap();
                    // What is acknowledged is served.
                    let revision_served = lock(&self.catalog.shared.state).contents.revision;
                    assert!(revision_served >= revision, "an acknowledged change is not served");
                }
            }
            Happening::Event { commits } if self.sent < world.commits.len() => {
                let (revision, records) = world.event(self.sent, commits);
                self.sent = (self.sent + commits).min(world.commits.len());
                if self.catalog.take(revision, records).await == Next::Read {
                    self.read_anew(world).await;
                }
            }
            Happening::Ask => {
                let known = lock(&self.catalog.shared.state).contents.clone();
                let read = records::read_all(&world.store, &known).await.unwrap();
                self.read = Some((read, known.stamp()));
            }
            Happening::Read => {
                if let Some((read, served)) = self.read.take() {
                    self.catalog.take_read(read, served).await;
                }
            }
            Happening::Look => {
                let next = self.catalog.look(&world.store).await;
                if next == Next::Watch && self.catalog.status().is_current() {
                    let stored = records::read_stamp(&world.store).await.unwrap();
                    assert_eq!(self.catalog.stamp(), stored, "it says that it is current");
                }
                if next == Next::Read {
                    self.read_anew(world).await;
                }
            }
            Happening::Reload => self.catalog.declare(declared()).unwrap(),
            Happening::Restart => {
                let served = self.served;
                *self = Self::new(start(&world.store).await, world.commits.len());
                self.served = served;
            }
            Happening::Commit { .. } | Happening::Event { .. } => {}
        }
        self.check(world);
    }

    async fn read_anew(&mut self, world: &World) {
        self.catalog.read_anew(&world.store).await.unwrap();
        self.sent = world.commits.len();
    }

    /// What is served is what was stored at some time, and no earlier one than before.
    fn check(&mut self, world: &World) {
        let generation = self.catalog.stamp().generation;
        assert!(generation >= self.served, "{generation} is served after {}", self.served);
        self.served = generation;
        let stored = &world.after[usize::try_from(generation).unwrap()];
        assert_eq!(&versions(&self.catalog), stored, "generation {generation}");
        assert!(self.catalog.status().refused.is_none(), "{:?}", self.catalog.status());
    }
}

async fn simulate(happenings: Vec<(usize, Happening)>) {
    let folder = tempfile::tempdir().unwrap();
    let backend = StoreBackend::Sqlite(folder.path().join("claimgate.db"));
    let settings = StoreSettings { backend, key_file: None, allow_files: Vec::new() };
    let store = Store::open(&settings).await.unwrap();
    let mut world = World { store, commits: Vec::new(), after: vec![Versions::new()], next_version: 0 };
    let mut gateways = Vec::new();
    for _ in 0..GATEWAYS {
        gateways.push(Simulated::new(start(&world.store).await, 0));
    }
    for (gateway, happening) in happenings {
        gateways[gateway].happens(happening, &mut world).await;
    }
    for gateway in &mut gateways {
        gateway.happens(Happening::Answer, &mut world).await;
        gateway.happens(Happening::Read, &mut world).await;
        gateway.happens(Happening::Event { commits: usize::MAX / 2 }, &mut world).await;
        let commits = u64::try_from(world.commits.len()).unwrap();
        assert_eq!(gateway.served, commits, "not every commit is served in the end");
        assert!(gateway.catalog.status().is_current());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(proptest::test_runner::Config::default().cases.min(2_000)))]

    #[test]
    fn generations_only_go_forward(happenings in happenings()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(simulate(happenings));
    }
}
