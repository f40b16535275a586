//! The functions that routes may name.
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::source_of;
use crate::document::{self, HttpTrigger, function_already_named, port_taken};
use crate::place::{Location, Written, quoted};
use crate::reach::Reach;
use crate::report::Report;
use crate::snapshot::{Function, FunctionTarget, Origin, Source};
use crate::suggest::did_you_mean;

/// Functions by name. Those whose target is wrong are known by name, so that their routes are not reported
/// too.
#[derive(Default)]
pub(super) struct Functions {
    pub(super) compiled: HashMap<String, Arc<Function>>,
    /// Where the functions are that could not be compiled.
    broken: HashMap<String, Location>,
    ports: HashMap<u16, Location>,
}

/// A trigger, and the name of its function.
pub(super) struct WrittenTrigger<'a> {
    pub(super) function: &'a Written<String>,
    pub(super) trigger: &'a HttpTrigger,
}

impl<'a> WrittenTrigger<'a> {
    pub(super) fn of(function: &'a document::Function) -> Option<Self> {
        Some(Self { function: function.name.as_ref()?, trigger: function.http_trigger.as_ref()? })
    }
}

impl Functions {
    pub(super) fn of(compiled: &HashMap<String, Arc<Function>>) -> Self {
        let port = |function: &Arc<Function>| match &function.target {
            FunctionTarget::Process(settings) => Some((settings.port?, location(function))),
            _ => None,
        };
        let ports = compiled.values().filter_map(port).collect();
        Self { compiled: compiled.clone(), broken: HashMap::new(), ports }
    }

    /// Adds the functions of the configuration file; gives the triggers of those whose name is theirs.
    pub(super) fn add_declared<'a>(
        &mut self,
        written: &'a [document::Function],
        folder: &Path,
        report: &mut Report,
    ) -> Vec<WrittenTrigger<'a>> {
        let mut triggers = Vec::new();
        for function in written {
            if self.add(function, folder, Reach::Everywhere, report) {
                triggers.extend(WrittenTrigger::of(function));
            }
        }
        triggers
    }

    /// Adds a function; `false` when its name is taken, or it has none.
    pub(super) fn add(
        &mut self,
        written: &document::Function,
        folder: &Path,
        reach: Reach,
        report: &mut Report,
    ) -> bool {
        let Some(Written { value: name, place }) = &written.name else {
            return false;
        };
        if let Some(first) = self.location(name) {
            report.error(place, function_already_named(name, first));
            return false;
        }
        if let Some(Written { value: port, place }) = &written.port {
            match self.ports.get(port) {
                Some(first) => report.error(place, port_taken(*port, *first)),
                None => drop(self.ports.insert(*port, place.location)),
            }
        }
        let Some(mut target) = written.target.clone() else {
            self.broken.insert(name.clone(), place.location);
            return true;
        };
        if let FunctionTarget::Process(settings) = &mut target {
            Arc::make_mut(settings).resolve_paths(folder);
        }
        let source = Source { reach, ..source_of(&written.json, written.id, place.location) };
        let function = Arc::new(Function { name: name.clone(), target, source });
        self.compiled.insert(name.clone(), function);
        true
    }

    /// The function of a route; `None` when there is none, or it was wrong itself.
    pub(super) fn find(&self, name: &Written<String>, report: &mut Report) -> Option<&Arc<Function>> {
        let function = self.compiled.get(&name.value);
        if function.is_none() && !self.broken.contains_key(&name.value) {
            report.error(&name.place, self.unknown(&name.value));
        }
        function
    }

    fn location(&self, name: &str) -> Option<Location> {
        self.compiled.get(name).map(location).or_else(|| self.broken.get(name).copied())
    }

    fn unknown(&self, name: &str) -> String {
        /// More names help nobody, and looking through very many takes time for each route.
        const MOST_NAMES: usize = 10;
        let mut names: Vec<&str> =
            self.compiled.keys().chain(self.broken.keys()).map(String::as_str).take(1000).collect();
        names.sort_unstable();
        let suggestion = did_you_mean(name, names.iter().copied());
        let declared = match names.len() {
            0 => "no function is declared".to_owned(),
            1..=MOST_NAMES => format!("declared are {}", names.join(", ")),
            _ => format!("{} functions are declared", self.compiled.len() + self.broken.len()),
        };
        format!("there is no function {}{suggestion} ({declared})", quoted(name))
    }
}

fn location(function: &Arc<Function>) -> Location {
    match function.source.origin {
        Origin::Declared(location) => location,
        Origin::Stored(_) | Origin::Internal => Location::STORED,
    }
}
