//! Multipart forms (RFC 7578, RFC 2046 section 5.1), read strictly while they arrive.
//!
//! Readers of multipart bodies differ in what they forgive, and a part that only the function sees
//! would carry a parameter past the gateway. So whatever two readers could take differently is refused:
//! a boundary anywhere but on a line of its own, line ends other than CRLF, a part with two names.

mod boundary;
mod part_head;

use std::ops::Range;

use bytes::{Buf, Bytes};
use memchr::memmem::{self, Finder};

use super::form::FormError;
use super::form_memory::{Buffer, FormMemory};
pub use boundary::Boundary;

/// The longest head of a part, in bytes.
const LONGEST_HEAD: usize = 16 * 1024;

const CRLF: &[u8] = b"\r\n";

/// What is before a boundary in a delimiter.
const BEFORE_BOUNDARY: &[u8] = b"\r\n--";

const HEAD_END: &[u8] = b"\r\n\r\n";

/// Takes the parts of a form as they arrive.
pub trait PartSink {
    /// What is before the first part and its delimiter: a CRLF, or nothing.
    fn before_parts(&mut self, text: &[u8]) -> Result<(), FormError>;
    /// A part begins: all that is before its content, the delimiter included, and where in it the name is.
    fn begin(&mut self, head: Vec<u8>, name: Range<usize>) -> Result<(), FormError>;
    /// More of the part's content.
    fn content(&mut self, content: Bytes) -> Result<(), FormError>;
    /// The part has ended, with this CRLF.
    fn end(&mut self, line_end: Bytes) -> Result<(), FormError>;
    /// What is behind the last part, the closing delimiter included.
    fn behind_parts(&mut self, text: Bytes) -> Result<(), FormError>;
}

/// Reads a multipart form piece by piece.
#[derive(Debug)]
pub struct MultipartReader {
    delimiter: Bytes,
    /// Of the boundary wherever it is: Sanic ends a part there too without `--` before it.
    finder: Finder<'static>,
    state: State,
    /// What has arrived and cannot be judged yet: a head, or what may be the beginning of a delimiter.
    pending: Buffer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first delimiter.
    Start,
    /// Behind a delimiter.
    Delimiter,
    Head,
    Content,
    /// Behind the closing delimiter.
    Epilogue,
}

/// Why a multipart body is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum MultipartError {
    #[error(
        "the content type needs one boundary, of letters, digits and -._+, or of these and ()/:=? in quotes"
    )]
    Boundary,
    #[error("the multipart form does not begin with its boundary")]
    Preamble,
    #[error("the multipart form has a boundary that is not on a line of its own")]
    StrayBoundary,
    #[error("the multipart form does not end with its closing boundary")]
    NotClosed,
    #[error("the multipart form goes on behind its closing boundary")]
    Epilogue,
    #[error("a part of the multipart form has malformed headers, or more than {LONGEST_HEAD} bytes of them")]
    PartHeaders,
    #[error("a part of the multipart form needs exactly one Content-Disposition: form-data with one name")]
    PartName,
    #[error("the boundary of the multipart form is part of what has to be put into it")]
    BoundaryInClaim,
}

impl MultipartReader {
    /// Reads a form with this boundary.
    pub fn new(boundary: &Boundary, memory: FormMemory) -> Self {
        let delimiter = Bytes::from(boundary.delimiter());
        let finder = Finder::new(boundary.as_bytes()).into_owned();
        Self { delimiter, finder, state: State::Start, pending: memory.buffer() }
    }

    /// Reads the next piece.
    pub fn push(&mut self, mut data: Bytes, sink: &mut impl PartSink) -> Result<(), FormError> {
        while !data.is_empty() || self.state == State::Delimiter && self.pending.as_slice().len() >= 2 {
            match self.state {
                State::Start => {
                    let Some(start) = self.at_least(self.delimiter.len() + CRLF.len(), &mut data)? else {
                        return Ok(());
                    };
                    let before = if start.starts_with(CRLF) { CRLF.len() } else { 0 };
                    let (before, at_start) = start.split_at(before);
                    let behind = at_start.strip_prefix(&*self.delimiter).ok_or(MultipartError::Preamble)?;
                    sink.before_parts(before)?;
                    self.state = State::Delimiter;
                    self.pending.extend(behind)?;
                }
                State::Delimiter => {
                    let Some(behind) = self.at_least(CRLF.len(), &mut data)? else {
                        return Ok(());
                    };
                    match &*behind {
                        CRLF => self.state = State::Head,
                        b"--" => {
                            self.state = State::Epilogue;
                            sink.behind_parts(self.delimiter.clone())?;
                            sink.behind_parts(behind)?;
                        }
                        _ => return Err(MultipartError::StrayBoundary.into()),
                    }
                }
                State::Head => self.read_head(&mut data, sink)?,
                State::Content => self.read_content(&mut data, sink)?,
                // To be ignored (RFC 2046, 5.1.1), which PHP does not.
                State::Epilogue if data.iter().all(u8::is_ascii_whitespace) => {
                    return sink.behind_parts(data);
                }
                State::Epilogue => return Err(MultipartError::Epilogue.into()),
            }
        }
        Ok(())
    }

