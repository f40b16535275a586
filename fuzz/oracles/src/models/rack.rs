//! Rack 2.2 and 3 for Ruby: Sinatra, Rails and others read with it.
//!
//! Bodies and queries that Rack refuses as a whole, as with a wrong escape or too many parameters, are
//! read as far as they can be.

mod multipart_2;
mod multipart_3;
mod parts;

use super::Parameters;
use super::text::{escape, find_ignoring_case, form_decoded, is_space, pair, trim};

/// `request.GET` of Rack 2.2.
pub fn query_2(text: &[u8]) -> Parameters {
    read(text, b"&;", top_level_2)
}

/// `request.GET` of Rack 3.
pub fn query_3(text: &[u8]) -> Parameters {
    read(text, b"&", top_level_3)
}

/// `request.POST` of Rack 2.2.
pub fn body_2(content_type: Option<&[u8]>, body: &[u8]) -> Parameters {
    match Kind::of(content_type) {
        Kind::Multipart(boundary) => named(multipart_2::parts(body, boundary), top_level_2),
        Kind::Urlencoded => read(form(body), b"&", top_level_2),
        Kind::Other => Parameters::new(),
    }
}

/// `request.POST` of Rack 3.
pub fn body_3(content_type: Option<&[u8]>, body: &[u8]) -> Parameters {
    match Kind::of(content_type) {
        Kind::Multipart(boundary) => named(multipart_3::parts(body, boundary), top_level_3),
        Kind::Urlencoded => read(form(body), b"&", top_level_3),
        Kind::Other => Parameters::new(),
    }
}

/// `request.cookies`.
pub fn cookies(field: &[u8]) -> Parameters {
    let pairs = separated(field, b";").map(pair);
    pairs.map(|(name, value)| (name.to_vec(), cookie_value(value))).collect()
}

/// A value with one wrong escape is left as it is.
fn cookie_value(value: &[u8]) -> Vec<u8> {
    let is_wrong = |at: usize| value[at] == b'%' && escape(&value[at..]).is_none();
    if (0..value.len()).any(is_wrong) { value.to_vec() } else { form_decoded(value) }
}

fn read(text: &[u8], separators: &'static [u8], top_level: TopLevel) -> Parameters {
    let pairs = separated(text, separators).map(pair);
    named(pairs.map(|(name, value)| (form_decoded(name), form_decoded(value))), top_level)
}

type TopLevel = fn(&[u8]) -> Option<&[u8]>;

fn named(pairs: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>, top_level: TopLevel) -> Parameters {
    pairs.into_iter().filter_map(|(name, value)| Some((top_level(&name)?.to_vec(), value))).collect()
}

/// `/\A[\[\]]*([^\[\]]+)\]*/` of Rack 2.2.
fn top_level_2(name: &[u8]) -> Option<&[u8]> {
    let is_bracket = |byte: &u8| b"[]".contains(byte);
    let start = name.iter().position(|byte| !is_bracket(byte))?;
    let end = name.iter().skip(start).position(is_bracket).map_or(name.len(), |length| start + length);
    let behind = name[end..].iter().position(|&byte| byte != b']').map_or(&b""[..], |at| &name[end + at..]);
    Some(if behind == b"[" { name } else { &name[start..end] })
}

/// The first character of a name is never a bracket to Rack 3.
fn top_level_3(name: &[u8]) -> Option<&[u8]> {
    let open = name.iter().skip(1).position(|&byte| byte == b'[').map(|at| at + 1);
    let open = open.filter(|&open| open + 1 < name.len());
    Some(&name[..open.unwrap_or(name.len())]).filter(|name| !name.is_empty())
}

/// Split at each separator and the spaces behind it.
fn separated<'a>(text: &'a [u8], separators: &'static [u8]) -> impl Iterator<Item = &'a [u8]> {
    let parts = text.split(|byte| separators.contains(byte)).enumerate();
    let parts = parts.map(|(number, part)| {
        let spaces = if number == 0 { 0 } else { part.iter().take_while(|&&byte| byte == b' ').count() };
        &part[spaces..]
    });
    parts.filter(|part| !part.is_empty())
}

/// Safari used to end a body with NUL.
fn form(body: &[u8]) -> &[u8] {
    body.strip_suffix(b"\0").unwrap_or(body)
}

enum Kind<'a> {
    Multipart(&'a [u8]),
    Urlencoded,
    Other,
}

impl<'a> Kind<'a> {
    fn of(content_type: Option<&'a [u8]>) -> Self {
        let Some(content_type) = content_type.filter(|field| !field.is_empty()) else {
            return Self::Urlencoded;
        };
        let media_type = content_type.split(|byte| b";,".contains(byte)).next().unwrap_or_default();
        let media_type = trim(media_type, |byte| is_space(byte) || byte == 0).to_ascii_lowercase();
        match &media_type[..] {
            b"multipart/form-data" | b"multipart/related" | b"multipart/mixed" => {
                boundary(content_type).map_or(Self::Urlencoded, Self::Multipart)
            }
            b"application/x-www-form-urlencoded" => Self::Urlencoded,
            _ => Self::Other,
        }
    }
}

/// `%r|\Amultipart/.*?boundary(\s*)=\"?([^\";,]+)\"?|ni`, without its errors.
fn boundary(content_type: &[u8]) -> Option<&[u8]> {
    let mut rest = content_type;
    loop {
        rest = &rest[find_ignoring_case(rest, b"boundary")? + b"boundary".len()..];
        let value = super::text::trim_start(rest, is_space).strip_prefix(b"=");
        let value = value.map(|value| value.strip_prefix(b"\"").unwrap_or(value));
        let value = value.map(|value| value.split(|byte| b"\";,".contains(byte)).next().unwrap_or_default());
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            return Some(value);
        }
    }
}
