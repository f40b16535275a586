//! What documents are about, as paths name it.

use claimgate_config::DocumentKind;
use claimgate_jose::json::{Object, Value};
use serde::{Deserialize, Serialize};
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
    pub fn within(self, mut stored: Object) -> Option<Value> {
        match self {
            Self::CustomDomains | Self::Functions => Some(stored.into()),
            Self::Triggers => stored.remove(TRIGGER).filter(|trigger| *trigger != Value::Null),
        }
    }

    /// [`within`](Self::within) as text, secrets included.
    pub fn text_within(self, stored: &str) -> Option<String> {
        match self {
            Self::CustomDomains | Self::Functions => Some(stored.to_owned()),
            Self::Triggers => self.within(object(stored)?).map(|trigger| trigger.to_string()),
        }
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
                        function.insert(TRIGGER, Value::parse(document.as_bytes()).ok()?);
                    }
                    None => drop(function.remove(TRIGGER)?),
                }
                Some(Some(function.to_string()))
            }
        }
    }
}

fn object(json: &str) -> Option<Object> {
    match Value::parse(json.as_bytes()) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    }
}
