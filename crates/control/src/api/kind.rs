//! What documents are about, as paths name it.

use claimgate_config::DocumentKind;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// What a document is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A custom domain.
    CustomDomains,
    /// A function, with its HTTP trigger.
    Functions,
    /// The HTTP trigger of the function of the same name.
    Triggers,
}

/// Where a trigger is in its function.
const TRIGGER: &str = "httpTrigger";

impl Kind {
    /// What is stored: a trigger is a part of its function.
    pub fn stored(self) -> DocumentKind {
        match self {
            Self::CustomDomains => DocumentKind::CustomDomain,
            Self::Functions | Self::Triggers => DocumentKind::Function,
        }
    }

    /// What documents are called that problems are of.
    pub fn of(kind: DocumentKind) -> Self {
        match kind {
            DocumentKind::CustomDomain => Self::CustomDomains,
            DocumentKind::Function => Self::Functions,
        }
    }

    /// The document within what is stored; `None` for a function without a trigger.
    pub fn within(self, stored: &str) -> Option<Box<RawValue>> {
        let part = match self {
            Self::CustomDomains | Self::Functions => stored.to_owned(),
            Self::Triggers => {
                object(stored)?.remove(TRIGGER).filter(|trigger| !trigger.is_null())?.to_string()
            }
        };
        RawValue::from_string(part).ok()
    }

    /// What is to be stored so that the document becomes this; `None` as the document deletes it. `stored` is
    /// what is there, without which there can be no trigger.
    pub fn put_within(self, stored: Option<&str>, document: Option<&str>) -> Option<Option<String>> {
        match self {
            Self::CustomDomains | Self::Functions => Some(document.map(str::to_owned)),
            Self::Triggers => {
                let mut function = object(stored?)?;
                match document {
                    Some(document) => {
                        function.insert(TRIGGER.to_owned(), serde_json::from_str(document).ok()?);
                    }
                    None => drop(function.remove(TRIGGER)?),
                }
                Some(Some(Value::Object(function).to_string()))
            }
        }
    }
}

fn object(json: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(json).ok()
}
