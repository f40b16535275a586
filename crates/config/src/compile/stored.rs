//! Stored documents, on top of what the configuration file declares.
use std::collections::HashMap;
use std::sync::Arc;

use super::Compiler;
use super::functions::{Functions, WrittenTrigger};
use super::numbers::{DomainNumbers, RemoteKeyNumbers};
use crate::place::Location;
use crate::problem::{Problem, Severity};
use crate::report::Report;
use crate::snapshot::{Domain, DomainTable, Function, Origin, Snapshot};
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

impl Snapshot {
    /// This snapshot, which is of the configuration file alone, with stored documents. `before` is the last
    /// one that was made so: what has not changed since then is taken over from it.
    ///
    /// # Errors
    ///
    /// All that keeps the documents from being served together. The problems beside a snapshot are warnings.
    pub fn with_stored(
        &self,
        stored: &StoredDocuments,
        before: Option<&Snapshot>,
    ) -> Result<(Snapshot, Vec<DocumentProblem>), Vec<DocumentProblem>> {
        if stored.functions.is_empty() && stored.domains.is_empty() {
            return Ok((self.clone(), Vec::new()));
        }
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
        };
        compiler.know_declared(&self.domains);
        for (name, function) in &stored.functions {
            let unchanged = before.and_then(|before| before.functions.get(name)).filter(|earlier| {
                earlier.source.origin == Origin::Stored(function.id) && compiler.functions.is_free(name)
            });
            if let Some(unchanged) = unchanged {
                compiler.functions.take_over(unchanged);
                continue;
            }
            let mut report = Report::default();
            compiler.functions.add(&function.document, &self.folder, &mut report);
            note(&mut problems, DocumentKind::Function, name, report);
        }
        let none = DomainTable::default();
        let earlier = before.map_or(&none, |before| &*before.domains);
        let hosts: Vec<_> = stored
            .functions
            .values()
            .filter_map(|function| WrittenTrigger::of(&function.document))
            .map(|trigger| (self.gateway.trigger_host(&trigger.function.value), trigger))
            .collect();
        let names = stored.domains.keys().chain(hosts.iter().map(|(host, _)| host)).map(String::as_str);
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
            if let Some(domain) = compiled {
                compiler.domains.insert(domain);
            }
            note(&mut problems, DocumentKind::CustomDomain, name, report);
        }
        for (host, trigger) in &hosts {
            let mut report = Report::default();
            if let Some(domain) = compiler.trigger(trigger, numbers.of(host), &mut report) {
                compiler.domains.insert(Arc::new(domain));
            }
            note(&mut problems, DocumentKind::Function, &trigger.function.value, report);
        }
        if problems.iter().any(|problem| problem.problem.severity == Severity::Error) {
            return Err(problems);
        }
        let Compiler { functions, domains, remote_keys, .. } = compiler;
        let snapshot = Snapshot {
            functions: Arc::new(functions.compiled),
            domains: Arc::new(domains),
            remote_key_sources: remote_keys.into_sources(),
            ..self.clone()
        };
        Ok((snapshot, problems))
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
