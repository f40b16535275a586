//! What goes to the log more than once.

use std::error::Error;
use std::fmt::Write;

use claimgate_config::{Problem, Problems, Severity};

/// Logs what is wrong with a file.
pub(crate) fn problems(problems: &Problems) {
    for Problem { severity, line, column, field, message } in &problems.list {
        let file = problems.file.display();
        match severity {
            Severity::Warning => tracing::warn!(%file, line, column, field, "{message}"),
            Severity::Error => tracing::error!(%file, line, column, field, "{message}"),
        }
    }
}

/// An error with all that led to it.
pub(crate) fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
