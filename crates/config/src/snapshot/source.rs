//! Where domains and functions were written, and what tells one version of them from the next.
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::place::Location;
use crate::reach::Reach;

/// Where a domain or a function was written.
#[derive(Debug, Clone)]
pub struct Source {
    /// The document as JSON.
    pub json: Arc<str>,
    /// Where it is.
    pub origin: Origin,
    /// Of a function: where its requests may be sent.
    pub reach: Reach,
}

/// Where a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// In the configuration file.
    Declared(Location),
    /// In the store.
    Stored(DocumentId),
    /// Nowhere: the gateway made it for itself, or keeps it in place of a stored document that cannot be served.
    Internal,
}

/// Tells what was read once from all else that is read while the process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentId(u64);

/// Tells the rules of one reading from those of every other, so that what was found by them can be remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RulesId(u64);

impl Source {
    /// Of a function that nobody wrote: the gateway calls it for itself.
    pub fn internal() -> Self {
        Self { json: Arc::from("{}"), origin: Origin::Internal, reach: Reach::Everywhere }
    }
}

impl DocumentId {
    pub(crate) fn new() -> Self {
        Self(next())
    }
}

impl RulesId {
    pub(crate) fn new() -> Self {
        Self(next())
    }
}

fn next() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
