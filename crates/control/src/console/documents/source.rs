//! Where a document comes from, and who wrote it.

use crate::catalog::{Document, Origin};
use crate::console::when::When;

/// What pages and lists tell of a document's origin.
pub struct Source {
    /// Where in the configuration file it was declared; `None` when it is stored.
    pub declared: Option<String>,
    /// When it was stored as it is.
    pub changed: Option<When>,
    /// Who stored it.
    pub author: String,
}

impl Source {
    pub fn of(document: &Document) -> Self {
        match &document.origin {
            Origin::Declared(location) => {
                Self { declared: Some(location.to_string()), changed: None, author: String::new() }
            }
            Origin::Stored(stored) => Self {
                declared: None,
                changed: Some(When::of(stored.modified)),
                author: stored.author.clone(),
            },
        }
    }
}
