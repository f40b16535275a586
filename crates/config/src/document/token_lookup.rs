//! `authInfo.tokenLookup`: where the token is.
use crate::grammar::{self, Position, TokenLookup};
use crate::parameter;
use crate::place::{Place, Written, quoted};
use crate::reader::Field;
use crate::report::Report;
use crate::snapshot::{Parameter, TokenSource};
use crate::yaml::Value;

/// What would be right.
pub(super) const RIGHT: &str = "where the token is, as \"header:Authorization:Bearer,cookie:token\"";

/// An entry, with the words and the place to name it by.
struct Entry {
    lookup: TokenLookup,
    label: String,
    place: Place,
}

/// Reads the token's places. What is wrong is reported and left out.
pub(super) fn read(field: &Field<'_>, report: &mut Report) -> Vec<TokenSource> {
    let entries = match &field.node.value {
        Value::List(_) => read_list(field, report),
        _ => read_text(field, report),
    };
    let mut sources: Vec<(TokenSource, String)> = Vec::new();
    for Entry { lookup, label, place } in entries.unwrap_or_default() {
        let source = match token_source(&lookup) {
            Ok(source) => source,
            Err(why) => {
                report.error(&place, format!("{label}{why}"));
                continue;
            }
        };
        if let Some((_, first)) = sources.iter().find(|(known, _)| same_place(known, &source)) {
            let message = format!("{label}the same place as {first}; the first one present decides alone");
            report.error(&place, message);
            continue;
        }
        sources.push((source, quoted(&lookup.to_string())));
    }
    sources.into_iter().map(|(source, _)| source).collect()
}

/// Header fields that no token can be found in (RFC 9110, 7.6.1).
const NEVER_FOUND: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

fn token_source(lookup: &TokenLookup) -> Result<TokenSource, String> {
    let parameter = parameter::parse(lookup.position, &lookup.name)?;
    if let Parameter::Header(name) = &parameter
        && NEVER_FOUND.contains(&parameter::folded(name).as_str())
    {
        return Err(format!(
            "the header {name} governs the connection or the message and is removed before tokens are read; \
             use Authorization"
        ));
    }
    let prefix = match &lookup.prefix {
        Some(prefix) if !prefix.bytes().all(|byte| byte.is_ascii_graphic()) => {
            return Err(format!("the prefix {} is no single word, as Bearer", quoted(prefix)));
        }
        Some(prefix) if lookup.position != Position::Header => {
            let position = lookup.position;
            return Err(format!("only a header has a prefix; leave {} out of {position}", quoted(prefix)));
        }
        prefix => prefix.clone(),
    };
    Ok(match parameter {
        Parameter::Header(name) => TokenSource::Header { name, prefix },
        Parameter::Cookie(name) => TokenSource::Cookie(name),
        Parameter::Query(name) => TokenSource::Query(name),
        Parameter::Form(name) => TokenSource::Form(name),
    })
}

/// The prefix makes no difference: a header that is there and lacks its prefix is an invalid token.
fn same_place(left: &TokenSource, right: &TokenSource) -> bool {
    match (left, right) {
        (TokenSource::Header { name: left, .. }, TokenSource::Header { name: right, .. }) => left == right,
        _ => left == right,
    }
}

fn read_text(field: &Field<'_>, report: &mut Report) -> Option<Vec<Entry>> {
    let Written { value: text, place } = field.text(RIGHT, report)?;
    let numbered = TokenLookup::parse_each(text);
    if numbered.is_empty() {
        report.error(&place, format!("expected {RIGHT}, found nothing"));
    }
    let mut entries = Vec::new();
    for (number, lookup) in numbered {
        match lookup {
            Ok(lookup) => {
                entries.push(Entry { lookup, label: format!("entry {number}: "), place: place.clone() })
            }
            Err(error) => report.error(&place, error.to_string()),
        }
    }
    Some(entries)
}

fn read_list(field: &Field<'_>, report: &mut Report) -> Option<Vec<Entry>> {
    let items = field.list(RIGHT, report)?;
    if items.is_empty() {
        report.error(&field.place, format!("expected {RIGHT}, found an empty list"));
    }
    Some(items.iter().filter_map(|item| read_item(item, report)).collect())
}

fn read_item(field: &Field<'_>, report: &mut Report) -> Option<Entry> {
    let right = "an object, as {readPosition: header, parameterName: Authorization, prefix: Bearer}";
    let mut object = field.object(right, report)?;
    let position = object
        .required("readPosition", "header, query, form or cookie", report)
        .and_then(|field| read_position(&field, report));
    let name = object
        .required("parameterName", "the name of the parameter that holds the token", report)
        .and_then(|field| field.text("a name", report));
    let prefix = object.field("prefix").and_then(|field| field.text("a word, as Bearer", report));
    object.finish(report);
    let prefix = prefix.and_then(|written| grammar::prefix(written.value));
    let lookup = TokenLookup { position: position?, name: name?.value.to_owned(), prefix };
    Some(Entry { lookup, label: String::new(), place: field.place.clone() })
}

/// Reads a position in the list notations.
pub(super) fn read_position(field: &Field<'_>, report: &mut Report) -> Option<Position> {
    let Written { value: name, place } = field.text("header, query, form or cookie", report)?;
    let position = Position::from_name(name);
    if position.is_none() {
        report.error(&place, grammar::unknown_position(name));
    }
    position
}
