//! The chunks of a chunked body (RFC 9112, 7.1), without the trailers behind the last one.

use bytes::{Buf, Bytes, BytesMut};

/// The longest chunk extension, in bytes.
const LONGEST_EXTENSION: u16 = 4096;

/// How far a chunked body has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunked {
    Size {
        size: u64,
        digits: u8,
    },
    Extension {
        size: u64,
        length: u16,
    },
    SizeLf {
        size: u64,
    },
    Data {
        left: u64,
    },
    DataCr,
    DataLf,
    /// The last chunk was read.
    Last,
}

impl Default for Chunked {
    fn default() -> Self {
        Self::Size { size: 0, digits: 0 }
    }
}

/// What comes is no chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl Chunked {
    /// Takes the next piece of data from what has arrived. `None` asks for more, unless the state is
    /// [`Self::Last`] then.
    pub fn take(&mut self, arrived: &mut BytesMut) -> Result<Option<Bytes>, Malformed> {
        let mut read = 0;
        loop {
            if let Self::Data { left } = *self {
                arrived.advance(read);
                let taken = usize::try_from(left).unwrap_or(usize::MAX).min(arrived.len());
                *self = match left - taken as u64 {
                    0 => Self::DataCr,
                    left => Self::Data { left },
                };
                return Ok((taken > 0).then(|| arrived.split_to(taken).freeze()));
            }
            let next = if *self == Self::Last { None } else { arrived.get(read) };
            let Some(&byte) = next else {
                arrived.advance(read);
                return Ok(None);
            };
            *self = self.after(byte).ok_or(Malformed)?;
            read += 1;
        }
    }

    fn after(self, byte: u8) -> Option<Self> {
        Some(match (self, byte) {
            (Self::Size { size, digits: digits @ 0..16 }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = char::from(byte).to_digit(16).unwrap_or_default();
                Self::Size { size: size << 4 | u64::from(digit), digits: digits + 1 }
            }
            (Self::Size { size, digits: 1.. } | Self::Extension { size, .. }, b'\r') => Self::SizeLf { size },
            (Self::Size { size, digits: 1.. }, b';') => Self::Extension { size, length: 1 },
            (
                Self::Extension { size, length: length @ ..LONGEST_EXTENSION },
                b'\t' | b' '..=0x7e | 0x80..,
            ) => Self::Extension { size, length: length + 1 },
            (Self::SizeLf { size: 0 }, b'\n') => Self::Last,
            (Self::SizeLf { size: left }, b'\n') => Self::Data { left },
            (Self::DataCr, b'\r') => Self::DataLf,
            (Self::DataLf, b'\n') => Self::default(),
            _ => return None,
        })
    }
}
