//! What is served in place of a stored document that cannot be.
use std::collections::HashMap;
use std::sync::Arc;

use super::Compiler;
use crate::snapshot::{
    Authentication, Domain, DomainKind, DomainTls, Function, FunctionTarget, Origin, Protocol, Route,
    RouteTable, Snapshot, Source,
};

/// Makes stand-ins: what was served last under a name, or else what answers that it is unavailable.
pub(super) struct StandIns<'a> {
    /// What was served last; `None` at the start of the process.
    before: Option<&'a Snapshot>,
    /// Functions that are there no more, and that domains lead to which are kept as they were.
    functions: HashMap<String, Arc<Function>>,
}

impl<'a> StandIns<'a> {
    pub(super) fn new(before: Option<&'a Snapshot>) -> Self {
        Self { before, functions: HashMap::new() }
    }

    /// The stand-in for a function.
    pub(super) fn function(&self, name: &str) -> Arc<Function> {
        match self.before.and_then(|before| before.functions.get(name)) {
            Some(last) if last.source.origin == Origin::Internal => Arc::clone(last),
            Some(last) => Arc::new(Function {
                name: name.to_owned(),
                target: last.target.clone(),
                source: kept(&last.source),
            }),
            None => unavailable(name),
        }
    }

    /// The stand-in for a domain; `tls` is what could be made of its document.
    pub(super) fn domain(
        &mut self,
        name: &str,
        kind: DomainKind,
        number: usize,
        tls: Option<DomainTls>,
        compiler: &mut Compiler<'_>,
    ) -> Arc<Domain> {
        let last = self.before.and_then(|before| Some((before, before.domains.named(name)?)));
        Arc::new(match last {
            Some((before, last)) if last.routes.iter().any(|route| is_available(&route.function)) => {
                let source = last.remote_keys.and_then(|number| before.remote_key_sources.get(number));
                Domain {
                    number,
                    source: kept(&last.source),
                    routes: RouteTable::new(last.routes.iter().map(|route| self.route(route, compiler))),
                    remote_keys: source.map(|source| compiler.remote_keys.of_source(source)),
                    ..Domain::clone(last)
                }
            }
            _ => Domain {
                name: name.to_owned(),
                kind,
                source: Source::internal(),
                number,
                // Without a certificate only HTTP is.
                protocol: Protocol::Both,
                tls,
                routes: RouteTable::new([Route {
                    path: "/*".to_owned(),
                    number: 0,
                    methods: Vec::new(),
                    function: unavailable(name),
                    rewrite: None,
                }]),
                authentication: Authentication::Anonymous,
                remote_keys: None,
                cors: None,
            },
        })
    }

    /// A route to the function as it is now, or as it was if it no longer exists.
    fn route(&mut self, last: &Route, compiler: &Compiler<'_>) -> Route {
        let name = &last.function.name;
        let function = compiler.functions.compiled.get(name).unwrap_or_else(|| {
            self.functions.entry(name.clone()).or_insert_with(|| Arc::clone(&last.function))
        });
        Route { function: Arc::clone(function), ..last.clone() }
    }

    /// Adds the functions that are needed on; not before all domains are compiled, as no other may name them.
    pub(super) fn add_functions(self, functions: &mut HashMap<String, Arc<Function>>) {
        for (name, function) in self.functions {
            functions.entry(name).or_insert(function);
        }
    }
}

/// So that it is not taken for what is stored.
fn kept(source: &Source) -> Source {
    Source { origin: Origin::Internal, ..source.clone() }
}

/// What answers under a name that it is unavailable.
pub(super) fn unavailable(name: &str) -> Arc<Function> {
    let (name, target) = (name.to_owned(), FunctionTarget::Unavailable);
    Arc::new(Function { name, target, source: Source::internal() })
}

fn is_available(function: &Function) -> bool {
    function.target != FunctionTarget::Unavailable
}
