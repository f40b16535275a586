//! Documents that are not declared in the configuration file: each is read for itself, from JSON.
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::document::{CustomDomain, Function};
use crate::place::{FieldPath, Place, Step};
use crate::problem::Problem;
use crate::reach::Reach;
use crate::reader::Field;
use crate::report::Report;
use crate::snapshot::{DocumentId, FunctionTarget};
use crate::yaml::{self, Items, Node, Value};

/// What a document is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentKind {
    /// A custom domain.
    CustomDomain,
    /// A function, with its HTTP trigger.
    Function,
}

/// What becomes of fields that nobody knows. Members of `authInfo` and of a trigger's `authConfig` are an
/// exception: unknown ones are always refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownFields {
    /// They are errors.
    Refused,
    /// They are left out, with a warning: newer clients send more.
    LeftOut,
}

/// A custom domain that can be stored.
#[derive(Debug)]
pub struct StoredDomain {
    pub(crate) id: DocumentId,
    pub(crate) document: CustomDomain,
}

/// A function that can be stored.
#[derive(Debug)]
pub struct StoredFunction {
    pub(crate) id: DocumentId,
    pub(crate) document: Function,
}

/// All that is stored, by name.
#[derive(Debug, Clone, Default)]
pub struct StoredDocuments {
    /// Functions.
    pub functions: BTreeMap<String, Arc<StoredFunction>>,
    /// Custom domains.
    pub domains: BTreeMap<String, Arc<StoredDomain>>,
    /// Why those cannot be read that cannot.
    pub unreadable: BTreeMap<(DocumentKind, String), Problem>,
}

impl StoredDocuments {
    /// Whether nothing is stored.
    pub fn is_empty(&self) -> bool {
        self.functions.is_empty() && self.domains.is_empty() && self.unreadable.is_empty()
    }

    /// The names of unreadable documents of a kind.
    pub(crate) fn unreadable_of(&self, kind: DocumentKind) -> impl Iterator<Item = &str> {
        self.unreadable.keys().filter(move |(of, _)| *of == kind).map(|(_, name)| name.as_str())
    }
}

impl StoredDomain {
    /// Reads a custom domain from JSON or YAML.
    ///
    /// # Errors
    ///
    /// All that is wrong with it. The problems beside a document are warnings.
    pub fn read(text: &str, unknown: UnknownFields) -> Result<(Self, Vec<Problem>), Vec<Problem>> {
        let id = DocumentId::new();
        let read = |field: &Field<'_>, report: &mut Report| CustomDomain::read(field, report);
        let (document, problems) = read_document(text, unknown, read)?;
        Ok((Self { id, document: CustomDomain { id: Some(id), ..document } }, problems))
    }

    /// `domainName` in lower case.
    pub fn name(&self) -> &str {
        self.document.name.as_ref().map_or("", |name| &name.value)
    }

    /// The document as JSON.
    pub fn json(&self) -> &Arc<str> {
        &self.document.json
    }
}

impl StoredFunction {
    /// Reads a function from JSON or YAML.
    ///
    /// # Errors
    ///
    /// All that is wrong with it. The problems beside a document are warnings.
    pub fn read(text: &str, unknown: UnknownFields) -> Result<(Self, Vec<Problem>), Vec<Problem>> {
        let id = DocumentId::new();
        let read = |field: &Field<'_>, report: &mut Report| Function::read(field, report);
        let (document, problems) = read_document(text, unknown, read)?;
        Ok((Self { id, document: Function { id: Some(id), ..document } }, problems))
    }

    /// `functionName`.
    pub fn name(&self) -> &str {
        self.document.name.as_ref().map_or("", |name| &name.value)
    }

    /// The document as JSON.
    pub fn json(&self) -> &Arc<str> {
        &self.document.json
    }

    /// What requests to it reach other than servers of the network, in words; `None` when they reach no more.
    pub fn beyond_the_network(&self) -> Option<&'static str> {
        match self.document.target.as_ref()? {
            FunctionTarget::Process(_) => Some("a process"),
            FunctionTarget::Unix(_) => Some("a unix socket"),
            FunctionTarget::Url { origin, .. } => {
                let reach = Reach::Bounded { link_local: false };
                reach.judge_url(origin).is_err().then_some("a link-local address")
            }
            FunctionTarget::Echo | FunctionTarget::Unavailable => None,
        }
    }

    /// Whether another function is in the same place, and runs in the same way.
    pub fn has_place_of(&self, other: &Self) -> bool {
        self.document.target == other.document.target
    }
}

impl DocumentKind {
    /// The list of the configuration file that such documents stand in.
    pub fn list(self) -> &'static str {
        match self {
            Self::CustomDomain => "customDomains",
            Self::Function => "functions",
        }
    }
}

fn read_document<T>(
    text: &str,
    unknown: UnknownFields,
    read: impl Fn(&Field<'_>, &mut Report) -> Option<T>,
) -> Result<(T, Vec<Problem>), Vec<Problem>> {
    let mut report = match unknown {
        UnknownFields::Refused => Report::default(),
        UnknownFields::LeftOut => Report::passing_over_unknown_fields(),
    };
    let parsed = yaml::parse(text, None::<&Items<std::convert::Infallible>>, &mut report);
    let Some(mut root) = parsed.map(|parsed| parsed.root) else {
        return Err(report.into_list());
    };
    let field = |root: &Node| Place { location: root.location, path: FieldPath::default() };
    let document = read(&Field { node: &root, place: field(&root) }, &mut report);
    if report.has_errors() {
        return Err(report.into_list());
    }
    let mut document = document;
    let passed_over = report.passed_over();
    if !passed_over.is_empty() {
        for path in passed_over {
            remove(&mut root, &path.steps());
        }
        // Read again, so that what is kept of the document is what remains of it.
        document = read(&Field { node: &root, place: field(&root) }, &mut Report::default());
    }
    match document {
        Some(document) => Ok((document, report.into_list())),
        None => Err(report.into_list()),
    }
}

/// Takes a member out of an object, however deep it lies.
fn remove(node: &mut Node, steps: &[Step<'_>]) {
    match (&mut node.value, steps) {
        (Value::Map(entries), [Step::Member(name)]) => entries.retain(|entry| entry.key != *name),
        (Value::Map(entries), [Step::Member(name), rest @ ..]) => {
            if let Some(entry) = entries.iter_mut().find(|entry| entry.key == *name) {
                remove(&mut entry.value, rest);
            }
        }
        (Value::List(items), [Step::Item(index), rest @ ..]) => {
            if let Some(item) = items.get_mut(*index) {
                remove(item, rest);
            }
        }
        _ => {}
    }
}
