//! Where a value stands in the file and in the document.
use std::fmt::{Display, Formatter, Result};
use std::sync::Arc;

/// A position in the text, both from 1; columns are counted in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Location {
    /// Not in a file, but in the store.
    pub const STORED: Location = Location { line: 0, column: 0 };
    pub(crate) const START: Location = Location { line: 1, column: 1 };
}

/// With its preposition, as `on line 3, column 7` or `in the store`.
impl Display for Location {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if *self == Self::STORED {
            return f.write_str("in the store");
        }
        write!(f, "on line {}, column {}", self.line, self.column)
    }
}

/// The position of a value in the text and its path in the document.
#[derive(Debug, Clone)]
pub struct Place {
    /// The position in the text.
    pub location: Location,
    /// The path in the document.
    pub path: FieldPath,
}

impl Place {
    /// The place of a member of this object.
    pub fn member(&self, name: &str, location: Location) -> Place {
        Place { location, path: self.path.member(name) }
    }

    /// The place of an item of this list.
    pub fn item(&self, index: usize, location: Location) -> Place {
        Place { location, path: self.path.item(index) }
    }
}

/// A value as it was written, and where.
#[derive(Debug, Clone)]
pub struct Written<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub place: Place,
}

/// The path of a field, as `customDomains[0].domainName`. Cheap to clone: every value of a document
/// keeps its own, and few are ever printed.
#[derive(Debug, Clone, Default)]
pub struct FieldPath(Option<Arc<Last>>);

#[derive(Debug)]
struct Last {
    parent: FieldPath,
    kind: StepKind,
}

/// A step of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    Member(&'a str),
    Item(usize),
}

#[derive(Debug)]
enum StepKind {
    Member(Box<str>),
    Item(usize),
}

impl FieldPath {
    pub(crate) fn member(&self, name: &str) -> FieldPath {
        self.step(StepKind::Member(name.into()))
    }

    pub(crate) fn item(&self, index: usize) -> FieldPath {
        self.step(StepKind::Item(index))
    }

    fn step(&self, kind: StepKind) -> FieldPath {
        FieldPath(Some(Arc::new(Last { parent: self.clone(), kind })))
    }

    /// The steps from the root.
    pub(crate) fn steps(&self) -> Vec<Step<'_>> {
        let mut steps = Vec::new();
        let mut path = self;
        while let FieldPath(Some(last)) = path {
            steps.push(match &last.kind {
                StepKind::Item(index) => Step::Item(*index),
                StepKind::Member(name) => Step::Member(name),
            });
            path = &last.parent;
        }
        steps.reverse();
        steps
    }
}

impl Display for FieldPath {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for (position, step) in self.steps().iter().enumerate() {
            match step {
                Step::Item(index) => write!(f, "[{index}]")?,
                Step::Member(name) if !is_plain(name) => write!(f, "[{}]", quoted(name))?,
                Step::Member(name) if position == 0 => f.write_str(name)?,
                Step::Member(name) => write!(f, ".{name}")?,
            }
        }
        Ok(())
    }
}

/// A value for use in a message: in double quotes, escaped, and cut when it is long. Of an object that is where
/// a word was meant only the brace is shown, as it could be a key.
pub fn quoted(value: &str) -> String {
    if value.trim_start().starts_with('{') {
        return "\"{…\"".to_owned();
    }
    let short: String = value.chars().take(LONGEST_QUOTE).collect();
    let ellipsis = if short.len() < value.len() { "…" } else { "" };
    format!("\"{}{ellipsis}\"", short.escape_debug())
}

const LONGEST_QUOTE: usize = 60;

fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= LONGEST_QUOTE
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}
