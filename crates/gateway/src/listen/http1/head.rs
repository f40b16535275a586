//! The head of a request and the trailers behind a chunked body, line by line as they arrive, read
//! strictly: what two readers could take for different things is refused (RFC 9112, 11.2).
//!
//! A line is judged when it is there whole, and only its length before that, so that the verdict does
//! not depend on how the network cut the bytes.

use std::ops::Range;

use bytes::Bytes;
use claimgate_config::snapshot::Limits;
use claimgate_functions::{Fields, Request, RequestBody, lists};
use http::{Method, Uri, Version};
use memchr::memchr;

use crate::byte_set::{ByteSet, is_token};
use crate::refusal::Refusal;

/// Empty lines before a request line that are forgiven (RFC 9112, 2.2).
const EMPTY_LINES: u8 = 2;

/// The longest target that [`http::Uri`] holds, in bytes.
const LONGEST_URI: usize = 65_534;

/// What a head says of its message and of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Complete {
    /// Length of the head with its last line end, in bytes.
    pub length: usize,
    pub body: Body,
    /// Whether the request asks for another protocol.
    pub upgrade: bool,
    /// Whether the client waits for `100 Continue` before it sends the body (RFC 9110, 10.1.1).
    pub expects_continue: bool,
    /// Whether the connection may serve another request (RFC 9112, 9.3).
    pub is_kept: bool,
    /// Whether the client reads trailers (RFC 9110, 10.1.4).
    pub takes_trailers: bool,
    pub version: Version,
}

/// How the body is framed (RFC 9112, 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// So many bytes, or none.
    Length(u64),
    Chunked,
}

/// A head that is arriving.
#[derive(Debug, Default)]
pub struct Head {
    lines: Lines,
    empty_lines: u8,
    request: Option<RequestLine>,
    fields: FieldLines,
}

/// A request without its body.
#[derive(Debug)]
pub struct Parts {
    pub method: Method,
    pub uri: Uri,
    pub version: Version,
    pub fields: Fields,
}

#[derive(Debug, Clone)]
struct RequestLine {
    method: Range<usize>,
    target: Range<usize>,
    version: Version,
}

impl Head {
    /// Goes on reading; `bytes` are all that have arrived, from the head's first byte. `None` asks for
    /// more.
    pub fn read(&mut self, bytes: &[u8], limits: &Limits) -> Result<Option<Complete>, Refusal> {
        let version = loop {
            if let Some(request) = &self.request {
                break request.version;
            }
            let start = self.lines.start;
            let line = self.lines.rest(bytes);
            match line.first() {
                None => return Ok(None),
                // What is no HTTP at all, like TLS, may never send a line end.
                Some(&byte) if byte != b'\r' && !is_token(byte) => return Err(Refusal::RequestLine),
                Some(_) => {}
            }
            let line = self.lines.next(bytes);
            let longest = limits.request_line_bytes + "\r".len();
            if line.unwrap_or_else(|| self.lines.rest(bytes)).len() > longest {
                return Err(Refusal::TargetTooLong { limit: limits.request_line_bytes });
            }
            let Some(line) = line else { return Ok(None) };
            let line = without_cr(line)?;
            if line.is_empty() && self.empty_lines < EMPTY_LINES {
                self.empty_lines += 1;
            } else {
                self.request = Some(request_line(line, start)?);
            }
        };
        let Some(length) = self.fields.read(&mut self.lines, bytes, limits)? else {
            return Ok(None);
        };
        let fields = &self.fields;
        let body = match (fields.length, fields.chunked) {
            (Some(_), true) => return Err(Refusal::AmbiguousLength),
            (None, true) if version == Version::HTTP_10 => return Err(Refusal::TransferEncoding),
            (None, true) => Body::Chunked,
            (length, false) => Body::Length(length.unwrap_or(0)),
        };
        let is_http11 = version == Version::HTTP_11;
        Ok(Some(Complete {
            length,
            body,
            upgrade: is_http11 && fields.upgrade,
            expects_continue: is_http11 && fields.expects_continue,
            is_kept: if is_http11 { !fields.close } else { fields.keep_alive && !fields.close },
            takes_trailers: fields.takes_trailers,
            version,
        }))
    }

