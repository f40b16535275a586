//! A form in the body of a request: what is mapped is removed from it, and claims are put before the rest.

mod stream;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use claimgate_config::readings::{MappedNames, NamePlace};
use claimgate_functions::{BrokenBody, RequestBody};
use http_body::{Body, Frame, SizeHint};

use super::content_type::FormKind;
use super::form_memory::{Buffer, FormMemory, NoFormMemory};
use super::multipart::{self, MultipartError, MultipartReader, PartSink};
use super::urlencoded::{self, PairFilter, Piece, Reading, Verdict};
use stream::FilteredStream;

/// Pieces that are shorter are put together, in bytes.
const SHORT_PIECE: usize = 4 * 1024;

/// Why a form is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// The function's framework may inflate what the gateway could not look into.
    #[error("the form has a content encoding")]
    Encoded,
    /// The function's framework may decode names that the gateway reads as others.
    #[error("the content type has a charset that is not UTF-8 or a relative of ASCII")]
    Charset,
    /// The function would read the claim's characters as others.
    #[error(
        "a claim has characters beyond ASCII, which a function may read in the charset of the content type; use UTF-8"
    )]
    CharsetOfClaim,
    /// Two Content-Type headers.
    #[error("the request needs exactly one Content-Type")]
    ContentType,
    /// The body may be taken for a form, or the domain takes only forms.
    #[error(
        "the body is not a form; this domain takes application/x-www-form-urlencoded and multipart/form-data"
    )]
    NotAForm,
    /// Some functions read nothing of a form that is not UTF-8 (Werkzeug 3).
    #[error("the form is not UTF-8; write other bytes percent-encoded")]
    NotUtf8,
    /// A mapped name before or behind a byte that is a separator without its highest bit.
    #[error("the form has bytes that some servers read as separators; write them percent-encoded")]
    HiddenName,
    /// A name that is not over after so many bytes.
    #[error("a parameter of the form has a name of more than {limit} bytes")]
    LongName {
        /// In bytes.
        limit: usize,
    },
    /// Every letter is a mapped name, or in the boundary.
    #[error("the boundary has every letter, so that none is left to overwrite a mapped parameter with")]
    NoName,
    /// The multipart body is malformed.
    #[error(transparent)]
    Multipart(#[from] MultipartError),
    /// The gateway's memory for forms is full.
    #[error(transparent)]
    NoMemory(#[from] NoFormMemory),
}

/// The decoded values of a parameter in a whole form, under exactly its name.
pub fn values(kind: &FormKind, body: &Bytes, name: &str) -> Result<Vec<Vec<u8>>, FormError> {
    match kind {
        FormKind::Urlencoded => Ok(urlencoded::values(body, name).collect()),
        FormKind::Multipart(boundary) => {
            let mut values = Values { name: name.as_bytes(), found: Vec::new(), is_named: false };
            let mut reader = MultipartReader::new(boundary, FormMemory::new(usize::MAX));
            reader.push(body.clone(), &mut values)?;
            reader.finish()?;
            Ok(values.found)
        }
    }
}

/// A whole form without parameters.
pub fn without(kind: &FormKind, body: Bytes, names: MappedNames) -> Result<Bytes, FormError> {
    let memory = FormMemory::new(usize::MAX);
    let mut filter = FormFilter::new(kind, Arc::new(names), ClaimsOfForm::default(), memory)?;
    filter.finish_with(body)?;
    Ok(filter.kept.pieces.make_contiguous().concat().into())
}

/// The claims that a form begins with, as it writes them.
#[derive(Debug, Default)]
pub struct ClaimsOfForm(Vec<u8>);

impl ClaimsOfForm {
    /// Adds a claim, or gives false where readers would differ in its name.
    pub fn push(&mut self, kind: &FormKind, name: &str, value: &str) -> Result<bool, FormError> {
        match kind {
            FormKind::Urlencoded => urlencoded::push_pair(&mut self.0, name, value),
            FormKind::Multipart(boundary) => match multipart::part(boundary, name, value)? {
                Some(part) => self.0.extend_from_slice(&part),
                None => return Ok(false),
            },
        }
        Ok(true)
    }
}

/// Leaves mapped parameters out of a form, whole or piece by piece.
#[derive(Debug)]
pub struct FormFilter {
    reader: FormReader,
    mapped: Arc<MappedNames>,
    /// Of a multipart form.
    boundary: Bytes,
    removed: Vec<usize>,
    /// What becomes of mapped parameters.
    removal: Verdict,
    /// What the form begins with, until its beginning was read.
    claims: Bytes,
    kept: Kept,
}

#[derive(Debug)]
enum FormReader {
    Urlencoded(PairFilter, Utf8Check),
    /// With the verdict over the part that is being read.
    Multipart(Box<MultipartReader>, Verdict),
}

impl FormFilter {
    /// A filter for a form of this kind, in which claims come first.
    pub fn new(
        kind: &FormKind,
        mapped: Arc<MappedNames>,
        claims: ClaimsOfForm,
        memory: FormMemory,
    ) -> Result<Self, FormError> {
        let reader = match kind {
            FormKind::Urlencoded => {
                let filter = PairFilter::new(Reading::Body, !claims.0.is_empty(), memory);
                FormReader::Urlencoded(filter, Utf8Check::default())
            }
            FormKind::Multipart(boundary) => {
                FormReader::Multipart(Box::new(MultipartReader::new(boundary, memory)), Verdict::Keep)
            }
        };
        let kept = Kept { pieces: VecDeque::new(), short: memory.buffer() };
        let claims = Bytes::from(claims.0);
        let boundary = match kind {
            FormKind::Urlencoded => Bytes::new(),
            FormKind::Multipart(boundary) => Bytes::copy_from_slice(boundary.as_bytes()),
        };
        Ok(Self { reader, mapped, boundary, removed: Vec::new(), removal: Verdict::LeaveOut, claims, kept })
    }

    /// Filters a whole form; `removed` is called with the position of each mapped name.
    pub fn filter(mut self, body: Bytes, mut removed: impl FnMut(usize)) -> Result<RequestBody, FormError> {
        self.finish_with(body)?;
        self.removed.iter().for_each(|&position| removed(position));
        Ok(self.kept.into_body())
    }

    /// Filters a form of which this has arrived, while the rest does. Where its `length` is known, so is that of
    /// what becomes of it, since mapped parameters are overwritten and not left out: Django, CherryPy and others read
    /// no body without a length, and many take nothing behind the last part in the place of what was left out.
    pub fn filter_stream(
        mut self,
        begun: [Bytes; 2],
        rest: RequestBody,
        length: Option<u64>,
    ) -> Result<RequestBody, FormError> {
        let claims = self.claims.len() as u64;
        let is_joined = claims > 0 && matches!(self.reader, FormReader::Urlencoded(..));
        if length.is_some() {
            let letter = self.mapped.unmapped_letter(&self.boundary).ok_or(FormError::NoName)?;
            self.removal = Verdict::Overwrite(letter);
        }
        for piece in begun {
            self.push(piece)?;
        }
        let left = length.map(|length| length + claims + u64::from(is_joined && length > 0));
        Ok(RequestBody::stream(FilteredStream::new(self, rest, left)))
    }

    fn push(&mut self, data: Bytes) -> Result<(), FormError> {
        self.read(data, false)
    }

    fn finish_with(&mut self, data: Bytes) -> Result<(), FormError> {
        self.read(data, true)?;
        self.kept.flush();
        Ok(())
    }

    fn read(&mut self, data: Bytes, is_last: bool) -> Result<(), FormError> {
        let Self { reader, mapped, removed, removal, claims, kept, .. } = self;
        let mut names = mapped.reader();
        let mut judge = |name: &[u8], place: NamePlace| match names.find(name, place) {
            None => Verdict::Keep,
            Some(position) => {
                if !removed.contains(&position) {
                    removed.push(position);
                }
                *removal
            }
        };
        match reader {
            FormReader::Urlencoded(filter, text) => {
                text.check(&data, is_last)?;
                kept.put(&std::mem::take(claims))?;
                let judge = |written: &[u8]| judge(written, NamePlace::Urlencoded);
                filter.push(&data, is_last, judge, |piece| match piece {
                    Piece::Of(range) => kept.put(&data.slice(range)),
                    Piece::Text(text) => kept.put_short(text),
                })
            }
            FormReader::Multipart(reader, verdict) => {
                let judge = |name: &[u8]| judge(name, NamePlace::Multipart);
                let mut sink = KeptParts { verdict, judge, claims, kept };
                reader.push(data, &mut sink)?;
                if is_last { reader.finish() } else { Ok(()) }
            }
        }
    }
}

/// Whether a text is UTF-8, piece by piece.
#[derive(Debug, Default)]
struct Utf8Check {
    /// The beginning of a character.
    begun: Vec<u8>,
}

impl Utf8Check {
    fn check(&mut self, data: &[u8], is_last: bool) -> Result<(), FormError> {
        if self.begun.is_empty() && data.is_ascii() {
            return Ok(());
        }
        let mut rest = data;
        while let (false, Some((&byte, behind))) = (self.begun.is_empty(), rest.split_first()) {
            self.begun.push(byte);
            rest = behind;
            match std::str::from_utf8(&self.begun) {
                Ok(_) => self.begun.clear(),
                Err(error) if error.error_len().is_some() => return Err(FormError::NotUtf8),
                Err(_) => {}
            }
        }
        if let Err(error) = std::str::from_utf8(rest) {
            if error.error_len().is_some() {
                return Err(FormError::NotUtf8);
            }
            self.begun = rest.get(error.valid_up_to()..).unwrap_or_default().to_vec();
        }
        if is_last && !self.begun.is_empty() { Err(FormError::NotUtf8) } else { Ok(()) }
    }
}

/// What is kept and has not been passed on.
#[derive(Debug)]
struct Kept {
    pieces: VecDeque<Bytes>,
    /// What follows them.
    short: Buffer,
}

impl Kept {
    fn put(&mut self, piece: &Bytes) -> Result<(), FormError> {
        if piece.len() < SHORT_PIECE {
            return self.put_short(piece);
        }
        self.flush();
        self.pieces.push_back(piece.clone());
        Ok(())
    }

    fn put_short(&mut self, text: &[u8]) -> Result<(), FormError> {
        Ok(self.short.extend(text)?)
    }

    fn flush(&mut self) {
        if !self.short.is_empty() {
            self.pieces.push_back(self.short.take());
        }
    }

    fn into_body(self) -> RequestBody {
        let Self { mut pieces, .. } = self;
        match pieces.pop_front() {
            None => RequestBody::empty(),
            Some(only) if pieces.is_empty() => only.into(),
            Some(first) => {
                pieces.push_front(first);
                RequestBody::stream(Pieces(pieces))
            }
        }
    }
}

/// The pieces of a filtered form.
struct Pieces(VecDeque<Bytes>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = BrokenBody;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenBody>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.iter().map(|piece| piece.len() as u64).sum())
    }
}

