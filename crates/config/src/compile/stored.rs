//! Stored documents, on top of what the configuration file declares.
use std::collections::HashMap;
use std::sync::Arc;

use super::functions::{Functions, WrittenTrigger};
use super::numbers::{DomainNumbers, RemoteKeyNumbers};
use super::stand_in::{StandIns, unavailable};
use super::{Compiler, allow};
use crate::place::{FieldPath, Location, Place};
use crate::problem::{Problem, Severity};
use crate::report::Report;
use crate::snapshot::{Domain, DomainKind, DomainTable, Function, Origin, Snapshot};
use crate::stored::{DocumentKind, StoredDocuments};

/// A problem of a stored document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentProblem {
    /// What it is.
    pub kind: DocumentKind,
    /// Its name.
    pub name: String,
    /// What is wrong.
    pub problem: Problem,
}

impl DocumentProblem {
    /// Whether it keeps its document from being served.
    pub fn is_error(&self) -> bool {
        self.problem.severity == Severity::Error
    }
}

/// Why a function cannot run on this machine, if it cannot.
pub type CanRun<'a> = dyn Fn(&Function) -> Result<(), String> + 'a;

impl Snapshot {
    /// This snapshot, which is of the configuration file alone, with stored documents, and their problems.
    /// `before` is the last one that was made so: what has not changed since then is taken over from it.
    ///
    /// A document with an error harms itself alone: in its place is what `before` served under its name, or
    /// else an [unavailable](crate::snapshot::FunctionTarget::Unavailable) function.
    pub fn with_stored(
        &self,
        stored: &StoredDocuments,
        before: Option<&Snapshot>,
        can_run: &CanRun<'_>,
    ) -> (Snapshot, Vec<DocumentProblem>) {
        if stored.is_empty() {
            return (self.clone(), Vec::new());
        }
        let mut stand_ins = StandIns::new(before);
        let before = before.filter(|before| before.declared == self.declared);
        let mut problems = Vec::new();
        let mut compiler = Compiler {
            settings: &self.gateway,
            folder: &self.folder,
            functions: Functions::of(&self.functions),
            domains: DomainTable::clone(&self.domains),
            custom_domains: HashMap::new(),
            triggers: HashMap::new(),
            remote_keys: RemoteKeyNumbers::of(&self.remote_key_sources),
            allowed_folders: self.store.as_ref().map_or(&[], |store| &store.allow_files),
        };
        compiler.know_declared(&self.domains);
        for (name, function) in &stored.functions {
            let is_free = compiler.functions.is_free(name);
            let unchanged = before
                .and_then(|before| before.functions.get(name))
                .filter(|earlier| earlier.source.origin == Origin::Stored(function.id) && is_free);
            if let Some(unchanged) = unchanged {
                compiler.functions.take_over(unchanged);
                continue;
            }
            let mut report = Report::default();
            allow::check(&function.document, &self.allow, &mut report);
            let is_forbidden = report.has_errors();
            let reach = allow::reach(&self.allow);
            compiler.functions.add(&function.document, &self.folder, reach, &mut report);
            if let Some(compiled) = compiler.functions.compiled.get(name)
                && is_free
                && let Err(why) = can_run(compiled)
            {
                report.error(&Place { location: Location::STORED, path: FieldPath::default() }, why);
            }
            if is_forbidden && is_free {
                compiler.functions.take_over(&unavailable(name));
            } else if report.has_errors() && is_free {
                compiler.functions.take_over(&stand_ins.function(name));
            }
            note(&mut problems, DocumentKind::Function, name, report);
        }
        for name in stored.unreadable_of(DocumentKind::Function) {
            if compiler.functions.is_free(name) {
                compiler.functions.take_over(&stand_ins.function(name));
            }
        }

        let none = DomainTable::default();
        let earlier = before.map_or(&none, |before| &*before.domains);
        let hosts: Vec<_> = stored
            .functions
            .values()
            .filter(|function| !self.functions.contains_key(function.name()))
            .filter_map(|function| WrittenTrigger::of(&function.document))
            .map(|trigger| (self.gateway.trigger_host(&trigger.function.value), trigger))
            .collect();
        let names = stored.domains.keys().map(String::as_str);
        let names = names.chain(stored.unreadable_of(DocumentKind::CustomDomain));
        let names = names.chain(hosts.iter().map(|(host, _)| host.as_str()));
        let mut numbers = DomainNumbers::new(earlier, self.domains.numbers(), names);
        for (name, domain) in &stored.domains {
            let unchanged = earlier.named(name).filter(|earlier| {
                earlier.source.origin == Origin::Stored(domain.id)
                    && !compiler.custom_domains.contains_key(name)
                    && earlier.routes.iter().all(|route| compiler.functions.are_still(&route.function))
            });
            let number = numbers.of(name);
            let mut report = Report::default();
            let compiled = match (unchanged, &domain.document.authentication) {
                (Some(unchanged), Some(authentication)) => {
                    let settings = &self.gateway.remote_jwks;
                    let remote_keys = compiler.remote_keys.number(authentication, settings, &mut report);
                    compiler.custom_domains.insert(name.clone(), Location::STORED);
                    Some(same_but_for_keys(unchanged, remote_keys))
                }
                _ => compiler.domain(&domain.document, number, &mut report).map(Arc::new),
            };
            let kind = DomainKind::Custom;
            compiler.add_stored((name, kind, number), compiled, &report, &mut stand_ins);
            note(&mut problems, DocumentKind::CustomDomain, name, report);
        }
        for name in stored.unreadable_of(DocumentKind::CustomDomain) {
            if compiler.domains.named(name).is_none() {
                let number = numbers.of(name);
                let domain = stand_ins.domain(name, DomainKind::Custom, number, None, &mut compiler);
                compiler.domains.insert(domain);
            }
        }
        for (host, trigger) in &hosts {
            let mut report = Report::default();
            let number = numbers.of(host);
            let compiled = compiler.trigger(trigger, number, &mut report).map(Arc::new);
            compiler.add_stored((host, DomainKind::Trigger, number), compiled, &report, &mut stand_ins);
            note(&mut problems, DocumentKind::Function, &trigger.function.value, report);
        }
        for ((kind, name), problem) in &stored.unreadable {
            problems.push(DocumentProblem { kind: *kind, name: name.clone(), problem: problem.clone() });
        }
        let Compiler { mut functions, domains, remote_keys, .. } = compiler;
        stand_ins.add_functions(&mut functions.compiled);
        let snapshot = Snapshot {
            functions: Arc::new(functions.compiled),
            domains: Arc::new(domains),
            remote_key_sources: remote_keys.into_sources(),
            ..self.clone()
        };
        (snapshot, problems)
    }
}

