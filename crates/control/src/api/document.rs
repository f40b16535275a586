//! A document as the API shows it.

use std::time::SystemTime;

use claimgate_config::{DocumentProblem, Severity};
use claimgate_jose::json::Value;
use serde::Serialize;
use serde_json::value::RawValue;

use utoipa::ToSchema;

use super::kind::Kind;
use crate::catalog::{Document, Origin, Version};
use crate::secrets::{self, Audience};

/// A document, and what is known of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    pub kind: Kind,
    /// The domain's name in lower case, or the function's.
    pub name: String,
    /// Where it is.
    pub source: Source,
    /// Its version, as in the header ETag; of stored documents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// When it was created (RFC 3339); of stored documents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_time: Option<String>,
    /// When it was changed last (RFC 3339); of stored documents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_modified_time: Option<String>,
    /// Who changed it last; of stored documents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_modified_by: Option<String>,
    /// The place in the configuration file; of declared documents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What it says, with the fields of the configuration file; null when it cannot be read.
    #[schema(value_type = Object)]
    pub document: Box<RawValue>,
    /// What whoever changed it should look at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Problem>,
}

/// Where a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// In the configuration file, where alone it can be changed.
    Declared,
    /// In the store.
    Stored,
}

/// What is wrong with a document, or should be looked at.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    pub kind: Kind,
    /// The document.
    pub name: String,
    /// The field, as `routeConfig.routes[0].path`; empty for the whole document.
    pub field: String,
    /// What is wrong, what was found and what would be right.
    pub message: String,
    /// Whether it keeps the document from being served.
    pub is_error: bool,
}

/// A version of a document.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShownVersion {
    pub version: u64,
    /// When it was made (RFC 3339).
    pub time: String,
    /// Who made it.
    pub author: String,
    /// What it says; left out when the document was deleted, null when it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub document: Option<Box<RawValue>>,
}

impl Shown {
    /// A document as it is shown to a caller; `None` for a function without a trigger, where that is asked for.
    pub fn of(kind: Kind, document: &Document, audience: Audience) -> Option<Self> {
        let shown = Self {
            kind,
            name: document.name.clone(),
            source: Source::Declared,
            version: None,
            created_time: None,
            last_modified_time: None,
            last_modified_by: None,
            place: None,
            document: shown(kind, &document.json, audience)?,
            warnings: Vec::new(),
        };
        Some(match &document.origin {
            Origin::Declared(location) => Self { place: Some(location.to_string()), ..shown },
            Origin::Stored(stored) => Self {
                source: Source::Stored,
                version: Some(stored.version),
                created_time: Some(rfc3339(stored.created)),
                last_modified_time: Some(rfc3339(stored.modified)),
                last_modified_by: Some(stored.author.clone()),
                ..shown
            },
        })
    }
}

impl ShownVersion {
    pub fn of(kind: Kind, version: Version, audience: Audience) -> Self {
        Self {
            version: version.version,
            time: rfc3339(version.at),
            author: version.author,
            document: version.json.and_then(|json| shown(kind, &json, audience)),
        }
    }
}

impl From<DocumentProblem> for Problem {
    fn from(problem: DocumentProblem) -> Self {
        let DocumentProblem { kind, name, problem } = problem;
        let (kind, is_error) = (Kind::of(kind), problem.severity == Severity::Error);
        Self { kind, name, field: problem.field, message: problem.message, is_error }
    }
}

/// The document as a caller sees it: null when it cannot be read.
fn shown(kind: Kind, json: &str, audience: Audience) -> Option<Box<RawValue>> {
    let document = match secrets::shown(kind.stored(), json, audience) {
        Some(document) => kind.within(document)?,
        None => Value::Null,
    };
    RawValue::from_string(document.to_string()).ok()
}

/// A time to the second.
pub fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}
