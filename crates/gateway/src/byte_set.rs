//! Sets of bytes that names and targets may be made of.

/// A set that is asked for each byte of a request's head: a table, since that takes one look.
pub struct ByteSet([bool; 256]);

impl ByteSet {
    /// ASCII letters and digits, and others.
    #[allow(clippy::indexing_slicing, reason = "sets are made when this is compiled")]
    pub const fn alphanumeric_and(mut others: &[u8]) -> Self {
        let mut set = [false; 256];
        let mut byte = 0;
        while byte < set.len() {
            set[byte] = (byte as u8).is_ascii_alphanumeric();
            byte += 1;
        }
        while let [other, rest @ ..] = others {
            set[*other as usize] = true;
            others = rest;
        }
        Self(set)
    }

    /// Whether it has a byte.
    pub fn has(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte)).is_some_and(|&has| has)
    }
}

/// Whether a byte may be in a token: a name of a field, a method and the like (RFC 9110, 5.6.2).
pub fn is_token(byte: u8) -> bool {
    const TOKENS: ByteSet = ByteSet::alphanumeric_and(b"!#$%&'*+-.^_`|~");
    TOKENS.has(byte)
}
