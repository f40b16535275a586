//! The head of a request as it is written, and of an answer as it is read.

use std::mem::MaybeUninit;

use bytes::{BufMut, Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Version};

use super::framing::Framing;

/// An answer's head may have so many bytes.
const MAX_BYTES: usize = 256 * 1024;

/// An answer's head may have so many fields.
const MAX_FIELDS: usize = 256;

/// What an answer's head says.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) answer: Response<()>,
    pub(crate) framing: Framing,
    pub(crate) is_kept: bool,
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
pub(crate) fn write(request: &Parts, base_path: &str) -> Bytes {
    let target = request.uri.path_and_query().map_or("/", |target| target.as_str());
    let fields: usize =
        request.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len()).sum();
    let mut head = BytesMut::with_capacity(fields + base_path.len() + target.len() + 32);
    head.put_slice(request.method.as_str().as_bytes());
    head.put_slice(b" ");
    // `OPTIONS *` asks about the server, not about a path on it.
    if target != "*" {
        head.put_slice(base_path.as_bytes());
    }
    head.put_slice(target.as_bytes());
    head.put_slice(b" HTTP/1.1\r\n");
    for (name, value) in &request.headers {
        head.put_slice(name.as_str().as_bytes());
        head.put_slice(b": ");
        head.put_slice(value.as_bytes());
        head.put_slice(b"\r\n");
    }
    head.put_slice(b"\r\n");
    head.freeze()
}

/// Takes an answer's head from what was read; `None` while it is not there whole.
pub(crate) fn take(buffer: &mut BytesMut, method: &Method) -> Result<Option<Head>, HeadError> {
    let Some(length) = length(buffer) else {
        return if buffer.len() > MAX_BYTES { Err(HeadError::TooLarge) } else { Ok(None) };
    };
    let head = buffer.split_to(length).freeze();
    let mut fields = [const { MaybeUninit::uninit() }; MAX_FIELDS];
    let mut parsed = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    if config.parse_response_with_uninit_headers(&mut parsed, &head, &mut fields)?.is_partial() {
        return Err(HeadError::Malformed(httparse::Error::NewLine));
    }
    let status = parsed.code.and_then(|code| StatusCode::from_u16(code).ok()).ok_or(HeadError::Status)?;
    let mut answer = Response::new(());
    *answer.status_mut() = status;
    *answer.version_mut() = if parsed.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
    *answer.headers_mut() = header_map(&head, parsed.headers)?;
    let framing = framing(&mut answer, method)?;
    let is_kept = is_kept(&answer);
    Ok(Some(Head { answer, framing, is_kept }))
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

/// The length of a head, with the empty line that ends it.
fn length(bytes: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'\n', bytes).find_map(|end| match bytes.get(end + 1..)? {
        [b'\n', ..] => Some(end + 2),
        [b'\r', b'\n', ..] => Some(end + 3),
        _ => None,
    })
}

/// How the answer's body ends (RFC 9112 section 6.3).
fn framing(answer: &mut Response<()>, method: &Method) -> Result<Framing, HeadError> {
    let status = answer.status();
    let headers = answer.headers_mut();
    let is_bodyless = status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
        || method == Method::HEAD;
    if let Some(coding) = headers.get_all(TRANSFER_ENCODING).iter().next_back() {
        let is_chunked = last_element(coding).eq_ignore_ascii_case(b"chunked");
        // The other length is void, and must not be handed on.
        headers.remove(CONTENT_LENGTH);
        return Ok(match (is_bodyless, is_chunked) {
            (true, _) => Framing::End,
            (false, true) => Framing::chunked(),
            (false, false) => Framing::UntilClose,
        });
    }
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let Some(first) = lengths.next() else {
        return Ok(if is_bodyless { Framing::End } else { Framing::UntilClose });
    };
    if lengths.any(|other| other != first) {
        return Err(HeadError::Length);
    }
    let first = first.clone();
    let length = first.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let length: u64 = length.and_then(|text| text.parse().ok()).ok_or(HeadError::Length)?;
    headers.insert(CONTENT_LENGTH, first);
    Ok(if is_bodyless { Framing::End } else { Framing::length(length) })
}

/// Whether the function keeps the connection open (RFC 9112 section 9.3).
fn is_kept(answer: &Response<()>) -> bool {
    let lists = |token: &[u8]| {
        let values = answer.headers().get_all(CONNECTION).iter();
        values
            .flat_map(|value| value.as_bytes().split(|&byte| byte == b','))
            .any(|element| element.trim_ascii().eq_ignore_ascii_case(token))
    };
    if answer.version() == Version::HTTP_10 { lists(b"keep-alive") } else { !lists(b"close") }
}

fn last_element(list: &HeaderValue) -> &[u8] {
    list.as_bytes().rsplit(|&byte| byte == b',').next().unwrap_or_default().trim_ascii()
}