    /// Makes a request of a head that is complete, whose `text` holds all of it. Then the next head may
    /// be read.
    pub fn take(&mut self, text: &Bytes) -> Result<Parts, Refusal> {
        let request = self.request.take().ok_or(Refusal::RequestLine)?;
        let method = text.get(request.method).and_then(|method| Method::from_bytes(method).ok());
        let method = method.ok_or(Refusal::RequestLine)?;
        let uri = Uri::from_maybe_shared(text.slice(request.target)).map_err(|_| Refusal::RequestLine)?;
        let fields = self.fields.take(text);
        self.lines = Lines::default();
        self.empty_lines = 0;
        Ok(Parts { method, uri, version: request.version, fields })
    }
}

impl Parts {
    /// The whole request.
    pub fn with_body(self, body: RequestBody) -> Request {
        let Self { method, uri, version, fields } = self;
        Request { method, uri, version, fields, body }
    }
}

/// Trailers that are arriving.
#[derive(Debug, Default)]
pub struct Trailers {
    lines: Lines,
    fields: FieldLines,
}

impl Trailers {
    /// Goes on reading, like [`Head::read`]; gives the length of the trailers with their last line end.
    /// None of them may frame a message (RFC 9110, 6.5.1).
    pub fn read(&mut self, bytes: &[u8], limits: &Limits) -> Result<Option<usize>, Refusal> {
        let length = self.fields.read(&mut self.lines, bytes, limits)?;
        if self.fields.length.is_some() || self.fields.chunked {
            return Err(Refusal::AmbiguousLength);
        }
        Ok(length)
    }
}

/// Header lines, and what they say of the framing and of the connection.
#[derive(Debug, Default)]
struct FieldLines {
    /// All lines so far with their ends, in bytes.
    bytes: usize,
    /// Where the names and values are.
    places: Vec<(Range<usize>, Range<usize>)>,
    length: Option<u64>,
    chunked: bool,
    upgrade: bool,
    expects_continue: bool,
    takes_trailers: bool,
    close: bool,
    keep_alive: bool,
}

impl FieldLines {
    /// Gives where the lines end, with the empty one behind them.
    fn read(&mut self, lines: &mut Lines, bytes: &[u8], limits: &Limits) -> Result<Option<usize>, Refusal> {
        let too_large = Refusal::HeaderTooLarge { bytes: limits.header_bytes, fields: limits.header_fields };
        loop {
            let start = lines.start;
            let line = lines.next(bytes);
            let length = line.unwrap_or_else(|| lines.rest(bytes)).len();
            if self.bytes + length > limits.header_bytes + "\r".len() {
                return Err(too_large);
            }
            let Some(line) = line else { return Ok(None) };
            let line = without_cr(line)?;
            if line.is_empty() {
                return Ok(Some(lines.start));
            }
            self.bytes += length + "\n".len();
            if self.places.len() == limits.header_fields {
                return Err(too_large);
            }
            self.field(line, start)?;
        }
    }

    fn field(&mut self, line: &[u8], start: usize) -> Result<(), Refusal> {
        if matches!(line.first(), Some(b' ' | b'\t')) {
            return Err(Refusal::Fold);
        }
        let (name, value) = memchr(b':', line)
            .and_then(|colon| Some((line.get(..colon)?, line.get(colon + 1..)?)))
            .ok_or(Refusal::Field)?;
        if name.is_empty() || !name.iter().copied().all(is_token) || !is_value(value) {
            return Err(bare_cr_or(line, Refusal::Field));
        }
        let end = start + line.len();
        let begin = end - trim_start(value).len();
        let value = trim_start(value).trim_ascii_end();
        self.places.push((start..start + name.len(), begin..begin + value.len()));
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        // By length first: most fields say nothing here.
        match name.len() {
            2 if is(b"te") => self.takes_trailers |= lists(value, b"trailers"),
            6 if is(b"expect") => self.expects_continue |= value.eq_ignore_ascii_case(b"100-continue"),
            7 if is(b"upgrade") => self.upgrade = true,
            10 if is(b"connection") => {
                self.close |= lists(value, b"close");
                self.keep_alive |= lists(value, b"keep-alive");
            }
            14 if is(b"content-length") => {
                if self.length.is_some() {
                    return Err(Refusal::AmbiguousLength);
                }
                self.length = Some(content_length(value).ok_or(Refusal::ContentLength)?);
            }
            17 if is(b"transfer-encoding") => {
                if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(Refusal::TransferEncoding);
                }
                self.chunked = true;
            }
            _ => {}
        }
        Ok(())
    }

    /// The fields, copied from `text`; then others may be read.
    fn take(&mut self, text: &[u8]) -> Fields {
        let mut places = std::mem::take(&mut self.places);
        // Room for what the gateway adds, too.
        let mut fields = Fields::with_capacity(places.len() + 8, text.len() + 512);
        for (name, value) in places.drain(..) {
            fields.append_judged(text.get(name).unwrap_or_default(), text.get(value).unwrap_or_default());
        }
        // What it holds is used again.
        *self = Self { places, ..Self::default() };
        fields
    }
}

