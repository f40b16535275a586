//! What is wrong with a configuration, said so that its author can mend it.
use std::fmt::{Display, Formatter, Result};
use std::path::PathBuf;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// The configuration is used, but its author should look.
    Warning,
}

/// One problem: where, what was found, what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Line, from 1; 0 when the file as a whole is meant, as when it cannot be read.
    pub line: usize,
    /// Column in characters, from 1; 0 when the file as a whole is meant.
    pub column: usize,
    /// Path of the field, as `customDomains[0].routeConfig.routes[1].path`; empty for the whole file.
    pub field: String,
    /// What is wrong, what was found and what would be right.
    pub message: String,
}

/// All problems of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    /// The file.
    pub file: PathBuf,
    /// The problems in the order of their place in the file.
    pub list: Vec<Problem>,
}

/// One line per problem: `file:line:column: severity: field: message`.
impl Display for Problems {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for (position, problem) in self.list.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}:", self.file.display())?;
            if problem.line > 0 {
                write!(f, "{}:{}:", problem.line, problem.column)?;
            }
            write!(f, " {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// `severity: field: message`.
impl Display for Problem {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}: ", self.severity)?;
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}

impl Display for Severity {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })
    }
}
