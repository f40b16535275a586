//! What is asked of the catalog, and what comes of it.

use claimgate_config::place::Location;
use claimgate_config::snapshot::Role;
use claimgate_config::{DocumentKind, DocumentProblem, UnknownFields};

use super::document::Document;
use super::status::Refusal;
use crate::store::StoreError;

/// Who asks for changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// As the history lists it.
    pub name: String,
    /// Decides what may be changed. Every caller who may write has at least [`Role::Editor`].
    pub role: Role,
}

/// A change of one document.
#[derive(Debug, Clone)]
pub struct Change {
    /// What it is about.
    pub kind: DocumentKind,
    /// Its name; that of a domain in any case.
    pub name: String,
    /// What has to be there before.
    pub expected: Expected,
    /// What it says from now on, as JSON or YAML; `None` deletes it.
    pub document: Option<String>,
    /// What becomes of fields that nobody knows.
    pub unknown_fields: UnknownFields,
}

/// What has to be there before a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Whatever is there.
    Any,
    /// Nothing.
    Absent,
    /// The document, in any version.
    Present,
    /// The document in this version.
    Version(u64),
}

/// What changes came to, or would.
#[derive(Debug, Clone, Default)]
pub struct Applied {
    /// The documents as they are now, in the order of the changes; deleted ones are left out.
    pub documents: Vec<Document>,
    /// What was there in the place of each change before.
    pub earlier: Vec<Option<Document>>,
    /// What whoever made the changes should look at.
    pub warnings: Vec<DocumentProblem>,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// There is no store.
    #[error("the configuration has no store, so nothing can be changed here; set store.sqlite or store.etcd")]
    ReadOnly,
    /// The document is in the configuration file.
    #[error(
        "{} {name} is declared in the configuration file, {location}, and can be changed there alone",
        noun(*.kind)
    )]
    Declared {
        /// What it is about.
        kind: DocumentKind,
        /// Its name.
        name: String,
        /// Where it is.
        location: Location,
    },
    /// The document is there already.
    #[error("{} {name} exists already", noun(*.kind))]
    Exists {
        /// What it is about.
        kind: DocumentKind,
        /// Its name.
        name: String,
    },
    /// The document is not there.
    #[error("{} {name} does not exist", noun(*.kind))]
    NotFound {
        /// What it is about.
        kind: DocumentKind,
        /// Its name.
        name: String,
    },
    /// The document is not in the version that was expected.
    #[error("{} {name} was changed meanwhile", noun(*.kind))]
    Changed {
        /// What it is about.
        kind: DocumentKind,
        /// Its name.
        name: String,
        /// As it is now; `None` when it is gone.
        current: Option<Box<Document>>,
    },
    /// The documents could not be served.
    #[error("{}", first(.0))]
    Invalid(Vec<DocumentProblem>),
    /// What is stored is not what is served, so that nothing can be judged.
    #[error("nothing can be changed now: {0}")]
    Refused(Refusal),
    /// The role of who asks for it does not allow it.
    #[error(
        "{} {name} would be {what}, which needs the role admin; the role here is {}",
        noun(*.kind), .role.name()
    )]
    NotPermitted {
        /// What it is about.
        kind: DocumentKind,
        /// Its name.
        name: String,
        /// What it would be.
        what: &'static str,
        /// Who asks has this role.
        role: Role,
    },
    /// Others change documents all the time.
    #[error("other changes came first, again and again; try again")]
    Busy,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a document is called in a sentence.
pub fn noun(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::CustomDomain => "the custom domain",
        DocumentKind::Function => "the function",
    }
}

fn first(problems: &[DocumentProblem]) -> String {
    match problems {
        [] => "the documents cannot be served".to_owned(),
        [only] => only.problem.to_string(),
        [first, more @ ..] => format!("{} (and {} more)", first.problem, more.len()),
    }
}