struct KeptParts<'k, J> {
    verdict: &'k mut Verdict,
    judge: J,
    claims: &'k mut Bytes,
    kept: &'k mut Kept,
}

impl<J: FnMut(&[u8]) -> Verdict> PartSink for KeptParts<'_, J> {
    fn before_parts(&mut self, text: &[u8]) -> Result<(), FormError> {
        self.kept.put_short(text)?;
        self.kept.put(&std::mem::take(self.claims))
    }

    fn begin(&mut self, mut head: Vec<u8>, name: Range<usize>) -> Result<(), FormError> {
        *self.verdict = (self.judge)(head.get(name.clone()).unwrap_or_default());
        if let (Verdict::Overwrite(letter), Some(name)) = (*self.verdict, head.get_mut(name)) {
            name.fill(letter);
            write_plain_encoding(&mut head);
        }
        if *self.verdict == Verdict::LeaveOut { Ok(()) } else { self.kept.put_short(&head) }
    }

    fn content(&mut self, content: Bytes) -> Result<(), FormError> {
        match *self.verdict {
            Verdict::Keep => self.kept.put(&content),
            Verdict::LeaveOut => Ok(()),
            Verdict::Overwrite(letter) => self.kept.put(&vec![letter; content.len()].into()),
        }
    }

    fn end(&mut self, line_end: Bytes) -> Result<(), FormError> {
        if *self.verdict == Verdict::LeaveOut { Ok(()) } else { self.kept.put_short(&line_end) }
    }

    fn behind_parts(&mut self, text: Bytes) -> Result<(), FormError> {
        self.kept.put(&text)
    }
}

