//! The head of a request as it is written, and of an answer as it is read.

use std::mem::MaybeUninit;

use bytes::{Buf, Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};

use super::framing::Framing;
use crate::fields::{Fields, lists};
use crate::message::Request;

/// An answer's head may have so many bytes.
const MAX_BYTES: usize = 256 * 1024;

/// An answer's head may have so many fields.
const MAX_FIELDS: usize = 256;

/// What an answer's head says.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) answer: Answer,
    pub(crate) framing: Framing,
    pub(crate) is_kept: bool,
}

/// An answer without its body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) fields: Fields,
}

/// An answer's head that is not HTTP/1.1.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HeadError {
    #[error("the head of the answer is larger than {} KiB", MAX_BYTES / 1024)]
    TooLarge,
    #[error("the head of the answer is malformed")]
    Malformed(#[from] httparse::Error),
    #[error("the status of the answer is not between 100 and 999")]
    Status,
    #[error("the header of the answer names a field or has a value that HTTP forbids")]
    Field(#[source] http::Error),
    #[error("the answer tells more than one length")]
    Length,
}

/// Writes a request's head. The request's URI is in origin form.
pub(crate) fn write(request: &Request, base_path: &str) -> Bytes {
    let target = request.uri.path_and_query().map_or("/", |target| target.as_str());
    // `OPTIONS *` asks about the server, not about a path on it.
    let base_path = if target == "*" { "" } else { base_path };
    let start = [request.method.as_str(), " ", base_path, target, " HTTP/1.1\r\n"];
    let length = start.map(str::len).iter().sum::<usize>() + request.fields.lines_length() + "\r\n".len();
    // Of just its length, so that it becomes `Bytes` as it is.
    let mut head = Vec::with_capacity(length);
    for part in start {
        head.extend_from_slice(part.as_bytes());
    }
    request.fields.write(&mut head);
    head.extend_from_slice(b"\r\n");
    head.into()
}

/// Takes an answer's head from what was read; `None` while it is not there whole.
pub(crate) fn take(buffer: &mut BytesMut, method: &Method) -> Result<Option<Head>, HeadError> {
    if buffer.is_empty() {
        return Ok(None);
    }
    let mut parsed_fields = [const { MaybeUninit::uninit() }; MAX_FIELDS];
    let mut parsed = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    let length = match config.parse_response_with_uninit_headers(&mut parsed, buffer, &mut parsed_fields)? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial if buffer.len() > MAX_BYTES => return Err(HeadError::TooLarge),
        httparse::Status::Partial => return Ok(None),
    };
    let status = parsed.code.and_then(|code| StatusCode::from_u16(code).ok()).ok_or(HeadError::Status)?;
    let version = if parsed.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };

    // Room for what the gateway adds, too.
    let mut fields = Fields::with_capacity(parsed.headers.len() + 2, length + 128);
    let mut lengths = Lengths::default();
    let (mut keeps, mut closes) = (false, false);
    for field in parsed.headers.iter() {
        let is = |known: HeaderName| field.name.eq_ignore_ascii_case(known.as_str());
        // By length first: most fields say nothing here.
        match field.name.len() {
            10 if is(CONNECTION) => {
                keeps |= lists(field.value, b"keep-alive");
                closes |= lists(field.value, b"close");
            }
            14 if is(CONTENT_LENGTH) => lengths.add(field.value)?,
            17 if is(TRANSFER_ENCODING) => {
                lengths.coding = Some(last_element(field.value).eq_ignore_ascii_case(b"chunked"));
            }
            _ => {}
        }
        fields.append_judged(field.name.as_bytes(), field.value);
    }
    buffer.advance(length);
    let framing = lengths.framing(&mut fields, status, method);
    // RFC 9112 section 9.3.
    let is_kept = if version == Version::HTTP_10 { keeps } else { !closes };
    Ok(Some(Head { answer: Answer { status, fields }, framing, is_kept }))
}

/// What a head tells of the length of the body.
#[derive(Default)]
struct Lengths {
    length: Option<u64>,
    is_repeated: bool,
    /// Whether the last transfer coding is `chunked`; `None` without any.
    coding: Option<bool>,
}

impl Lengths {
    fn add(&mut self, value: &[u8]) -> Result<(), HeadError> {
        let digits = value.iter().all(u8::is_ascii_digit).then_some(value);
        let length = digits.and_then(|digits| str::from_utf8(digits).ok());
        let length: u64 = length.and_then(|text| text.parse().ok()).ok_or(HeadError::Length)?;
        if self.length.is_some_and(|other| other != length) {
            return Err(HeadError::Length);
        }
        self.is_repeated = self.length.is_some();
        self.length = Some(length);
        Ok(())
    }

    /// How the body ends (RFC 9112 section 6.3).
    fn framing(&self, fields: &mut Fields, status: StatusCode, method: &Method) -> Framing {
        let is_bodyless = status.is_informational()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
            || method == Method::HEAD;
        match (self.coding, self.length) {
            (Some(_), Some(_)) => {
                // The other length is void, and must not be handed on.
                fields.remove(&CONTENT_LENGTH);
            }
            (None, Some(length)) if self.is_repeated => {
                fields.insert(&CONTENT_LENGTH, &HeaderValue::from(length));
            }
            _ => {}
        }
        match (self.coding, self.length) {
            _ if is_bodyless => Framing::End,
            (Some(true), _) => Framing::chunked(),
            (None, Some(length)) => Framing::length(length),
            (Some(false) | None, _) => Framing::UntilClose,
        }
    }
}

/// The fields, whose values share the memory of `text`.
pub(super) fn header_map(text: &Bytes, fields: &[httparse::Header<'_>]) -> Result<HeaderMap, HeadError> {
    // Room for what the gateway adds, too.
    let mut headers = HeaderMap::with_capacity(fields.len() + 4);
    for field in fields {
        let name =
            HeaderName::from_bytes(field.name.as_bytes()).map_err(|error| HeadError::Field(error.into()))?;
        let value = HeaderValue::from_maybe_shared(text.slice_ref(field.value));
        headers.append(name, value.map_err(|error| HeadError::Field(error.into()))?);
    }
    Ok(headers)
}

fn last_element(list: &[u8]) -> &[u8] {
    list.rsplit(|&byte| byte == b',').next().unwrap_or_default().trim_ascii()
}
