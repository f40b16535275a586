//! The fields that documents may have, as the readers of documents know them.
//!
//! There is no list to keep up to date: a document is read, and each object of it notes the fields that its
//! reader takes. What must know every field, as what decides which of them are secret, is checked with this.
use std::collections::{BTreeMap, BTreeSet};

use crate::document::{CustomDomain, Function};
use crate::place::{FieldPath, Place};
use crate::reader::Field;
use crate::report::Report;
use crate::stored::DocumentKind;
use crate::yaml::{self, Items};

/// The fields of each object of a document, whether the document has them or not. Objects are named by their
/// path, as `routeConfig.routes[]`; the document itself has the empty one.
pub type Fields = BTreeMap<String, BTreeSet<&'static str>>;

/// The fields of the objects that a document in JSON or YAML has. Objects whose members are named by the
/// author, as `process.env`, and key sets are not among them.
pub fn fields_of(kind: DocumentKind, text: &str) -> Fields {
    let mut report = Report::noting_fields();
    if let Some(parsed) = yaml::parse(text, None::<&Items<std::convert::Infallible>>, &mut report) {
        let place = Place { location: parsed.root.location, path: FieldPath::default() };
        let root = Field { node: &parsed.root, place };
        match kind {
            DocumentKind::CustomDomain => drop(CustomDomain::read(&root, &mut report)),
            DocumentKind::Function => drop(Function::read(&root, &mut report)),
        }
    }
    report.into_fields()
}