impl Compiler<'_> {
    /// Knows the names of declared domains and triggers, so that stored ones do not take them.
    fn know_declared(&mut self, domains: &DomainTable) {
        for domain in domains.iter() {
            let Origin::Declared(location) = domain.source.origin else { continue };
            let names = if domain.kind.is_trigger() { &mut self.triggers } else { &mut self.custom_domains };
            names.insert(domain.name.clone(), location);
        }
    }

    /// Adds what was compiled of a document, or its stand-in if that has errors. A name that is
    /// taken stays with who has it.
    fn add_stored(
        &mut self,
        (name, kind, number): (&str, DomainKind, usize),
        compiled: Option<Arc<Domain>>,
        report: &Report,
        stand_ins: &mut StandIns<'_>,
    ) {
        let domain = match compiled {
            Some(domain) if !report.has_errors() => domain,
            _ if self.domains.named(name).is_some() => return,
            broken => {
                let tls = broken.and_then(|domain| domain.tls.clone());
                stand_ins.domain(name, kind, number, tls, self)
            }
        };
        self.domains.insert(domain);
    }
}

/// Sources of keys are numbered anew when other domains stop using one.
fn same_but_for_keys(domain: &Arc<Domain>, remote_keys: Option<usize>) -> Arc<Domain> {
    if domain.remote_keys == remote_keys {
        return Arc::clone(domain);
    }
    Arc::new(Domain { remote_keys, ..Domain::clone(domain) })
}

impl Functions {
    fn is_free(&self, name: &str) -> bool {
        !self.compiled.contains_key(name)
    }

    fn take_over(&mut self, function: &Arc<Function>) {
        self.compiled.insert(function.name.clone(), Arc::clone(function));
    }

    fn are_still(&self, function: &Arc<Function>) -> bool {
        self.compiled.get(&function.name).is_some_and(|now| Arc::ptr_eq(now, function))
    }
}

fn note(problems: &mut Vec<DocumentProblem>, kind: DocumentKind, name: &str, report: Report) {
    let of_document = |problem| DocumentProblem { kind, name: name.to_owned(), problem };
    problems.extend(report.into_list().into_iter().map(of_document));
}
