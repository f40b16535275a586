//! The one-line notations of `tokenLookup` (`position:name[:prefix]`) and `claimPassBy`
//! (`position:claim:parameter`), entries separated by commas.
//!
//! Names that hold a comma or a colon cannot be written so; the list notation carries them.
use std::fmt::{Display, Formatter, Result as FormatResult};

/// A part of a request that carries parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Position {
    /// A header field.
    Header,
    /// The query of the target.
    Query,
    /// A form in the body.
    Form,
    /// A cookie.
    Cookie,
}

impl Position {
    /// All positions by the names that documents use.
    pub const ALL: [(&'static str, Position); 4] = [
        ("header", Position::Header),
        ("query", Position::Query),
        ("form", Position::Form),
        ("cookie", Position::Cookie),
    ];

    /// The position of a name, exactly as documents write it.
    pub fn from_name(name: &str) -> Option<Position> {
        Position::ALL.iter().find(|(known, _)| *known == name).map(|(_, position)| *position)
    }
}

impl Display for Position {
    fn fmt(&self, f: &mut Formatter<'_>) -> FormatResult {
        f.write_str(match self {
            Position::Header => "header",
            Position::Query => "query",
            Position::Form => "form",
            Position::Cookie => "cookie",
        })
    }
}

/// An entry of `tokenLookup`, names not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenLookup {
    /// Where the token is.
    pub position: Position,
    /// Name of the parameter that holds it.
    pub name: String,
    /// What stands before it, without the space that ends it; `None` when nothing does.
    pub prefix: Option<String>,
}

/// An entry of `claimPassBy`, names not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimPassBy {
    /// Where the claim goes.
    pub position: Position,
    /// Name of the claim.
    pub claim: String,
    /// Name of the parameter.
    pub parameter: String,
}

/// An entry that is not written by the grammar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {number}: {message}")]
pub struct EntryError {
    /// Number of the entry, from 1.
    pub number: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

impl TokenLookup {
    /// Parses the notation, or tells every entry that is wrong. The empty text has no entries.
    pub fn parse_all(text: &str) -> Result<Vec<TokenLookup>, Vec<EntryError>> {
        all(TokenLookup::parse_each(text))
    }

    /// The entries one by one, numbered from 1, so that right ones can be checked beside wrong ones.
    pub(crate) fn parse_each(text: &str) -> Numbered<TokenLookup> {
        each(text, |entry| TokenLookup::parse(entry).map(Some))
    }

    fn parse(entry: &str) -> Result<TokenLookup, String> {
        let mut parts = entry.split(':');
        let position = position(parts.next().unwrap_or_default())?;
        let right = "expected position:name or header:name:prefix, as header:Authorization:Bearer";
        let name = name(parts.next().ok_or(right)?)?;
        let prefix = parts.next().and_then(prefix);
        if parts.next().is_some() {
            return Err(format!("{right}; a name or prefix with a colon needs the list notation"));
        }
        Ok(TokenLookup { position, name, prefix })
    }
}

impl ClaimPassBy {
    /// Parses the notation, or tells every entry that is wrong. An entry without names, as
    /// `query::`, means nothing and is left out.
    pub fn parse_all(text: &str) -> Result<Vec<ClaimPassBy>, Vec<EntryError>> {
        all(ClaimPassBy::parse_each(text))
    }

    /// As [`TokenLookup::parse_each`].
    pub(crate) fn parse_each(text: &str) -> Numbered<ClaimPassBy> {
        each(text, ClaimPassBy::parse)
    }

    fn parse(entry: &str) -> Result<Option<ClaimPassBy>, String> {
        let parts: Vec<&str> = entry.split(':').collect();
        let position = position(parts.first().copied().unwrap_or_default())?;
        match *parts.as_slice() {
            [_, "", ""] => Ok(None),
            [_, claim, parameter] => {
                Ok(Some(ClaimPassBy { position, claim: name(claim)?, parameter: name(parameter)? }))
            }
            [_, _, _, ..] => {
                Err("expected position:claim:parameter; a name with a colon needs the list notation"
                    .to_owned())
            }
            _ => Err("expected position:claim:parameter, as header:name:x-name".to_owned()),
        }
    }
}

fn name(text: &str) -> Result<String, String> {
    if text.trim() == text {
        return Ok(text.to_owned());
    }
    Err(format!("the name {} begins or ends with a space", crate::place::quoted(text)))
}

/// A prefix without the spaces around it: `Bearer` and `Bearer ` both mean the word.
pub(crate) fn prefix(text: &str) -> Option<String> {
    let word = text.trim();
    (!word.is_empty()).then(|| word.to_owned())
}

impl Display for TokenLookup {
    fn fmt(&self, f: &mut Formatter<'_>) -> FormatResult {
        write!(f, "{}:{}", self.position, self.name)?;
        match &self.prefix {
            Some(prefix) => write!(f, ":{prefix}"),
            None => Ok(()),
        }
    }
}

impl Display for ClaimPassBy {
    fn fmt(&self, f: &mut Formatter<'_>) -> FormatResult {
        write!(f, "{}:{}:{}", self.position, self.claim, self.parameter)
    }
}

/// Numbered from 1; entries that mean nothing are left out.
type Numbered<T> = Vec<(usize, Result<T, EntryError>)>;

fn each<T>(text: &str, parse: impl Fn(&str) -> Result<Option<T>, String>) -> Numbered<T> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    let numbered = |(index, entry): (usize, &str)| {
        let number = index + 1;
        let parsed = match entry.trim() {
            "" => Err("nothing stands between the commas".to_owned()),
            entry => parse(entry),
        };
        let parsed = parsed.map_err(|message| EntryError { number, message }).transpose()?;
        Some((number, parsed))
    };
    text.split(',').enumerate().filter_map(numbered).collect()
}

fn all<T>(numbered: Numbered<T>) -> Result<Vec<T>, Vec<EntryError>> {
    let mut entries = Vec::new();
    let mut errors = Vec::new();
    for (_, entry) in numbered {
        match entry {
            Ok(entry) => entries.push(entry),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(entries) } else { Err(errors) }
}

fn position(name: &str) -> Result<Position, String> {
    Position::from_name(name).ok_or_else(|| unknown_position(name))
}

/// Of a position that there is not.
pub(crate) fn unknown_position(name: &str) -> String {
    let suggestion = crate::suggest::did_you_mean(name, Position::ALL.iter().map(|(name, _)| *name));
    format!(
        "expected the position header, query, form or cookie, found {}{suggestion}",
        crate::place::quoted(name)
    )
}

#[cfg(test)]
mod tests;
