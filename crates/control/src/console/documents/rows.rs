//! The rows of places that tokens are read from, and of claims that are passed on.

use claimgate_config::grammar::{ClaimPassBy, TokenLookup};
use claimgate_jose::json::{Object, Value};

use super::member::{expanded, text};
use crate::console::form::Fields;

/// Positions as documents write them, and as the console shows them.
pub const POSITIONS: [(&str, &str); 4] =
    [("header", "Header"), ("cookie", "Cookie"), ("query", "Query Parameters"), ("form", "Form Parameters")];

/// Read Position, Parameter Name and Remove Prefix.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct TokenRow {
    pub position: String,
    pub name: String,
    pub prefix: String,
}

/// Mapping Parameter Position, Original Claim Name and Mapped Parameter Name.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ClaimRow {
    pub position: String,
    pub claim: String,
    pub parameter: String,
}

impl TokenRow {
    /// `Authorization: Bearer …` (RFC 6750).
    pub fn usual() -> Self {
        let text = str::to_owned;
        Self { position: text("header"), name: text("Authorization"), prefix: text("Bearer") }
    }

    /// The position in the words of the console.
    pub fn position_label(&self) -> &str {
        position_label(&self.position)
    }

    pub fn of_fields(fields: &Fields) -> Vec<Self> {
        let rows = fields.all("token-position").zip(fields.all("token-name")).zip(fields.all("token-prefix"));
        rows.map(|((position, name), prefix)| Self {
            position: position.to_owned(),
            name: name.trim().to_owned(),
            // Only headers have one.
            prefix: if position == "header" { prefix.trim().to_owned() } else { String::new() },
        })
        .filter(|row| !(row.name.is_empty() && row.prefix.is_empty()))
        .collect()
    }
}

impl ClaimRow {
    /// The position in the words of the console.
    pub fn position_label(&self) -> &str {
        position_label(&self.position)
    }

    pub fn of_fields(fields: &Fields) -> Vec<Self> {
        let rows =
            fields.all("claim-position").zip(fields.all("claim-name")).zip(fields.all("claim-parameter"));
        rows.map(|((position, claim), parameter)| Self {
            position: position.to_owned(),
            claim: claim.trim().to_owned(),
            parameter: parameter.trim().to_owned(),
        })
        .filter(|row| !(row.claim.is_empty() && row.parameter.is_empty()))
        .collect()
    }
}

/// The entries of `tokenLookup`.
pub fn tokens_of(lookup: &Value) -> Vec<TokenRow> {
    match lookup {
        Value::String(line) => {
            let entry = |entry: TokenLookup| TokenRow {
                position: entry.position.to_string(),
                name: entry.name,
                prefix: entry.prefix.unwrap_or_default(),
            };
            TokenLookup::parse_all(line).unwrap_or_default().into_iter().map(entry).collect()
        }
        list => objects(list, |entry| TokenRow {
            position: text(entry, "readPosition"),
            name: text(entry, "parameterName"),
            prefix: text(entry, "prefix").trim().to_owned(),
        }),
    }
}

/// `tokenLookup` of these rows: in one line, unless a name does not fit in.
pub fn token_lookup(rows: &[TokenRow]) -> Value {
    let is_plain = |row: &TokenRow| ![&row.name, &row.prefix].iter().any(|text| text.contains([',', ':']));
    if rows.iter().all(is_plain) {
        let entry = |row: &TokenRow| match row.prefix.as_str() {
            "" => format!("{}:{}", row.position, row.name),
            prefix => format!("{}:{}:{prefix}", row.position, row.name),
        };
        return Value::from(rows.iter().map(entry).collect::<Vec<_>>().join(","));
    }
    let entry = |row: &TokenRow| {
        let mut entry = Object::new();
        entry.insert("readPosition", row.position.as_str());
        entry.insert("parameterName", row.name.as_str());
        if !row.prefix.is_empty() {
            entry.insert("prefix", row.prefix.as_str());
        }
        Value::Object(entry)
    };
    Value::Array(rows.iter().map(entry).collect())
}

/// The entries of `claimPassBy`.
pub fn claims_of(pass_by: &Value) -> Vec<ClaimRow> {
    match pass_by {
        Value::String(line) => {
            let entry = |entry: ClaimPassBy| ClaimRow {
                position: entry.position.to_string(),
                claim: entry.claim,
                parameter: entry.parameter,
            };
            ClaimPassBy::parse_all(line).unwrap_or_default().into_iter().map(entry).collect()
        }
        list => objects(list, |entry| ClaimRow {
            position: text(entry, "mappingParameterPosition"),
            claim: text(entry, "claimName"),
            parameter: text(entry, "mappingParameterName"),
        }),
    }
}

/// `claimPassBy` of these rows, as [`token_lookup`].
pub fn claim_pass_by(rows: &[ClaimRow]) -> Value {
    let is_plain =
        |row: &ClaimRow| ![&row.claim, &row.parameter].iter().any(|text| text.contains([',', ':']));
    if rows.iter().all(is_plain) {
        let entry = |row: &ClaimRow| format!("{}:{}:{}", row.position, row.claim, row.parameter);
        return Value::from(rows.iter().map(entry).collect::<Vec<_>>().join(","));
    }
    let entry = |row: &ClaimRow| {
        let mut entry = Object::new();
        entry.insert("mappingParameterPosition", row.position.as_str());
        entry.insert("claimName", row.claim.as_str());
        entry.insert("mappingParameterName", row.parameter.as_str());
        Value::Object(entry)
    };
    Value::Array(rows.iter().map(entry).collect())
}

fn objects<T>(list: &Value, row: impl Fn(&Object) -> T) -> Vec<T> {
    let entries = list.as_array().unwrap_or_default().iter();
    entries.filter_map(expanded).map(|entry| row(&entry)).collect()
}

fn position_label(name: &str) -> &str {
    POSITIONS.iter().find(|(value, _)| *value == name).map_or(name, |(_, label)| label)
}