    /// The form has ended.
    pub fn finish(&self) -> Result<(), FormError> {
        match self.state {
            State::Epilogue => Ok(()),
            State::Start => Err(MultipartError::Preamble.into()),
            State::Delimiter | State::Head | State::Content => Err(MultipartError::NotClosed.into()),
        }
    }

    /// Just so many bytes, or `None` as long as there are fewer.
    fn at_least(&mut self, wanted: usize, data: &mut Bytes) -> Result<Option<Bytes>, FormError> {
        let missing = wanted.saturating_sub(self.pending.as_slice().len()).min(data.len());
        self.pending.extend(&data.split_to(missing))?;
        let is_enough = self.pending.as_slice().len() >= wanted;
        Ok(is_enough.then(|| self.pending.take()))
    }

    fn read_head(&mut self, data: &mut Bytes, sink: &mut impl PartSink) -> Result<(), FormError> {
        let end = end_across(self.pending.as_slice(), data, HEAD_END);
        let more = data.split_to(end.unwrap_or(data.len()));
        if self.pending.as_slice().len() + more.len() > LONGEST_HEAD {
            return Err(MultipartError::PartHeaders.into());
        }
        self.pending.extend(&more)?;
        if end.is_none() {
            return Ok(());
        }
        let lines = self.pending.take();
        if self.finder.find(&lines).is_some() {
            return Err(MultipartError::StrayBoundary.into());
        }
        let name = part_head::name(lines.strip_suffix(HEAD_END).unwrap_or(&lines))?;
        let before = self.delimiter.len() + CRLF.len();
        let name = before + name.start..before + name.end;
        sink.begin([&self.delimiter, CRLF, &lines].concat(), name)?;
        self.state = State::Content;
        Ok(())
    }

    /// Passes on what can be no part of a delimiter, up to the next one.
    fn read_content(&mut self, data: &mut Bytes, sink: &mut impl PartSink) -> Result<(), FormError> {
        if !self.pending.is_empty() {
            self.pending.extend(data)?;
            *data = self.pending.take();
        }
        let Some(at) = self.finder.find(data) else {
            // The CRLF before a delimiter belongs to the delimiter (RFC 2046, 5.1.1).
            let may_begin_delimiter = (CRLF.len() + self.delimiter.len() - 1).min(data.len());
            let judged = data.split_to(data.len() - may_begin_delimiter);
            self.pending.extend(&data.split_to(may_begin_delimiter))?;
            return sink.content(judged);
        };
        let line = at.checked_sub(BEFORE_BOUNDARY.len());
        let content_end = line.filter(|&line| data.get(line..at) == Some(BEFORE_BOUNDARY));
        let content_end = content_end.ok_or(MultipartError::StrayBoundary)?;
        sink.content(data.split_to(content_end))?;
        sink.end(data.split_to(CRLF.len()))?;
        data.advance(self.delimiter.len());
        self.state = State::Delimiter;
        Ok(())
    }
}

/// A part that sets a parameter. `None` when readers would differ in its name.
pub fn part(boundary: &Boundary, name: &str, value: &str) -> Result<Option<Vec<u8>>, MultipartError> {
    // The escapes are those of HTML forms (HTML, 4.10.21.8).
    let escaped = name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
    let head = format!("Content-Disposition: form-data; name=\"{escaped}\"");
    if !part_head::name(head.as_bytes()).is_ok_and(|read| head.get(read) == Some(&escaped)) {
        return Ok(None);
    }
    // The client has chosen the boundary, and must not thereby choose that a claim is left out.
    if [head.as_bytes(), value.as_bytes()]
        .iter()
        .any(|text| memmem::find(text, boundary.as_bytes()).is_some())
    {
        return Err(MultipartError::BoundaryInClaim);
    }
    Ok(Some([&boundary.delimiter(), CRLF, head.as_bytes(), HEAD_END, value.as_bytes(), CRLF].concat()))
}

/// Where an end is over in `data`, which may have begun in what is before.
fn end_across(before: &[u8], data: &[u8], end: &[u8]) -> Option<usize> {
    let (tail, start) = (before.len().min(end.len() - 1), data.len().min(end.len() - 1));
    let tail = before.get(before.len() - tail..).unwrap_or_default();
    let across = [tail, data.get(..start).unwrap_or_default()].concat();
    if let Some(at) = memmem::find(&across, end) {
        return (at + end.len()).checked_sub(tail.len());
    }
    memmem::find(data, end).map(|at| at + end.len())
}
