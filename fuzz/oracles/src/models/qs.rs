//! qs for JavaScript: the query of Express 4 and of Express 5 with its extended parser, the forms of
//! body-parser, and of co-body, with which koa-body reads.
//!
//! A name is read in the ways of all versions from 6.7 on: they differ in what they do with unpaired
//! brackets, and with dots inside brackets. Names of `Object.prototype`, which co-body drops, are read.
//! Forms that body-parser refuses, of more than 1,000 parameters or of great depth, are read.

use std::collections::HashMap;

use super::Parameters;
use super::text::{escape, find, pair, replaced, trim};

/// `req.query`.
pub fn query(text: &[u8]) -> Parameters {
    read(text, Names::Nested)
}

/// `express.urlencoded({ extended: true })`.
pub fn body_parser(content_type: Option<&[u8]>, body: &[u8]) -> Parameters {
    form(content_type, body, Names::Nested)
}

/// `express.urlencoded({ extended: false })` of body-parser 2, which reads with a depth of 0.
pub fn body_parser_simple(content_type: Option<&[u8]>, body: &[u8]) -> Parameters {
    form(content_type, body, Names::Flat)
}

/// `koaBody()`.
pub fn co_body(content_type: Option<&[u8]>, body: &[u8]) -> Parameters {
    form(content_type, body, Names::NestedOrDotted)
}

#[derive(Clone, Copy, PartialEq)]
enum Names {
    Flat,
    Nested,
    NestedOrDotted,
}

fn form(content_type: Option<&[u8]>, body: &[u8], names: Names) -> Parameters {
    let media_type = content_type.unwrap_or_default().split(|&byte| byte == b';').next().unwrap_or_default();
    let media_type = trim(media_type, |byte| byte.is_ascii_whitespace());
    if !media_type.eq_ignore_ascii_case(b"application/x-www-form-urlencoded") {
        return Parameters::new();
    }
    // Decoding a body to text drops a byte order mark.
    read(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body), names)
}

const PARAMETER_LIMIT: usize = 1000;

/// Versions from 6.13 on take escaped brackets for brackets before anything else.
fn read(text: &[u8], names: Names) -> Parameters {
    let mut unescaped = text.to_vec();
    for (escaped, bracket) in [(b"%5B", b"["), (b"%5b", b"["), (b"%5D", b"]"), (b"%5d", b"]")] {
        unescaped = replaced(&unescaped, escaped, bracket);
    }
    let mut parameters = parameters(&unescaped, names);
    if unescaped != text {
        parameters.extend(self::parameters(text, names));
    }
    parameters
}

fn parameters(text: &[u8], names: Names) -> Parameters {
    let mut parameters = Parameters::new();
    let mut elements = HashMap::new();
    for part in text.split(|&byte| byte == b'&').take(PARAMETER_LIMIT) {
        let (key, value) = match find(part, b"]=") {
            Some(bracket) => (&part[..=bracket], &part[bracket + 2..]),
            None => pair(part),
        };
        let (key, value) = (decoded(key), decoded(value));
        for root in roots(&key, names) {
            if root != b"[]" {
                parameters.push((without_brackets(&root).to_vec(), value.clone()));
                continue;
            }
            // An array on the top level gives its elements' numbers as names. Those of other arrays may
            // have been merged into it, or not.
            let number = elements.entry(key.clone()).or_insert(0);
            parameters.push((number.to_string().into(), value.clone()));
            *number += 1;
        }
    }
    parameters
}

/// What versions of qs take for the first segment of a key.
fn roots(key: &[u8], names: Names) -> Vec<Vec<u8>> {
    let keys = match names {
        _ if key.is_empty() => vec![],
        Names::Flat => return vec![key.to_vec()],
        Names::Nested => vec![key.to_vec()],
        Names::NestedOrDotted => vec![bracketed(key, false), bracketed(key, true)],
    };
    let mut roots: Vec<Vec<u8>> = keys.iter().flat_map(|key| [root(key), root_before_6_15(key)]).collect();
    roots.sort();
    roots.dedup();
    roots
}

/// Brackets are paired, and what is behind an unpaired one belongs to it.
fn root(key: &[u8]) -> Vec<u8> {
    match key.iter().position(|&byte| byte == b'[') {
        None => key.to_vec(),
        Some(0) => {
            let mut depth = 0;
            let end = key.iter().position(|byte| {
                depth += i32::from(*byte == b'[') - i32::from(*byte == b']');
                depth == 0
            });
            end.map_or_else(|| [b"[", key, b"]"].concat(), |end| key[..=end].to_vec())
        }
        Some(open) => key[..open].to_vec(),
    }
}

/// `/(\[[^[\]]*])/` is searched, and what is before it comes first.
fn root_before_6_15(key: &[u8]) -> Vec<u8> {
    let mut open = None;
    for (at, byte) in key.iter().enumerate() {
        match (byte, open) {
            (b'[', _) => open = Some(at),
            (b']', Some(0)) => return key[..=at].to_vec(),
            (b']', Some(open)) => return key[..open].to_vec(),
            _ => {}
        }
    }
    key.to_vec()
}

/// `a.b` as `a[b]`, inside brackets too or not.
fn bracketed(key: &[u8], everywhere: bool) -> Vec<u8> {
    let mut result = Vec::new();
    let mut depth = 0;
    let mut rest = key;
    while let Some((&first, behind)) = rest.split_first() {
        let end = behind.iter().position(|byte| b".[".contains(byte)).unwrap_or(behind.len());
        if first == b'.' && end > 0 && (everywhere || depth == 0) {
            result.extend([b"[", &behind[..end], b"]"].concat());
            rest = &behind[end..];
            continue;
        }
        depth += i32::from(first == b'[') - i32::from(first == b']' && depth > 0);
        result.push(first);
        rest = behind;
    }
    result
}

fn without_brackets(root: &[u8]) -> &[u8] {
    root.strip_prefix(b"[").and_then(|root| root.strip_suffix(b"]")).unwrap_or(root)
}

/// `decodeURIComponent`, which leaves a text as it is when one escape is wrong or is not UTF-8.
fn decoded(text: &[u8]) -> Vec<u8> {
    let text = replaced(text, b"+", b" ");
    uri_component(&text).unwrap_or(text)
}

fn uri_component(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, behind)) = rest.split_first() {
        if first != b'%' {
            decoded.push(first);
            rest = behind;
            continue;
        }
        let length = match escape(rest)? {
            0xc0..0xe0 => 2,
            0xe0..0xf0 => 3,
            0xf0.. => 4,
            _ => 1,
        };
        let escapes = rest.get(..length * 3)?;
        let character: Vec<u8> = escapes.chunks(3).map(escape).collect::<Option<_>>()?;
        std::str::from_utf8(&character).ok()?;
        decoded.extend(character);
        rest = &rest[length * 3..];
    }
    Some(decoded)
}
