//! What the header of a request says of its body (RFC 9110, 8.3).

use claimgate_functions::Fields;
use http::HeaderValue;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use memchr::memmem;

use super::form::FormError;
use super::header;
use super::multipart::{Boundary, MultipartError};
use crate::byte_set::is_token;

/// The content type of an urlencoded form.
pub const URLENCODED: &str = "application/x-www-form-urlencoded";

/// The content type of a multipart form.
const MULTIPART: &str = "multipart/form-data";

/// Writes the type of a form as browsers do: names in lower case, since Bottle, WebOb, CherryPy and Tornado compare
/// them with their case; nothing before a semicolon, which WebOb takes for part of the type; no empty parameter,
/// behind which Werkzeug 2.2 finds no boundary; and of others only those that have a meaning, once, since Express and
/// Go read nothing of a form where one is doubled or malformed. One that is written so stays as it is.
pub fn write_plainly(fields: &mut Fields) {
    let Some(written) = fields.get(&CONTENT_TYPE).and_then(header::text) else { return };
    let Some(MediaType { name, parameters }) = parse(written) else { return };
    let mut plain = name;
    let mut had_charset = false;
    for TypeParameter { name, value, is_quoted } in &parameters {
        match name.as_str() {
            "boundary" => {}
            "charset" if !had_charset => had_charset = true,
            _ => continue,
        }
        let quote = if *is_quoted { "\"" } else { "" };
        plain.push_str(&format!("; {name}={quote}{value}{quote}"));
    }
    if written.replace("; ", ";") == plain.replace("; ", ";") {
        return;
    }
    // It was a value before.
    if let Ok(value) = HeaderValue::from_maybe_shared(bytes::Bytes::from(plain)) {
        fields.insert(&CONTENT_TYPE, &value);
    }
}

/// formidable 3 takes each body for a form whose type contains one of these anywhere, be it in a parameter;
/// Werkzeug 2.2 takes `application/x-url-encoded` for one.
const FORM_WORDS: [&str; 4] = ["multipart", "urlencoded", "url-encoded", "form-data"];

const PLAIN_CHARSETS: [&str; 6] = ["utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "windows-1252"];

/// What a body is.
#[derive(Debug, PartialEq, Eq)]
pub enum BodyType {
    /// A form that every function reads as the gateway does.
    Form(FormKind),
    /// What is like the type of a form and is not one: no client means it well.
    Disguised,
    /// No type, what is not one, or another one of multipart: some functions look for parameters in them.
    MaybeForm,
    /// Another type.
    Other,
}

/// How a form is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormKind {
    /// `application/x-www-form-urlencoded`
    Urlencoded,
    /// `multipart/form-data`
    Multipart(Boundary),
}

impl BodyType {
    /// Reads Content-Type and, of a form, Content-Encoding.
    pub fn of(fields: &Fields) -> Result<Self, FormError> {
        let mut content_types = fields.get_all(&CONTENT_TYPE);
        let content_type = content_types.next().unwrap_or_default();
        if content_types.next().is_some() {
            return Err(FormError::ContentType);
        }
        if content_type.trim_ascii().is_empty() {
            return Ok(Self::MaybeForm);
        }
        let lower = content_type.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| memmem::find(&lower, word.as_bytes()).is_some());
        let Some(MediaType { name, parameters }) = header::text(content_type).and_then(parse) else {
            return if lower.starts_with(MULTIPART.as_bytes()) {
                Err(MultipartError::Boundary.into())
            } else if has(&["charset"]) {
                Err(FormError::Charset)
            } else if has(&FORM_WORDS) {
                Ok(Self::Disguised)
            } else {
                Ok(Self::MaybeForm)
            };
        };
        // Also without a form: Django decodes the query by it.
        if !parameters.iter().all(has_plain_charset) {
            return Err(FormError::Charset);
        }
        let kind = if name == URLENCODED && !has(&["multipart", "json"]) {
            FormKind::Urlencoded
        } else if name == MULTIPART && !has(&["urlencoded", "json"]) {
            FormKind::Multipart(Boundary::of(&parameters, content_type)?)
        } else if name.starts_with("multipart/") && !has(&["urlencoded", "form-data", "json"]) {
            return Ok(Self::MaybeForm);
        } else if has(&FORM_WORDS) {
            return Ok(Self::Disguised);
        } else {
            return Ok(Self::Other);
        };
        let is_plain = |encoding: &[u8]| {
            let encoding = encoding.trim_ascii();
            encoding.is_empty() || encoding.eq_ignore_ascii_case(b"identity")
        };
        if !fields.get_all(&CONTENT_ENCODING).all(is_plain) {
            return Err(FormError::Encoded);
        }
        Ok(Self::Form(kind))
    }
}

