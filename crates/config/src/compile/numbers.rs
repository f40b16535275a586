//! Numbers, by which what stands beside a snapshot is found without a name.
use std::collections::{HashMap, HashSet};

use crate::document::{Authentication, check_scheme_of_remote_keys};
use crate::report::Report;
use crate::snapshot::{DomainTable, RemoteJwksSettings, RemoteKeySource};

/// Where keys are fetched from, each once and with a number.
#[derive(Default)]
pub(super) struct RemoteKeyNumbers(HashMap<RemoteKeySource, usize>);

impl RemoteKeyNumbers {
    pub(super) fn of(sources: &[RemoteKeySource]) -> Self {
        Self(sources.iter().cloned().enumerate().map(|(number, source)| (source, number)).collect())
    }

    /// The number of the source of an authentication's remote keys.
    pub(super) fn number(
        &mut self,
        written: &Authentication,
        settings: &RemoteJwksSettings,
        report: &mut Report,
    ) -> Option<usize> {
        let source = written.remote_keys.as_ref()?;
        check_scheme_of_remote_keys(source, settings, report);
        Some(self.of_source(&source.value))
    }

    /// The number of a source.
    pub(super) fn of_source(&mut self, source: &RemoteKeySource) -> usize {
        let next = self.0.len();
        *self.0.entry(source.clone()).or_insert(next)
    }

    pub(super) fn into_sources(self) -> Vec<RemoteKeySource> {
        let mut sources: Vec<_> = self.0.into_iter().collect();
        sources.sort_unstable_by_key(|(_, number)| *number);
        sources.into_iter().map(|(source, _)| source).collect()
    }
}

/// Numbers for the domains of stored documents: whatever stays keeps its own.
pub(super) struct DomainNumbers<'a> {
    before: &'a DomainTable,
    /// Numbers below are those of declared domains.
    first: usize,
    kept: HashSet<usize>,
    next: usize,
}

impl<'a> DomainNumbers<'a> {
    /// Numbers for domains of these names; `before` are those of the last snapshot, of the same declared ones.
    pub(super) fn new<'n>(
        before: &'a DomainTable,
        first: usize,
        names: impl Iterator<Item = &'n str>,
    ) -> Self {
        let kept = names
            .filter_map(|name| before.named(name))
            .map(|domain| domain.number)
            .filter(|number| *number >= first)
            .collect();
        Self { before, first, kept, next: first }
    }

    pub(super) fn of(&mut self, name: &str) -> usize {
        if let Some(domain) = self.before.named(name)
            && domain.number >= self.first
        {
            return domain.number;
        }
        while self.kept.contains(&self.next) {
            self.next += 1;
        }
        self.next += 1;
        self.next - 1
    }
}
