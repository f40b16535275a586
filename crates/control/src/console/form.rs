//! What a form or a query says: pairs of names and values, names as often as they occur.

use axum::http::Uri;

/// The fields of a form, in its order.
#[derive(Debug, Default, Clone)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Of a form in a body, which browsers send urlencoded.
    pub fn of_body(body: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(body);
        // Browsers send the end of a line as CR LF.
        let pairs = pairs.map(|(name, value)| (name.into_owned(), value.replace("\r\n", "\n")));
        Self(pairs.collect())
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
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}
