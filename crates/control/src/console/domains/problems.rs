//! What is wrong with a document, beside the field of the form that it is about.

use std::fmt::{Display, Write as _};

use askama::filters::{Html, escape};
use claimgate_config::{DocumentProblem, Problem};

/// The problems of a form, each with the field that it stands at; the empty one is the form itself.
#[derive(Debug, Default)]
pub struct Problems(Vec<(String, String)>);

impl Problems {
    /// Of what the catalog says.
    pub fn of(problems: &[DocumentProblem], name: &str) -> Self {
        let place = |found: &DocumentProblem| {
            let Problem { field, message, .. } = &found.problem;
            if found.name == name || name.is_empty() {
                return (field_of(field, message), in_words(field, message));
            }
            // Another document, which this one does not go together with.
            (String::new(), format!("{}: {message}", found.name))
        };
        Self(problems.iter().map(place).collect())
    }

    /// One problem of one field.
    pub fn one(field: &str, message: impl Into<String>) -> Self {
        Self(vec![(field.to_owned(), message.into())])
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds the attributes of a field that is wrong; `hint` is the id of its hint, if it has one.
    pub fn attributes(&self, field: &str, hint: &str) -> String {
        let is_wrong = self.messages(field).next().is_some();
        let mut attributes = String::new();
        if is_wrong {
            let _ = write!(attributes, " aria-invalid=\"true\" aria-describedby=\"{field}-wrong {hint}\"");
        } else if !hint.is_empty() {
            let _ = write!(attributes, " aria-describedby=\"{hint}\"");
        }
        attributes
    }

    /// What stands beside a field, as HTML.
    pub fn beside(&self, field: &str) -> String {
        let mut html = String::new();
        for message in self.messages(field) {
            let message = escape(message, Html).map(|message| message.to_string()).unwrap_or_default();
            let _ = write!(html, "<p class=\"wrong\">{message}</p>");
        }
        if html.is_empty() { html } else { format!("<div id=\"{field}-wrong\">{html}</div>") }
    }

    /// [`attributes`](Self::attributes) of a field in a row, and an id for a link to it.
    pub fn row_attributes(&self, column: &str, row: impl Display) -> String {
        let field = format!("{column}-{row}");
        let attributes = self.attributes(&field, "");
        if attributes.is_empty() { attributes } else { format!(" id=\"{field}\"{attributes}") }
    }

    /// [`beside`](Self::beside) a field in a row.
    pub fn row_beside(&self, column: &str, row: impl Display) -> String {
        self.beside(&format!("{column}-{row}"))
    }

    /// Those that stand at no field.
    pub fn general(&self) -> impl Iterator<Item = &str> {
        self.messages("")
    }

    /// Those that stand at a field, each with the field's id.
    pub fn at_fields(&self) -> impl Iterator<Item = &(String, String)> {
        self.0.iter().filter(|(field, _)| !field.is_empty())
    }

    fn messages<'a>(&'a self, field: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == field).map(|(_, message)| message.as_str())
    }
}

/// The name of the form's field for the path of a document's field.
fn field_of(path: &str, message: &str) -> String {
    let path = path.to_ascii_lowercase();
    let under = |prefix: &str| path.strip_prefix(prefix).map(str::to_owned);
    if path == "domainname" || path.is_empty() && message.contains("domainName") {
        return "domain-name".to_owned();
    }
    if path == "protocol" {
        return "protocol".to_owned();
    }
    if let Some(rest) = under("routeconfig") {
        return row(
            "route",
            &rest,
            message,
            &[("functionname", "function"), ("methods", "methods"), ("", "path")],
        );
    }
    if let Some(rest) = under("authconfig.authinfo.tokenlookup") {
        let columns = [("readposition", "position"), ("prefix", "prefix"), ("", "name")];
        return row("token", &rest, message, &columns);
    }
    if let Some(rest) = under("authconfig.authinfo.claimpassby") {
        let columns = [("mappingparameterposition", "position"), ("claimname", "claim"), ("", "parameter")];
        return row("claim", &rest, message, &columns);
    }
    let fields = [
        ("authconfig.authtype", "auth-type"),
        ("authconfig.authinfo.jwksuri", "jwks-uri"),
        ("authconfig.authinfo.jwks", "jwks"),
        ("authconfig.authinfo.issuers", "issuers"),
        ("authconfig.authinfo.audiences", "audiences"),
        ("authconfig.authinfo.leewayseconds", "leeway"),
        ("authconfig.authinfo.whitelist", "paths"),
        ("authconfig.authinfo.blacklist", "paths"),
        ("certconfig.certname", "cert-name"),
        ("certconfig.privatekey", "private-key"),
        ("certconfig", "certificate"),
    ];
    if let Some((_, field)) = fields.iter().find(|(prefix, _)| path.starts_with(prefix)) {
        return (*field).to_owned();
    }
    // What is missing is told at what it is missing in.
    match () {
        () if message.contains("field tokenLookup is missing") => "token-name-0".to_owned(),
        () if message.contains("jwks") && path.starts_with("authconfig") => "jwks".to_owned(),
        () => String::new(),
    }
}

/// A field in a row: `[2].path`, or `entry 3: …` where a list is written in one line.
fn row(list: &str, rest: &str, message: &str, columns: &[(&str, &str)]) -> String {
    let rest = rest.trim_start_matches(".routes");
    let of_entry =
        || message.strip_prefix("entry ")?.split(':').next()?.parse::<usize>().ok()?.checked_sub(1);
    let of_item = || rest.strip_prefix('[')?.split(']').next()?.parse::<usize>().ok();
    let index = of_item().or_else(of_entry).unwrap_or(0);
    let column = columns.iter().find(|(member, _)| rest.contains(member)).map_or("", |(_, column)| column);
    format!("{list}-{column}-{index}")
}

/// What stands beside a field needs its path no more, unless it lies deeper.
fn in_words(path: &str, message: &str) -> String {
    match path.find(".keys[").and_then(|at| path.get(at + 1..)) {
        Some(key) => format!("{key}: {message}"),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_stand_at_the_field_that_they_are_about() {
        for (path, message, field) in [
            ("domainName", "", "domain-name"),
            ("routeConfig.routes[2].functionName", "", "route-function-2"),
            ("routeConfig.routes[0].methods[1]", "", "route-methods-0"),
            ("routeConfig.routes[1].path", "", "route-path-1"),
            ("authConfig.authInfo.tokenLookup", "entry 2: the name is empty", "token-name-1"),
            ("authConfig.authInfo.tokenLookup[1].prefix", "", "token-prefix-1"),
            ("authConfig.authInfo.claimPassBy", "entry 1: no", "claim-parameter-0"),
            ("authConfig.authInfo.JWKS.keys[0].n", "", "jwks"),
            ("authConfig.authInfo.jwksUri", "", "jwks-uri"),
            ("authConfig.authInfo.whitelist[0]", "", "paths"),
            ("certConfig.privateKey", "", "private-key"),
            ("corsConfig.maxAge", "", ""),
        ] {
            assert_eq!(field_of(path, message), field, "{path}");
        }
    }
}