/// The lines of bytes that are still arriving.
#[derive(Debug, Default)]
struct Lines {
    /// Where the next line begins.
    start: usize,
    /// No line ends between there and here.
    searched: usize,
}

impl Lines {
    /// The next line up to its LF, which is left out.
    fn next<'b>(&mut self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        let Some(found) = memchr(b'\n', bytes.get(self.searched..)?) else {
            self.searched = bytes.len();
            return None;
        };
        let end = self.searched + found;
        let line = bytes.get(self.start..end);
        self.start = end + 1;
        self.searched = self.start;
        line
    }

    /// What has arrived of the next line.
    fn rest<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        bytes.get(self.start..).unwrap_or_default()
    }
}

fn without_cr(line: &[u8]) -> Result<&[u8], Refusal> {
    line.strip_suffix(b"\r").ok_or(Refusal::LineEnd)
}

fn bare_cr_or(line: &[u8], otherwise: Refusal) -> Refusal {
    if memchr(b'\r', line).is_some() { Refusal::LineEnd } else { otherwise }
}

fn request_line(line: &[u8], start: usize) -> Result<RequestLine, Refusal> {
    let malformed = || bare_cr_or(line, Refusal::RequestLine);
    let mut parts = line.split(|&byte| byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(malformed());
    };
    if method.is_empty() || !method.iter().copied().all(is_token) || !is_target(target) {
        return Err(malformed());
    }
    if target.len() > LONGEST_URI {
        return Err(Refusal::TargetTooLong { limit: LONGEST_URI });
    }
    let version = match version {
        b"HTTP/1.1" => Version::HTTP_11,
        b"HTTP/1.0" => Version::HTTP_10,
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            return Err(Refusal::Version);
        }
        _ => return Err(malformed()),
    };
    let target_start = start + method.len() + " ".len();
    Ok(RequestLine {
        method: start..start + method.len(),
        target: target_start..target_start + target.len(),
        version,
    })
}

/// Whether a target can be read as a URI behind this check. Usual ones are seen to be at a glance.
fn is_target(target: &[u8]) -> bool {
    const USUAL: ByteSet = ByteSet::alphanumeric_and(b"-._~!$&'()*+,;=:@/?%");
    if target.first() == Some(&b'/') && target.iter().all(|&byte| USUAL.has(byte)) {
        return true;
    }
    let is_visible = |&byte: &u8| byte > b' ' && byte != 0x7f;
    let is_uri = |target: &str| target.len() > LONGEST_URI || http::Uri::try_from(target).is_ok();
    target.iter().all(is_visible) && str::from_utf8(target).is_ok_and(is_uri)
}

fn content_length(value: &[u8]) -> Option<u64> {
    // A u64 holds all numbers of 19 digits.
    if value.is_empty() || value.len() > 19 || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(value).ok()?.parse().ok()
}

fn trim_start(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = value {
        value = rest;
    }
    value
}

/// RFC 9110, 5.5, with the white space around it.
fn is_value(value: &[u8]) -> bool {
    let is_allowed = |byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f);
    // To the end in any case, as a loop without exit is compiled to vector instructions.
    value.iter().fold(true, |so_far, &byte| so_far & is_allowed(byte))
}
