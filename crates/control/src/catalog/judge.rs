//! Judges changes: what the documents would be, and whether they could be served.

use std::sync::Arc;
use std::time::SystemTime;

use claimgate_config::snapshot::{Role, Snapshot};
use claimgate_config::{CanRun, DocumentKind, DocumentProblem, Severity};

use super::State;
use super::change::{Applied, ApplyError, Author, Change, Expected};
use super::document::{Document, Origin, Stored};
use super::index::Index;
use super::records::{Contents, Read, plain};
use crate::rights::needs_admin;
use crate::secrets;

/// What changes would lead to, beside the snapshot.
pub struct Judged {
    pub contents: Contents,
    /// What was wrong before with documents that are not changed, and still is.
    pub not_served: Vec<DocumentProblem>,
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

/// What changes are judged with.
pub struct Before<'a> {
    pub state: &'a State,
    pub index: &'a Index,
    pub snapshot: &'a Snapshot,
    /// What is wrong with stored documents already.
    pub not_served: &'a [DocumentProblem],
    pub can_run: &'a CanRun<'a>,
}

/// Judges changes, of which all are made or none. A document that could not be served before holds up no change
/// of others.
pub fn judge(
    before: &Before<'_>,
    changes: &[Change],
    author: &Author,
    now: SystemTime,
) -> Result<(Snapshot, Judged), ApplyError> {
    let Before { state, index, .. } = before;
    let mut contents = state.contents.clone();
    let version = contents.generation + 1;
    let mut warnings = Vec::new();
    let mut errors = Vec::new();
    let mut made = Vec::new();
    let mut before_them = Vec::new();
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
        before_them.push(earlier.clone());
        // What cannot be read can be replaced or deleted all the same.
        if !contents.is_unreadable(kind, &name) {
            check_expected(change, kind, &name, earlier.as_ref())?;
        }
        let created =
            earlier.as_ref().and_then(|earlier| earlier.stored()).map_or(now, |stored| stored.created);
        let stored = Stored { version, created, modified: now, author: author.name.clone() };
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
                if let Read::Function(function) = &read
                    && author.role < Role::Admin
                    && let Some(what) =
                        needs_admin(function, contents.parsed.functions.get(&name).map(|f| &**f))
                {
                    return Err(ApplyError::NotPermitted { kind, name, what, role: author.role });
                }
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
        state.declared.with_stored(&contents.parsed, Some(before.snapshot), before.can_run);
    let (found, warned): (Vec<_>, Vec<_>) = found.into_iter().partition(DocumentProblem::is_error);
    warnings.extend(warned);
    let is_of = |problem: &DocumentProblem, kind, name: &str| problem.kind == kind && problem.name == name;
    let (not_served, errors): (Vec<_>, Vec<_>) = found.into_iter().partition(|problem| {
        !made.iter().any(|made| is_of(problem, made.kind, &made.name))
            && before.not_served.iter().any(|known| is_of(problem, known.kind, &known.name))
    });
    if !errors.is_empty() {
        return Err(ApplyError::Invalid(errors));
    }
    let documents = made.iter().filter_map(|made| contents.find(made.kind, &made.name)).collect();
    Ok((
        snapshot,
        Judged { contents, not_served, applied: Applied { documents, earlier: before_them, warnings }, made },
    ))
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
