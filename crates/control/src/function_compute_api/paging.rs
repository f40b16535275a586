//! `prefix`, `limit` and `nextToken`.

use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use claimgate_jose::json::{Object, Value};

use crate::answer::{self, ErrorAnswer};

/// The original's default and its most.
const LIMIT: (usize, usize) = (20, 100);

/// Which part of a list is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub prefix: String,
    /// The name that the part before ended with.
    pub after: Option<String>,
    pub limit: usize,
}

impl Page {
    /// Reads the query; what is empty counts as left out, and what is unknown is passed over.
    pub fn read(query: Option<&str>) -> Result<Self, ErrorAnswer> {
        let mut page = Self { prefix: String::new(), after: None, limit: LIMIT.0 };
        let parameters = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        for (name, value) in parameters.filter(|(_, value)| !value.is_empty()) {
            match &*name {
                "prefix" => page.prefix = value.into_owned(),
                "limit" => page.limit = read_limit(&value)?,
                "nextToken" => page.after = Some(read_token(&value)?),
                _ => {}
            }
        }
        Ok(page)
    }

    /// The part, and the token of the next one; `found` has one more than the part when there is a next one.
    pub fn cut<T>(&self, mut found: Vec<T>, name: impl Fn(&T) -> &str) -> (Vec<T>, Option<String>) {
        if found.len() <= self.limit {
            return (found, None);
        }
        found.truncate(self.limit);
        let token = found.last().map(|last| URL_SAFE_NO_PAD.encode(name(last)));
        (found, token)
    }
}

/// The answer with a part, under the name of its list.
pub(super) fn answer(list: &str, part: Vec<Value>, next_token: Option<String>) -> Response {
    let mut content = Object::new();
    content.insert(list, part);
    if let Some(next_token) = next_token {
        content.insert("nextToken", next_token);
    }
    answer::ok(&content)
}

fn read_limit(text: &str) -> Result<usize, ErrorAnswer> {
    let (_, most) = LIMIT;
    let limit = text.parse().ok().filter(|limit| (1..=most).contains(limit));
    limit.ok_or_else(|| ErrorAnswer::invalid(format!("limit: expected a whole number from 1 to {most}")))
}

fn read_token(text: &str) -> Result<String, ErrorAnswer> {
    let name = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    name.ok_or_else(|| ErrorAnswer::invalid("nextToken: expected what the answer before has given"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn query() {
        let page = Page::read(Some("limit=2&prefix=api.&nextToken=&x=y")).unwrap();
        assert_eq!(page, Page { prefix: "api.".to_owned(), after: None, limit: 2 });
        assert_eq!(Page::read(None).unwrap().limit, 20);
        for bad in ["limit=0", "limit=101", "limit=-1", "limit=x", "nextToken=%20", "nextToken=_w"] {
            assert!(Page::read(Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn each_part_goes_on_where_the_last_one_ended() {
        let all = ["a.example.com", "b.example.com", "c.example.com"];
        let mut page = Page::read(Some("limit=2")).unwrap();
        let (part, token) = page.cut(all.to_vec(), |name| name);
        assert_eq!(part, all.get(..2).unwrap());
        page = Page::read(Some(&format!("limit=2&nextToken={}", token.unwrap()))).unwrap();
        assert_eq!(page.after.as_deref(), Some("b.example.com"));
        assert_eq!(page.cut(vec!["c.example.com"], |name| name), (vec!["c.example.com"], None));
    }
}