/// A parameter of a media type.
#[derive(Debug)]
pub struct TypeParameter {
    /// In lower case.
    pub name: String,
    /// Without quotes.
    pub value: String,
    /// Whether it was in quotes.
    pub is_quoted: bool,
}

struct MediaType {
    /// In lower case.
    name: String,
    parameters: Vec<TypeParameter>,
}

/// Whether a function that decodes parameters by the charset of the content type reads UTF-8 in them.
pub fn leaves_utf8(fields: &Fields) -> bool {
    let media_type = fields.get(&CONTENT_TYPE).and_then(header::text).and_then(parse);
    let parameters = media_type.map(|media_type| media_type.parameters).unwrap_or_default();
    let is_utf8 = |charset: &str| ["utf-8", "utf8"].iter().any(|utf8| utf8.eq_ignore_ascii_case(charset));
    parameters
        .iter()
        .all(|parameter| parameter.name != "charset" || is_utf8(parameter.value.trim_matches('\'')))
}

/// Reads one media type (RFC 9110, 8.3.1); `None` for anything else, such as two types in one field. Parameters
/// may be empty, and have white space before them.
fn parse(content_type: &str) -> Option<MediaType> {
    let (name, mut rest) = split_token(content_type.trim(), |byte| byte == b'/');
    let (kind, subtype) = name.split_once('/')?;
    if kind.is_empty() || subtype.is_empty() || subtype.contains('/') {
        return None;
    }
    let mut parameters = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Some(MediaType { name: name.to_ascii_lowercase(), parameters });
        }
        rest = rest.strip_prefix(';')?.trim_start();
        let (name, behind) = split_token(rest, |_| false);
        if name.is_empty() {
            continue;
        }
        let behind = behind.strip_prefix('=')?;
        let (value, is_quoted, behind) = match behind.strip_prefix('"') {
            Some(quoted) => {
                let (value, behind) = quoted.split_once('"')?;
                (value, true, behind)
            }
            // Its other characters are judged where the parameter is used.
            None => {
                let end = behind.find([';', ',', ' ', '\t', '"']).unwrap_or(behind.len());
                let (value, behind) = behind.split_at(end);
                (value, false, behind)
            }
        };
        // A backslash escapes what follows (RFC 9110, 5.6.4), which not all undo.
        if value.contains('\\') {
            return None;
        }
        parameters.push(TypeParameter {
            name: name.to_ascii_lowercase(),
            value: value.to_owned(),
            is_quoted,
        });
        rest = behind;
    }
}

/// The token at the beginning, with such other bytes in it, and what follows.
fn split_token(text: &str, also: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(|byte| !is_token(byte) && !also(byte)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Whether a `charset` writes ASCII as ASCII. In UTF-16, UTF-7, EBCDIC or Python's `unicode_escape` a parameter is
/// spelled in bytes that would pass unseen.
fn has_plain_charset(parameter: &TypeParameter) -> bool {
    let is_plain = |charset: &&str| charset.eq_ignore_ascii_case(parameter.value.trim_matches('\''));
    !parameter.name.starts_with("charset")
        || parameter.name == "charset" && PLAIN_CHARSETS.iter().any(is_plain)
}
