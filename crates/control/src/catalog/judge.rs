//! Judges changes: what the documents would be, and whether they could be served.

use std::sync::Arc;
use std::time::SystemTime;

use claimgate_config::snapshot::Snapshot;
use claimgate_config::{DocumentKind, DocumentProblem, Severity};

use super::State;
use super::change::{Applied, ApplyError, Change, Expected};
use super::document::{Document, Origin, Stored};
use super::index::Index;
use super::records::{Contents, Read, plain};
use crate::secrets;

/// What changes would lead to, beside the snapshot.
pub struct Judged {
    pub contents: Contents,
    pub applied: Applied,
    pub made: Vec<Made>,
}

/// What is written of a document.
pub struct Made {
    pub kind: DocumentKind,
    pub name: String,
    pub stored: Stored,
    /// The document as JSON; `None` when it is deleted.
    pub json: Option<Arc<str>>,
}

/// Judges changes, of which all are made or none.
pub fn judge(
    state: &State,
    index: &Index,
    before: &Snapshot,
    changes: &[Change],
    author: &str,
    now: SystemTime,
) -> Result<(Snapshot, Judged), ApplyError> {
    let mut contents = state.contents.clone();
    let version = contents.generation + 1;
    let mut warnings = Vec::new();
    let mut errors = Vec::new();
    let mut made = Vec::new();
    for change in changes {
        let kind = change.kind;
        let name = match kind {
            DocumentKind::CustomDomain => change.name.to_ascii_lowercase(),
            DocumentKind::Function => change.name.clone(),
        };
        if let Some(Document { origin: Origin::Declared(location), .. }) = index.find(kind, &name) {
            return Err(ApplyError::Declared { kind, name, location: *location });
        }
        let earlier = contents.find(kind, &name);
        check_expected(change, kind, &name, earlier.as_ref())?;
        let created =
            earlier.as_ref().and_then(|earlier| earlier.stored()).map_or(now, |stored| stored.created);
        let stored = Stored { version, created, modified: now, author: author.to_owned() };
        let Some(document) = &change.document else {
            contents.remove(kind, &name);
            made.push(Made { kind, name, stored, json: None });
            continue;
        };
        let of_document = |problem| DocumentProblem { kind, name: name.clone(), problem };
        let (document, dropped) =
            secrets::entered(kind, document, earlier.as_ref().map(|earlier| &*earlier.json));
        warnings.extend(dropped.into_iter().map(of_document));
        match Read::document(kind, &document, change.unknown_fields) {
            Ok((read, found)) if read.name() == name => {
                warnings.extend(found.into_iter().map(of_document));
                let json = Arc::clone(read.json());
                contents.put(kind, &name, read, stored.clone());
                made.push(Made { kind, name, stored, json: Some(json) });
            }
            Ok((read, _)) => {
                let message = format!("the document names {:?}, where {name:?} was meant", read.name());
                errors.push(of_document(plain(message)));
            }
            Err(problems) => {
                let problems = problems.into_iter().filter(|problem| problem.severity == Severity::Error);
                errors.extend(problems.map(of_document));
            }
        }
    }
    if !errors.is_empty() {
        return Err(ApplyError::Invalid(errors));
    }
    contents.generation = version;
    let (snapshot, found) =
        state.declared.with_stored(&contents.parsed, Some(before)).map_err(|mut problems| {
            problems.retain(|problem| problem.problem.severity == Severity::Error);
            ApplyError::Invalid(problems)
        })?;
    warnings.extend(found);
    let documents = made.iter().filter_map(|made| contents.find(made.kind, &made.name)).collect();
    Ok((snapshot, Judged { contents, applied: Applied { documents, warnings }, made }))
}

fn check_expected(
    change: &Change,
    kind: DocumentKind,
    name: &str,
    earlier: Option<&Document>,
) -> Result<(), ApplyError> {
    let name = name.to_owned();
    match (change.expected, earlier) {
        (Expected::Any, None) if change.document.is_none() => Err(ApplyError::NotFound { kind, name }),
        (Expected::Any, _) | (Expected::Absent, None) | (Expected::Present, Some(_)) => Ok(()),
        (Expected::Absent, Some(_)) => Err(ApplyError::Exists { kind, name }),
        (Expected::Present, None) => Err(ApplyError::NotFound { kind, name }),
        (Expected::Version(version), Some(document))
            if document.stored().is_some_and(|stored| stored.version == version) =>
        {
            Ok(())
        }
        (Expected::Version(_), current) => {
            Err(ApplyError::Changed { kind, name, current: current.cloned().map(Box::new) })
        }
    }
}
