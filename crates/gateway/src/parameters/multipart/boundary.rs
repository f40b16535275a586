//! The boundary of a multipart form (RFC 2046, 5.1.1).

use super::MultipartError;
use crate::byte_set::{ByteSet, is_token};
use crate::parameters::content_type::TypeParameter;

/// A boundary that every function finds in the content type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boundary(String);

impl Boundary {
    /// The boundary among the parameters of a content type, which is given whole too.
    ///
    /// Some readers look for the word wherever it is, such as in the name or the value of another parameter, and
    /// take what follows the next `=` (PHP; Rack takes the last, formidable the first). So it may be there once,
    /// and then in the boundary itself.
    pub fn of(parameters: &[TypeParameter], content_type: &[u8]) -> Result<Self, MultipartError> {
        let mut boundaries = parameters.iter().filter(|parameter| parameter.name == "boundary");
        let (Some(boundary), None) = (boundaries.next(), boundaries.next()) else {
            return Err(MultipartError::Boundary);
        };
        // Without quotes it is a token (RFC 2045, 5.1): Werkzeug 3.1 and Sanic end it where that ends.
        let is_right = |byte: u8| if boundary.is_quoted { is_in_quotes(byte) } else { is_outside(byte) };
        let value = &boundary.value;
        if (1..=70).contains(&value.len())
            && value.bytes().all(is_right)
            && count_words(content_type) == 1 + count_words(value.as_bytes())
        {
            Ok(Self(value.clone()))
        } else {
            Err(MultipartError::Boundary)
        }
    }

    /// As it is in the content type.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// What is before each part.
    pub fn delimiter(&self) -> Vec<u8> {
        format!("--{}", self.0).into_bytes()
    }
}

#[cfg(test)]
impl From<&str> for Boundary {
    fn from(boundary: &str) -> Self {
        Self(boundary.to_owned())
    }
}

/// Those of RFC 2046 but the comma, which ends a boundary in quotes too to some, the quote and the space.
fn is_in_quotes(byte: u8) -> bool {
    const BYTES: ByteSet = ByteSet::alphanumeric_and(b"()+_-./:=?");
    BYTES.has(byte)
}

fn is_outside(byte: u8) -> bool {
    is_token(byte) && is_in_quotes(byte)
}

fn count_words(text: &[u8]) -> usize {
    memchr::memmem::find_iter(&text.to_ascii_lowercase(), b"boundary").count()
}
