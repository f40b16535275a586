//! The header field `Forwarded` (RFC 7239).

use std::net::IpAddr;

use super::parse_address;
use crate::byte_set::is_token;

/// What one proxy tells of a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Hop {
    /// `for`; `None` when it is not there, or no address.
    pub address: Option<IpAddr>,
    /// `host`.
    pub host: Option<String>,
    /// `proto`.
    pub scheme: Option<String>,
}

/// Reads the field, first the hop that is farthest away; `None` when it is malformed (section 4).
pub fn parse(text: &str) -> Option<Vec<Hop>> {
    let mut hops = Vec::new();
    let mut rest = text;
    let mut hop = Hop::default();
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        let (name, after) = rest.split_once('=')?;
        let (value, after) = parse_value(after)?;
        if !is_whole_token(name) {
            return None;
        }
        match name.to_ascii_lowercase().as_str() {
            "for" => hop.address = parse_address(&value),
            "host" => hop.host = Some(value),
            "proto" => hop.scheme = Some(value),
            _ => {}
        }
        rest = after.trim_start_matches([' ', '\t']);
        if let Some(after) = rest.strip_prefix(';') {
            rest = after;
            continue;
        }
        hops.push(std::mem::take(&mut hop));
        if rest.is_empty() {
            return Some(hops);
        }
        rest = rest.strip_prefix(',')?;
    }
}

/// A token or a quoted string, and what follows it.
fn parse_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ',', ' ', '\t']).unwrap_or(text.len());
        let (value, rest) = text.split_at_checked(end)?;
        return is_whole_token(value).then(|| (value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => return Some((value, characters.as_str())),
            '\\' => value.push(characters.next()?),
            character => value.push(character),
        }
    }
}

fn is_whole_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token)
}

/// What the gateway tells of a request itself.
pub fn element(address: IpAddr, host: &str, scheme: &str) -> String {
    let address = match address {
        IpAddr::V4(address) => address.to_string(),
        // Section 6: in brackets, and so in quotes.
        IpAddr::V6(address) => format!("\"[{address}]\""),
    };
    // A host has no character that needs an escape.
    format!("for={address};host=\"{host}\";proto={scheme}")
}
