//! All documents in the order of their names, for who lists and looks up.

use std::collections::BTreeMap;
use std::ops::Bound;

use claimgate_config::snapshot::{Origin as Source, Snapshot};
use claimgate_config::{DocumentKind, snapshot};

use super::document::{Document, Origin};
use super::records::Contents;

#[derive(Debug, Default)]
pub struct Index {
    documents: BTreeMap<(DocumentKind, String), Document>,
}

impl Index {
    /// An index of what is declared and what is stored.
    pub fn of(declared: &Snapshot, contents: &Contents) -> Self {
        let mut index = Self::default();
        let domains = declared.domains.iter().filter(|domain| !domain.kind.is_trigger());
        for domain in domains {
            index.add_declared(DocumentKind::CustomDomain, &domain.name, &domain.source);
        }
        for function in declared.functions.values() {
            index.add_declared(DocumentKind::Function, &function.name, &function.source);
        }
        for document in contents.documents() {
            index.put(document);
        }
        index
    }

    fn add_declared(&mut self, kind: DocumentKind, name: &str, source: &snapshot::Source) {
        if let Source::Declared(location) = source.origin {
            let (name, json) = (name.to_owned(), source.json.clone());
            self.put(Document { kind, name, json, origin: Origin::Declared(location) });
        }
    }

    /// Takes over what differs between what was stored and what is.
    pub fn update(&mut self, before: &Contents, now: &Contents) {
        for (kind, name) in before.stored.keys() {
            if !now.stored.contains_key(&(*kind, name.clone())) {
                self.remove(*kind, name);
            }
        }
        for (key, stored) in &now.stored {
            if before.stored.get(key) != Some(stored)
                && let Some(document) = now.find(key.0, &key.1)
            {
                self.put(document);
            }
        }
    }

    fn put(&mut self, document: Document) {
        self.documents.insert((document.kind, document.name.clone()), document);
    }

    fn remove(&mut self, kind: DocumentKind, name: &str) {
        self.documents.remove(&(kind, name.to_owned()));
    }

    pub fn find(&self, kind: DocumentKind, name: &str) -> Option<&Document> {
        self.documents.get(&(kind, name.to_owned()))
    }

    /// The documents whose name begins so, after a name.
    pub fn after<'a>(
        &'a self,
        kind: DocumentKind,
        prefix: &'a str,
        after: Option<&str>,
    ) -> impl Iterator<Item = &'a Document> {
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded((kind, after.to_owned())),
            _ => Bound::Included((kind, prefix.to_owned())),
        };
        self.documents
            .range((start, Bound::Unbounded))
            .take_while(move |((of, name), _)| *of == kind && name.starts_with(prefix))
            .map(|(_, document)| document)
    }
}