/// What is written over a content is not in the Content-Transfer-Encoding of its part, which aiohttp decodes.
fn write_plain_encoding(head: &mut [u8]) {
    const NAME: &[u8] = b"content-transfer-encoding:";
    const PLAIN: &[u8] = b"8bit";
    let Some(at) = memchr::memmem::find(&head.to_ascii_lowercase(), NAME) else { return };
    let rest = head.get_mut(at + NAME.len()..).unwrap_or_default();
    let length = rest.iter().position(|&byte| byte == b'\r').unwrap_or_default();
    let Some(value) = rest.get_mut(..length) else { return };
    if let Some(plain) = value.get_mut(..PLAIN.len()) {
        plain.copy_from_slice(PLAIN);
        value.get_mut(PLAIN.len()..).unwrap_or_default().fill(b' ');
    }
}

/// Collects the contents of parts of a name.
struct Values<'n> {
    name: &'n [u8],
    found: Vec<Vec<u8>>,
    is_named: bool,
}

impl PartSink for Values<'_> {
    fn before_parts(&mut self, _: &[u8]) -> Result<(), FormError> {
        Ok(())
    }

    fn begin(&mut self, head: Vec<u8>, name: Range<usize>) -> Result<(), FormError> {
        self.is_named = head.get(name) == Some(self.name);
        if self.is_named {
            self.found.push(Vec::new());
        }
        Ok(())
    }

    fn content(&mut self, content: Bytes) -> Result<(), FormError> {
        if let Some(value) = self.found.last_mut().filter(|_| self.is_named) {
            value.extend_from_slice(&content);
        }
        Ok(())
    }

    fn end(&mut self, _: Bytes) -> Result<(), FormError> {
        Ok(())
    }

    fn behind_parts(&mut self, _: Bytes) -> Result<(), FormError> {
        Ok(())
    }
}
