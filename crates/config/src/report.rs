//! Collects the problems of a file while it is read.
use std::path::Path;

use crate::place::{FieldPath, Place, Step};
use crate::problem::{Problem, Problems, Severity};
use crate::schema::Fields;

/// The problems found so far.
#[derive(Debug, Default)]
pub struct Report {
    list: Vec<Problem>,
    /// Where unknown fields are that were passed over; `None` when they are errors.
    passed_over: Option<Vec<FieldPath>>,
    /// Which fields objects may have, where that is asked.
    fields: Option<Fields>,
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

    /// A report for which unknown fields are no errors.
    pub(crate) fn passing_over_unknown_fields() -> Report {
        Report { passed_over: Some(Vec::new()), ..Report::default() }
    }

    /// A report that notes which fields each object may have.
    pub(crate) fn noting_fields() -> Report {
        Report { fields: Some(Fields::new()), ..Report::default() }
    }

    /// Notes the fields that an object may have.
    pub(crate) fn note_fields(&mut self, path: &FieldPath, names: &[&'static str]) {
        let Some(fields) = &mut self.fields else { return };
        let mut pattern = String::new();
        for step in path.steps() {
            match step {
                Step::Item(_) => pattern.push_str("[]"),
                Step::Member(name) if pattern.is_empty() => pattern.push_str(name),
                Step::Member(name) => {
                    pattern.push('.');
                    pattern.push_str(name);
                }
            }
        }
        fields.entry(pattern).or_default().extend(names);
    }

    /// The fields that were noted.
    pub(crate) fn into_fields(self) -> Fields {
        self.fields.unwrap_or_default()
    }

    /// Adds a field that nobody knows; `suggestion` is empty or names one that may be meant.
    pub(crate) fn unknown_field(&mut self, place: &Place, suggestion: &str) {
        match &mut self.passed_over {
            None => self.error(place, format!("unknown field{suggestion}")),
            Some(passed_over) => {
                passed_over.push(place.path.clone());
                self.warning(place, format!("unknown field, which has no effect{suggestion}"));
            }
        }
    }

    /// Where unknown fields are that were passed over.
    pub(crate) fn passed_over(&self) -> &[FieldPath] {
        self.passed_over.as_deref().unwrap_or_default()
    }

    pub(crate) fn append(&mut self, mut other: Report) {
        self.list.append(&mut other.list);
    }

    /// Whether there is an error among the problems.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// All problems in the order in which they were found.
    pub(crate) fn into_list(self) -> Vec<Problem> {
        self.list
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
