//! A form in the body of a request, buffered whole.

use std::borrow::Cow;

use bytes::Bytes;
use claimgate_functions::Fields;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use super::multipart::{Multipart, MultipartError};
use super::{header, urlencoded};

/// The content type of an urlencoded form.
pub const URLENCODED: &str = "application/x-www-form-urlencoded";

/// The content type of a multipart form.
const MULTIPART: &str = "multipart/form-data";

const PLAIN_CHARSETS: [&str; 6] = ["utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "windows-1252"];

/// A form and its parameters.
#[derive(Debug)]
pub enum Form {
    /// `application/x-www-form-urlencoded`
    Urlencoded(Bytes),
    /// `multipart/form-data`
    Multipart(Multipart),
}

/// What the headers of a request say about a form in its body.
#[derive(Debug, PartialEq, Eq)]
pub enum FormKind {
    /// An urlencoded form.
    Urlencoded,
    /// A multipart form, with what stands behind its type: the parameters.
    Multipart(String),
}

/// Why a form cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// The function's framework may inflate what the gateway could not look into.
    #[error("the form has a content encoding")]
    Encoded,
    /// The function's framework may decode names that the gateway reads as others.
    #[error("the form has a charset that is not UTF-8 or a relative of ASCII")]
    Charset,
    /// Two Content-Type headers, or one that is no text.
    #[error("the request needs exactly one readable Content-Type")]
    ContentType,
    /// The multipart body is malformed.
    #[error(transparent)]
    Multipart(#[from] MultipartError),
}

impl FormKind {
    /// Reads the content type; `None` when the body is no form.
    ///
    /// What stands behind the type is cut at the first `;`, `,` or space, and a type that only begins like
    /// a form's counts as one, as lenient functions do.
    pub fn of(fields: &Fields) -> Result<Option<Self>, FormError> {
        let mut content_types = fields.get_all(&CONTENT_TYPE);
        let Some(content_type) = content_types.next() else {
            return Ok(None);
        };
        let content_type = header::text(content_type).ok_or(FormError::ContentType)?;
        if content_types.next().is_some() {
            return Err(FormError::ContentType);
        }
        let content_type = content_type.trim();
        let end = content_type.find([';', ',', ' ', '\t']).unwrap_or(content_type.len());
        let (media_type, parameters) = content_type.split_at(end);
        let kind = if begins_with(media_type, URLENCODED) {
            Self::Urlencoded
        } else if begins_with(media_type, MULTIPART) {
            // With what the type has too much: some readers would find a boundary there.
            Self::Multipart(content_type.get(MULTIPART.len()..).unwrap_or_default().to_owned())
        } else {
            return Ok(None);
        };
        let is_plain = |encoding: &[u8]| {
            let encoding = encoding.trim_ascii();
            encoding.is_empty() || encoding.eq_ignore_ascii_case(b"identity")
        };
        if !fields.get_all(&CONTENT_ENCODING).all(is_plain) {
            return Err(FormError::Encoded);
        }
        if !has_plain_charset(parameters) {
            return Err(FormError::Charset);
        }
        Ok(Some(kind))
    }
}

impl Form {
    /// Reads a body.
    pub fn parse(kind: &FormKind, body: Bytes) -> Result<Self, FormError> {
        Ok(match kind {
            FormKind::Urlencoded => Self::Urlencoded(body),
            FormKind::Multipart(parameters) => Self::Multipart(Multipart::parse(parameters, body)?),
        })
    }

    /// The decoded values of a parameter, under exactly its name.
    pub fn values(&self, name: &str) -> Vec<Vec<u8>> {
        match self {
            Self::Urlencoded(body) => urlencoded::values(body, name).collect(),
            Self::Multipart(form) => form.values(name).map(<[u8]>::to_vec).collect(),
        }
    }

    /// Removes every spelling of a parameter and tells whether there was any.
    pub fn remove(&mut self, name: &str) -> bool {
        match self {
            Self::Urlencoded(body) => match urlencoded::remove(body, name) {
                Cow::Borrowed(_) => false,
                Cow::Owned(kept) => {
                    *body = kept.into();
                    true
                }
            },
            Self::Multipart(form) => form.remove(name),
        }
    }

    /// Adds a parameter, or gives false and leaves the form as it is when it cannot carry the value.
    pub fn append(&mut self, name: &str, value: &str) -> bool {
        match self {
            Self::Urlencoded(body) => {
                let mut extended = Vec::from(std::mem::take(body));
                urlencoded::append(&mut extended, name, value);
                *body = extended.into();
                true
            }
            Self::Multipart(form) => form.append(name, value),
        }
    }

    /// The body as it is now.
    pub fn into_body(self) -> Bytes {
        match self {
            Self::Urlencoded(body) => body,
            Self::Multipart(form) => form.into_body(),
        }
    }
}

fn begins_with(media_type: &str, form: &str) -> bool {
    media_type.get(..form.len()).is_some_and(|start| start.eq_ignore_ascii_case(form))
}

/// Whether each `charset` among the parameters of a content type writes ASCII as ASCII. In UTF-16,
/// UTF-7 or EBCDIC a parameter is spelled in bytes that would pass unseen.
fn has_plain_charset(parameters: &str) -> bool {
    parameters.to_ascii_lowercase().split("charset").skip(1).all(|behind| {
        let Some(value) = behind.trim_start().strip_prefix('=') else { return false };
        let value = value.trim_start().split([';', ',', ' ', '\t']).next().unwrap_or_default();
        PLAIN_CHARSETS.contains(&value.trim_matches(['"', '\'']))
    })
}
