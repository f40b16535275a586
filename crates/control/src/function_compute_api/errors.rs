//! Codes and statuses of what goes wrong with documents.

use axum::http::StatusCode;
use claimgate_config::{DocumentKind, DocumentProblem, Severity};

use crate::answer::ErrorAnswer;
use crate::catalog::ApplyError;

/// What a request is about, which decides the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Domain,
    Function,
}

impl Shape {
    pub fn kind(self) -> DocumentKind {
        match self {
            Self::Domain => DocumentKind::CustomDomain,
            Self::Function => DocumentKind::Function,
        }
    }

    pub fn not_found(self, name: &str) -> ErrorAnswer {
        let (code, message) = match self {
            Self::Domain => ("DomainNameNotFound", format!("domain name '{name}' does not exist")),
            Self::Function => ("FunctionNotFound", format!("function '{name}' does not exist")),
        };
        ErrorAnswer::new(StatusCode::NOT_FOUND, code, message)
    }

    pub fn exists(self, message: impl Into<String>) -> ErrorAnswer {
        let code = match self {
            Self::Domain => "DomainNameAlreadyExists",
            Self::Function => "FunctionAlreadyExists",
        };
        ErrorAnswer::new(StatusCode::CONFLICT, code, message)
    }

    /// Why a change was not made.
    pub fn answer(self, name: &str, error: ApplyError) -> ErrorAnswer {
        match error {
            ApplyError::ReadOnly | ApplyError::Declared { .. } | ApplyError::NotPermitted { .. } => {
                ErrorAnswer::denied(error.to_string())
            }
            ApplyError::Exists { .. } => self.exists(error.to_string()),
            ApplyError::NotFound { .. } => self.not_found(name),
            ApplyError::Changed { .. } | ApplyError::Busy => concurrent_update(),
            ApplyError::Refused(_) => ErrorAnswer::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "ConfigurationUnavailable",
                error.to_string(),
            ),
            ApplyError::Invalid(problems) => ErrorAnswer::invalid(in_words(self.kind(), name, &problems)),
            ApplyError::Store(error) => error.into(),
        }
    }
}

pub(super) fn concurrent_update() -> ErrorAnswer {
    let message = "it was changed by others meanwhile, again and again; try again";
    ErrorAnswer::new(StatusCode::CONFLICT, "ConcurrentUpdateError", message)
}

/// The first error, and how many more there are. Of other documents, which do not go together with this one
/// any more, the name is told.
fn in_words(kind: DocumentKind, name: &str, problems: &[DocumentProblem]) -> String {
    let mut errors = problems.iter().filter(|problem| problem.problem.severity == Severity::Error);
    let Some(DocumentProblem { kind: its_kind, name: its_name, problem }) = errors.next() else {
        return "the document cannot be served".to_owned();
    };
    let mut words = String::new();
    if *its_kind != kind || !its_name.eq_ignore_ascii_case(name) {
        words = format!("{}/{its_name}: ", its_kind.list());
    }
    if !problem.field.is_empty() {
        words.push_str(&format!("{}: ", problem.field));
    }
    words.push_str(&problem.message);
    match errors.count() {
        0 => words,
        more => format!("{words} (and {more} more)"),
    }
}
