//! The chunks of a chunked body (RFC 9112, 7.1), without the trailers behind the last one.

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
    /// What comes is no chunk.
    Malformed,
}

impl Default for Chunked {
    fn default() -> Self {
        Self::Size { size: 0, digits: 0 }
    }
}

impl Chunked {
    /// Goes on reading and gives the number of bytes that are sound. They are all of them, unless the
    /// state is [`Self::Last`] or [`Self::Malformed`] behind them.
    pub fn read(&mut self, bytes: &[u8]) -> usize {
        let mut rest = bytes;
        loop {
            if let Self::Data { left } = *self {
                let taken = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                rest = rest.get(taken..).unwrap_or_default();
                *self = match left - taken as u64 {
                    0 => Self::DataCr,
                    left => Self::Data { left },
                };
            }
            let Some((&byte, behind)) = rest.split_first() else { break };
            *self = self.after(byte);
            match self {
                Self::Malformed => break,
                Self::Last => {
                    rest = behind;
                    break;
                }
                _ => rest = behind,
            }
        }
        bytes.len() - rest.len()
    }

    fn after(self, byte: u8) -> Self {
        match (self, byte) {
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
            _ => Self::Malformed,
        }
    }
}
