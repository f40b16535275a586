//! A document as it is shown.

use std::sync::Arc;
use std::time::SystemTime;

use claimgate_config::DocumentKind;
use claimgate_config::place::Location;

/// A document.
#[derive(Debug, Clone)]
pub struct Document {
    /// What it is about.
    pub kind: DocumentKind,
    /// `domainName` in lower case, or `functionName`.
    pub name: String,
    /// The document as JSON, secrets included.
    pub json: Arc<str>,
    /// Where it is.
    pub origin: Origin,
}

/// Where a document is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In the configuration file, so that API and console cannot change it.
    Declared(Location),
    /// In the store.
    Stored(Stored),
}

/// What is known of a stored document beside what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Which version it is; no two versions of one document have the same.
    pub version: u64,
    /// When it was created.
    pub created: SystemTime,
    /// When it was changed last.
    pub modified: SystemTime,
    /// Who changed it last.
    pub author: String,
}

/// A version of a stored document.
#[derive(Debug, Clone)]
pub struct Version {
    /// Its number.
    pub version: u64,
    /// When it was made.
    pub at: SystemTime,
    /// By whom.
    pub author: String,
    /// What it says; `None` when the document was deleted.
    pub json: Option<Arc<str>>,
}

impl Document {
    /// What is known of it when it is stored.
    pub fn stored(&self) -> Option<&Stored> {
        match &self.origin {
            Origin::Stored(stored) => Some(stored),
            Origin::Declared(_) => None,
        }
    }
}
