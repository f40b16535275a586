//! The header `Authorization`.

use super::{ALGORITHM, SignatureError, hex};

/// `ACS3-HMAC-SHA256 Credential=…,SignedHeaders=…,Signature=…`.
#[derive(Debug)]
pub(super) struct Authorization<'a> {
    pub access_key_id: &'a str,
    /// As they were sent, since they are signed so.
    pub signed_headers_text: &'a str,
    /// In lower case, sorted, each once.
    pub signed_headers: Vec<String>,
    pub signature: [u8; 32],
}

/// More than any client signs; the original's SDKs sign some twelve.
const MOST_SIGNED_HEADERS: usize = 100;

impl<'a> Authorization<'a> {
    pub fn parse(text: &'a str) -> Result<Self, SignatureError> {
        Self::read(text).ok_or(SignatureError::MalformedAuthorization)
    }

    fn read(text: &'a str) -> Option<Self> {
        let members = text.strip_prefix(ALGORITHM)?.strip_prefix(' ')?;
        let (mut credential, mut signed_headers_text, mut signature) = (None, None, None);
        for member in members.split(',') {
            let (name, value) = member.trim().split_once('=')?;
            let place = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers_text,
                "Signature" => &mut signature,
                _ => return None,
            };
            if value.is_empty() || place.replace(value).is_some() {
                return None;
            }
        }
        let signed_headers_text = signed_headers_text?;
        let mut signed_headers: Vec<String> =
            signed_headers_text.split(';').map(str::to_ascii_lowercase).collect();
        let count = signed_headers.len();
        signed_headers.sort_unstable();
        signed_headers.dedup();
        if signed_headers.len() != count || count > MOST_SIGNED_HEADERS {
            return None;
        }
        let signature = hex::decode(signature?)?;
        Some(Self { access_key_id: credential?, signed_headers_text, signed_headers, signature })
    }

    pub fn signs(&self, name: &str) -> bool {
        self.signed_headers.iter().any(|signed| signed == name)
    }
}
