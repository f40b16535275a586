//! What can be read of a token, however malformed it is.

use claimgate_jose::json::{Object, Value};
use claimgate_jose::verify::TokenPart;
use claimgate_jose::{Algorithm, VerifyError, base64url};

use crate::text::printable;

/// What can be read of a token. Nothing of it is verified.
pub struct Parts {
    pub header: Part,
    pub payload: Part,
    /// The length of the signature in bytes; `None` when it is none.
    pub signature: Option<usize>,
    /// Why it is no JWS, or none whose header and payload are those of a JWT.
    pub faults: Vec<VerifyError>,
    /// Why claimgate would refuse a well-formed token already for its header.
    pub unsupported: Option<VerifyError>,
}

/// Header or payload.
pub enum Part {
    /// What it should be.
    Object(Object),
    /// Some other text.
    Text(String),
    /// Nothing that could be read.
    Unreadable,
}

impl Parts {
    /// Reads as much as there is.
    pub fn of(token: &[u8]) -> Self {
        let segments: Vec<&[u8]> = token.split(|&byte| byte == b'.').collect();
        let mut faults = Vec::new();
        let (header, payload, signature) = match segments.as_slice() {
            [header, payload, signature] => (*header, Some(*payload), Some(*signature)),
            [header, _, _, _, _] => {
                faults.push(VerifyError::Encrypted);
                (*header, None, None)
            }
            [header, rest @ ..] => {
                faults.push(VerifyError::NotCompact);
                (*header, rest.first().copied(), None)
            }
            [] => (token, None, None),
        };
        let header = Part::of(TokenPart::Header, header, &mut faults);
        let payload =
            payload.map_or(Part::Unreadable, |payload| Part::of(TokenPart::Payload, payload, &mut faults));
        let signature = signature.and_then(|signature| {
            let decoded = base64url::decode(signature).map_err(|_| {
                faults.push(VerifyError::InvalidBase64(TokenPart::Signature));
            });
            decoded.ok().map(|bytes| bytes.len())
        });
        let unsupported = header.object().and_then(unsupported);
        Self { header, payload, signature, faults, unsupported }
    }

    /// Everything that claimgate would refuse it for without looking at keys, claims and clock.
    pub fn all_faults(&self) -> impl Iterator<Item = &VerifyError> {
        self.faults.iter().chain(&self.unsupported)
    }
}

impl Part {
    /// The object that it should be.
    pub fn object(&self) -> Option<&Object> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    fn of(part: TokenPart, segment: &[u8], faults: &mut Vec<VerifyError>) -> Self {
        let decoded = base64url::decode(segment).or_else(|_| {
            faults.push(VerifyError::InvalidBase64(part));
            decode_mildly(segment)
        });
        let Ok(bytes) = decoded else {
            return Self::Unreadable;
        };
        match Value::parse(&bytes) {
            Ok(Value::Object(object)) => return Self::Object(object),
            Ok(_) => faults.push(VerifyError::NotAnObject(part)),
            Err(error) => faults.push(VerifyError::InvalidJson { part, error }),
        }
        match String::from_utf8(bytes) {
            Ok(text) if !text.is_empty() => Self::Text(text),
            _ => Self::Unreadable,
        }
    }
}

/// Also takes padding, line ends and the alphabet of plain base64, so that a reader sees what is meant.
fn decode_mildly(segment: &[u8]) -> Result<Vec<u8>, base64url::Base64urlError> {
    let text: Vec<u8> = segment
        .iter()
        .filter(|byte| **byte != b'=' && !byte.is_ascii_whitespace())
        .map(|byte| match byte {
            b'+' => b'-',
            b'/' => b'_',
            other => *other,
        })
        .collect();
    base64url::decode(&text)
}

fn unsupported(header: &Object) -> Option<VerifyError> {
    match header.get("alg").and_then(Value::as_str) {
        None => Some(VerifyError::MissingAlgorithm),
        Some(name) if Algorithm::from_name(name).is_none() => {
            let shown = printable(name).chars().take(40).collect();
            Some(VerifyError::UnsupportedAlgorithm { shown })
        }
        Some(_) if header.get("crit").is_some() => Some(VerifyError::CriticalHeader),
        Some(_) if header.get("b64").is_some() => Some(VerifyError::UnencodedPayload),
        Some(_) => None,
    }
}
