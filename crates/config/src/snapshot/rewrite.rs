//! What `rewriteConfig` makes of a path on its way to the function.
use regex::bytes::{Captures, Regex};

/// The rewrite rules of a route, in the order in which they are tried.
#[derive(Debug, Clone)]
pub struct RewriteRules(pub(crate) Vec<RewriteRule>);

/// A rule. The path that it matches is replaced as a whole.
#[derive(Debug, Clone)]
pub struct RewriteRule {
    /// The list that it stands in.
    pub kind: RewriteKind,
    /// `match` as it was written.
    pub written_match: String,
    /// `replacement` as it was written.
    pub written_replacement: String,
    pub(crate) pattern: Pattern,
    pub(crate) replacement: Replacement,
}

/// A list of `rewriteConfig`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RewriteKind {
    /// `equalRules`.
    Equal,
    /// `wildcardRules`.
    Wildcard,
    /// `regexRules`.
    Regex,
}

impl RewriteKind {
    /// All, in the order in which they are tried.
    pub const ALL: [RewriteKind; 3] = [RewriteKind::Equal, RewriteKind::Wildcard, RewriteKind::Regex];

    /// The name of the list.
    pub fn field(self) -> &'static str {
        match self {
            RewriteKind::Equal => "equalRules",
            RewriteKind::Wildcard => "wildcardRules",
            RewriteKind::Regex => "regexRules",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Pattern {
    Equal(String),
    Regex(Regex),
}

/// What a path is replaced by.
#[derive(Debug, Clone)]
pub(crate) struct Replacement {
    pub(crate) path: Vec<Piece>,
    pub(crate) query: Option<Vec<Piece>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(String),
    /// What a group has captured, from 1.
    Group(usize),
}

/// What a path was rewritten to. It is not judged yet: captured text may make anything of it but what
/// does not belong into a URI.
#[derive(Debug)]
pub struct Rewritten<'r> {
    /// The rule that did it.
    pub rule: &'r RewriteRule,
    /// The new path; it begins with a slash.
    pub path: String,
    /// What the rule puts before the request's own query.
    pub query: Option<String>,
}

impl RewriteRules {
    /// Rewrites a canonical path by the first rule that matches it; `None` when none does.
    pub fn rewrite(&self, path: &str) -> Option<Rewritten<'_>> {
        self.0.iter().find_map(|rule| {
            let captures = match &rule.pattern {
                Pattern::Equal(equal) if equal == path => None,
                Pattern::Equal(_) => return None,
                Pattern::Regex(regex) => Some(regex.captures(path.as_bytes())?),
            };
            let Replacement { path, query } = &rule.replacement;
            Some(Rewritten {
                rule,
                path: expand(path, captures.as_ref(), str::to_owned),
                query: query.as_ref().map(|query| expand(query, captures.as_ref(), in_query)),
            })
        })
    }
}

fn expand(pieces: &[Piece], captures: Option<&Captures<'_>>, encode: fn(&str) -> String) -> String {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(literal) => text.push_str(literal),
            Piece::Group(number) => {
                // A group that took no part is empty. Paths are ASCII.
                let captured = captures.and_then(|captures| captures.get(*number));
                let captured = captured.and_then(|captured| std::str::from_utf8(captured.as_bytes()).ok());
                text.push_str(&encode(captured.unwrap_or_default()));
            }
        }
    }
    text
}

/// A piece of a path as the value of one parameter: what has a meaning in queries alone is encoded, so that
/// a path cannot add parameters.
fn in_query(captured: &str) -> String {
    let mut encoded = String::with_capacity(captured.len());
    for character in captured.chars() {
        match character {
            '&' => encoded.push_str("%26"),
            '=' => encoded.push_str("%3D"),
            '+' => encoded.push_str("%2B"),
            ';' => encoded.push_str("%3B"),
            _ => encoded.push(character),
        }
    }
    encoded
}
