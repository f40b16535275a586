//! What a form or a query says: pairs of names and values, names as often as they occur.

use std::sync::Arc;

use axum::http::Uri;

use crate::request_body::{Held, Share};

/// The fields of a form, in its order.
#[derive(Debug, Default, Clone)]
pub struct Fields {
    pairs: Vec<(String, String)>,
    /// What they take of the memory for bodies, as long as they are used.
    _memory: Option<Arc<Share>>,
}

impl Fields {
    /// Of a form in a body, which browsers send urlencoded.
    pub fn of_body(body: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(body);
        // Browsers send the end of a line as CR LF.
        let pairs = pairs.map(|(name, value)| (name.into_owned(), value.replace("\r\n", "\n")));
        Self { pairs: pairs.collect(), _memory: None }
    }

    /// Of a form in a body that has its share of the memory for bodies, which the fields then have.
    pub fn of_held(body: Held) -> Self {
        Self { _memory: Some(Arc::new(body.memory)), ..Self::of_body(&body.bytes) }
    }

    /// Of the query of an address.
    pub fn of_query(uri: &Uri) -> Self {
        Self::of_body(uri.query().unwrap_or_default().as_bytes())
    }

    /// The first value of a name; empty when there is none.
    pub fn text(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }

    /// The first value of a name.
    pub fn find(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}
