//! Query strings and urlencoded forms (WHATWG URL, 5).
//!
//! `;` separates pairs too: some functions read it so, and a parameter hidden behind it must neither
//! reach them nor count as absent. In bodies so do the bytes that are `&`, `;` and `=` with the highest bit set;
//! a mapped name beside one of them is refused, as they are parts of characters to all but one reader.

use std::borrow::Cow;
use std::ops::Range;

use claimgate_config::readings::{MappedNames, NamePlace};
use memchr::{memchr2, memchr3};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

use super::form::FormError;
use super::form_memory::{Buffer, FormMemory};

/// Everything but RFC 3986's unreserved characters, so that every decoder reads the same.
pub const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The longest name of a parameter in a form that is not held in memory, in bytes.
const LONGEST_NAME: usize = 64 * 1024;

/// The decoded values of a parameter, under exactly its name.
pub fn values<'a>(text: &'a [u8], name: &'a str) -> impl Iterator<Item = Vec<u8>> + 'a {
    text.split(|&byte| is_separator(byte)).filter_map(move |pair| {
        let (written, value) = match pair.iter().position(|&byte| byte == b'=') {
            Some(at) => (pair.get(..at)?, pair.get(at + 1..)?),
            None => (pair, &[][..]),
        };
        (decode(written) == name.as_bytes()).then(|| decode(value).into_owned())
    })
}

/// A query without mapped parameters, behind pairs that are set; the other pairs keep their bytes and
/// separators. `removed` is called with the position of each mapped name.
pub fn replace<'q>(
    query: &'q [u8],
    mapped: &MappedNames,
    set: Vec<u8>,
    mut removed: impl FnMut(usize),
) -> Cow<'q, [u8]> {
    let mut names = mapped.reader();
    let mut is_changed = !set.is_empty();
    let mut replaced = set;
    replaced.reserve(query.len() + 1);
    let mut filter = PairFilter::new(Reading::Query, !replaced.is_empty(), FormMemory::new(0));
    let judge = |written: &[u8]| {
        let position = names.find(written, NamePlace::Query);
        is_changed |= position.is_some();
        position.inspect(|&position| removed(position)).map_or(Verdict::Keep, |_| Verdict::LeaveOut)
    };
    let put = |piece: Piece<'_>| {
        replaced.extend_from_slice(match piece {
            Piece::Of(range) => query.get(range).unwrap_or_default(),
            Piece::Text(text) => text,
        });
        Ok(())
    };
    // A whole text needs no memory but for what is put.
    let _ = filter.push(query, true, judge, put);
    if is_changed { Cow::Owned(replaced) } else { Cow::Borrowed(query) }
}

/// Whether one of the pairs has a mapped name.
pub fn has_mapped(text: &[u8], mapped: &MappedNames) -> bool {
    let mut names = mapped.reader();
    text.split(|&byte| is_separator(byte)).any(|pair| {
        let written = pair.split(|&byte| byte == b'=').next().unwrap_or_default();
        names.find(written, NamePlace::Query).is_some()
    })
}

/// Adds a pair at the end.
pub fn push_pair(text: &mut Vec<u8>, name: &str, value: &str) {
    if !text.is_empty() {
        text.push(b'&');
    }
    for piece in utf8_percent_encode(name, ENCODED) {
        text.extend_from_slice(piece.as_bytes());
    }
    text.push(b'=');
    for piece in utf8_percent_encode(value, ENCODED) {
        text.extend_from_slice(piece.as_bytes());
    }
}

/// Leaves out the pairs of mapped names, or overwrites them, piece by piece. A name is held until it is whole;
/// values flow through.
#[derive(Debug)]
pub struct PairFilter {
    reading: Reading,
    /// The beginning of a name, of pieces before.
    pending: Buffer,
    /// Of the pair whose value is being read; `None` while a name is.
    verdict: Option<Verdict>,
    /// What is before the pair.
    separator: Option<u8>,
    /// Whether the first byte that is kept needs a separator, as pairs were set before it.
    needs_join: bool,
    has_kept: bool,
}

/// What becomes of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It stays as it is.
    Keep,
    /// It goes.
    LeaveOut,
    /// Each byte of its name and its value becomes this letter, so that the form keeps its length.
    Overwrite(u8),
}

/// How functions may read the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// As they are.
    Query,
    /// As they are, or without the highest bit of each (formidable 3 reads bodies as ASCII).
    Body,
}

/// Something that is kept.
#[derive(Debug)]
pub enum Piece<'p> {
    /// A range of the piece that was pushed.
    Of(Range<usize>),
    /// What was held, or a separator.
    Text(&'p [u8]),
}

impl PairFilter {
    /// A filter whose output follows pairs that were set, or nothing.
    pub fn new(reading: Reading, follows_pairs: bool, memory: FormMemory) -> Self {
        Self {
            reading,
            pending: memory.buffer(),
            verdict: None,
            separator: None,
            needs_join: follows_pairs,
            has_kept: false,
        }
    }

