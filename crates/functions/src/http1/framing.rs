//! Where the body of an answer ends (RFC 9112 sections 6.3 and 7.1).

use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;

use super::head::{self, HeadError};

/// The line with a chunk's size, its extensions included, may have so many bytes.
const MAX_CHUNK_LINE: usize = 4 * 1024;

/// Trailers may have so many bytes.
const MAX_TRAILER_BYTES: usize = 64 * 1024;

/// Trailers may have so many fields.
const MAX_TRAILERS: usize = 64;

/// What is still to come of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Nothing.
    End,
    /// So many bytes, at least one.
    Length(u64),
    /// Chunks.
    Chunked(Chunk),
    /// All that comes before the connection closes.
    UntilClose,
}

/// The next thing in a chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chunk {
    /// The line that tells the size.
    Size,
    /// So many bytes of data, at least one.
    Data(u64),
    /// The line end after the data.
    DataEnd,
    /// The trailers, and the empty line that ends all.
    Trailers,
}

/// What the bytes at hand give.
#[derive(Debug, PartialEq)]
pub(crate) enum Decoded {
    Data(Bytes),
    Trailers(HeaderMap),
    /// Nothing before more bytes are there.
    More,
    /// The body is complete.
    End,
}

/// A body that is not framed as it says.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FramingError {
    #[error("the size of a chunk is malformed")]
    Size,
    #[error("a chunk does not end where its size says")]
    ChunkEnd,
    #[error("the trailers are malformed or too long")]
    Trailers(#[source] Option<HeadError>),
}

impl Framing {
    pub(crate) fn length(bytes: u64) -> Self {
        if bytes == 0 { Self::End } else { Self::Length(bytes) }
    }

    pub(crate) fn chunked() -> Self {
        Self::Chunked(Chunk::Size)
    }

    /// Takes the next piece of the body from what was read.
    pub(crate) fn decode(&mut self, buffer: &mut BytesMut) -> Result<Decoded, FramingError> {
        loop {
            match self {
                Self::End => return Ok(Decoded::End),
                _ if buffer.is_empty() => return Ok(Decoded::More),
                Self::UntilClose => return Ok(Decoded::Data(buffer.split().freeze())),
                Self::Length(left) => {
                    let data = take(buffer, *left);
                    *self = Self::length(*left - data.len() as u64);
                    return Ok(Decoded::Data(data));
                }
                Self::Chunked(Chunk::Data(left)) => {
                    let data = take(buffer, *left);
                    *left -= data.len() as u64;
                    if *left == 0 {
                        *self = Self::Chunked(Chunk::DataEnd);
                    }
                    return Ok(Decoded::Data(data));
                }
                Self::Chunked(Chunk::Size) => match httparse::parse_chunk_size(buffer) {
                    Ok(httparse::Status::Complete((length, size))) => {
                        buffer.advance(length);
                        *self = Self::Chunked(if size == 0 { Chunk::Trailers } else { Chunk::Data(size) });
                    }
                    Ok(httparse::Status::Partial) if buffer.len() <= MAX_CHUNK_LINE => {
                        return Ok(Decoded::More);
                    }
                    _ => return Err(FramingError::Size),
                },
                Self::Chunked(Chunk::DataEnd) => match &buffer[..] {
                    [b'\r', b'\n', ..] => {
                        buffer.advance(2);
                        *self = Self::Chunked(Chunk::Size);
                    }
                    [b'\r'] => return Ok(Decoded::More),
                    _ => return Err(FramingError::ChunkEnd),
                },
                Self::Chunked(Chunk::Trailers) => {
                    return match trailers(buffer)? {
                        None => Ok(Decoded::More),
                        Some(trailers) => {
                            *self = Self::End;
                            Ok(if trailers.is_empty() { Decoded::End } else { Decoded::Trailers(trailers) })
                        }
                    };
                }
            }
        }
    }
}

fn take(buffer: &mut BytesMut, at_most: u64) -> Bytes {
    let length = usize::try_from(at_most).unwrap_or(usize::MAX).min(buffer.len());
    buffer.split_to(length).freeze()
}

fn trailers(buffer: &mut BytesMut) -> Result<Option<HeaderMap>, FramingError> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_TRAILERS];
    let length = match httparse::parse_headers(buffer, &mut fields) {
        Ok(httparse::Status::Complete((length, _))) => length,
        Ok(httparse::Status::Partial) if buffer.len() <= MAX_TRAILER_BYTES => return Ok(None),
        Ok(httparse::Status::Partial) => return Err(FramingError::Trailers(None)),
        Err(error) => return Err(FramingError::Trailers(Some(error.into()))),
    };
    let text = buffer.split_to(length).freeze();
    let mut fields = [httparse::EMPTY_HEADER; MAX_TRAILERS];
    // The same bytes, in memory that may be shared.
    match httparse::parse_headers(&text, &mut fields) {
        Ok(httparse::Status::Complete((_, fields))) => {
            head::header_map(&text, fields).map(Some).map_err(|error| FramingError::Trailers(Some(error)))
        }
        _ => Err(FramingError::Trailers(None)),
    }
}
