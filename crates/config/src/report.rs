//! Collects the problems of a file while it is read.
use std::path::Path;

use crate::place::Place;
use crate::problem::{Problem, Problems, Severity};

/// The problems found so far.
#[derive(Debug, Default)]
pub struct Report {
    list: Vec<Problem>,
}

impl Report {
    /// Adds an error: the file cannot be used.
    pub fn error(&mut self, place: &Place, message: impl Into<String>) {
        self.add(Severity::Error, place, message.into());
    }

    /// Adds a warning: the author of the file should look.
    pub fn warning(&mut self, place: &Place, message: impl Into<String>) {
        self.add(Severity::Warning, place, message.into());
    }

    pub(crate) fn append(&mut self, mut other: Report) {
        self.list.append(&mut other.list);
    }

    /// Whether there is an error among the problems.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// All problems in the order of their place in the file.
    pub(crate) fn into_problems(mut self, file: &Path) -> Problems {
        self.list.sort_by_key(|problem| (problem.line, problem.column));
        Problems { file: file.to_owned(), list: self.list }
    }

    fn add(&mut self, severity: Severity, place: &Place, message: String) {
        self.list.push(Problem {
            severity,
            line: place.location.line,
            column: place.location.column,
            field: place.path.to_string(),
            message,
        });
    }
}