    /// Reads the next piece, which may be empty where it is the last.
    pub fn push(
        &mut self,
        data: &[u8],
        is_last: bool,
        mut judge: impl FnMut(&[u8]) -> Verdict,
        put: impl FnMut(Piece<'_>) -> Result<(), FormError>,
    ) -> Result<(), FormError> {
        let mut out = Out { put, run: 0..0, needs_join: &mut self.needs_join };
        let mut at = 0;
        let is_ascii = self.reading == Reading::Query || data.is_ascii();
        // Where in this piece the separator before the pair is.
        let mut separator_at = None;
        let mut is_behind_name = false;
        loop {
            let rest = data.get(at..).unwrap_or_default();
            let end = match self.verdict {
                Some(_) if is_ascii => memchr2(b'&', b';', rest),
                None if is_ascii => memchr3(b'=', b'&', b';', rest),
                Some(_) => rest.iter().position(|&byte| is_read_as(byte, b"&;")),
                None => rest.iter().position(|&byte| is_read_as(byte, b"=&;")),
            };
            let end_at = at + end.unwrap_or(rest.len());
            match self.verdict {
                Some(Verdict::Keep) => out.range(at..end_at)?,
                Some(Verdict::LeaveOut) => {}
                Some(Verdict::Overwrite(letter)) => {
                    // The `=` before a value stays.
                    let value_at = if is_behind_name { at + 1 } else { at };
                    out.range(at..value_at)?;
                    out.text(&vec![letter; end_at - value_at])?;
                }
                None if end.is_none() && !is_last => {
                    if self.pending.as_slice().len() + rest.len() > LONGEST_NAME {
                        return Err(FormError::LongName { limit: LONGEST_NAME });
                    }
                    self.pending.extend(rest)?;
                    return out.flush();
                }
                None => {
                    let name = data.get(at..end_at).unwrap_or_default();
                    let is_held = !self.pending.is_empty();
                    if is_held {
                        self.pending.extend(name)?;
                    }
                    let verdict = judge(if is_held { self.pending.as_slice() } else { name });
                    let is_around = |byte: Option<u8>| byte.is_some_and(|byte| !byte.is_ascii());
                    let is_hidden = is_around(self.separator) || is_around(data.get(end_at).copied());
                    if verdict != Verdict::Keep && is_hidden {
                        return Err(FormError::HiddenName);
                    }
                    if verdict != Verdict::LeaveOut {
                        // What becomes the first pair needs no separator before it.
                        match (self.has_kept, separator_at, self.separator) {
                            (true, Some(at), _) => out.range(at..at + 1)?,
                            (true, None, Some(separator)) => out.text(&[separator])?,
                            _ => {}
                        }
                        self.has_kept = true;
                        match verdict {
                            Verdict::Overwrite(letter) => {
                                let length = if is_held { self.pending.as_slice().len() } else { name.len() };
                                out.text(&vec![letter; length])?;
                            }
                            _ if is_held => out.text(self.pending.as_slice())?,
                            _ => out.range(at..end_at)?,
                        }
                    }
                    self.pending.clear();
                    let equals: &[u8] = if is_ascii { b"=" } else { b"=\xbd" };
                    if data.get(end_at).is_some_and(|byte| equals.contains(byte)) {
                        self.verdict = Some(verdict);
                        is_behind_name = true;
                        at = end_at;
                        continue;
                    }
                }
            }
            let Some(&separator) = data.get(end_at) else {
                return out.flush();
            };
            if !matches!(self.verdict, None | Some(Verdict::Keep)) && !separator.is_ascii() {
                return Err(FormError::HiddenName);
            }
            self.separator = Some(separator);
            separator_at = Some(end_at);
            self.verdict = None;
            is_behind_name = false;
            at = end_at + 1;
        }
    }
}

/// Puts what is kept of a piece in ranges that are as long as can be.
struct Out<'o, P> {
    put: P,
    run: Range<usize>,
    needs_join: &'o mut bool,
}

impl<P: FnMut(Piece<'_>) -> Result<(), FormError>> Out<'_, P> {
    fn range(&mut self, range: Range<usize>) -> Result<(), FormError> {
        if range.is_empty() {
            return Ok(());
        }
        self.join()?;
        if range.start != self.run.end {
            self.flush()?;
            self.run.start = range.start;
        }
        self.run.end = range.end;
        Ok(())
    }

    fn text(&mut self, text: &[u8]) -> Result<(), FormError> {
        if text.is_empty() {
            return Ok(());
        }
        self.join()?;
        self.flush()?;
        (self.put)(Piece::Text(text))
    }

    fn join(&mut self) -> Result<(), FormError> {
        if std::mem::take(self.needs_join) { (self.put)(Piece::Text(b"&")) } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), FormError> {
        let run = std::mem::replace(&mut self.run, 0..0);
        if run.is_empty() { Ok(()) } else { (self.put)(Piece::Of(run)) }
    }
}

/// Whether a function may read a byte as one of these.
fn is_read_as(byte: u8, ascii: &[u8]) -> bool {
    ascii.contains(&(byte & 0x7f))
}

fn is_separator(byte: u8) -> bool {
    byte == b'&' || byte == b';'
}

fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    if text.contains(&b'+') {
        let spaced: Vec<u8> = text.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
        Cow::Owned(percent_decode(&spaced).collect())
    } else {
        percent_decode(text).into()
    }
}
