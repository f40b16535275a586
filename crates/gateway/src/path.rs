//! The path of a request in the forms that decisions are taken on.
//!
//! Functions differ in how much of a path they undo before they act on it: some decode `%2F`, merge
//! slashes, decode twice, or take `..;x` for `..`. A rule that judged only one reading could be
//! passed with another, so a whitelist has to match every reading and a blacklist any of them.

use std::borrow::Cow;

use claimgate_config::snapshot::{AuthenticationScope, PathPattern};

/// Decodings beyond which a path is refused rather than followed further.
const MAX_DECODINGS: usize = 4;

/// A request's path in the forms that it may be read in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestPath<'a> {
    /// As it was sent.
    raw: &'a str,
    /// Unreserved characters decoded, other escapes in upper case, dot segments resolved (RFC 3986,
    /// 6.2.2); what routes are matched against.
    canonical: Cow<'a, str>,
    /// What could be made of it, and of what functions receive in its place, by those that decode more than
    /// once, turn backslashes, merge slashes or resolve dot segments, each of them or not; none when all of
    /// these leave it as it is.
    lenient: Vec<String>,
    dots_resolved: bool,
}

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Not the beginning of an absolute path, as in `OPTIONS *`.
    #[error("the path does not begin with a slash")]
    NotAbsolute,
    /// A `%` without two hexadecimal digits behind it.
    #[error("the path has a `%` without two hexadecimal digits")]
    InvalidEscape,
    /// A character that no function should have to see, encoded or not.
    #[error("the path has a backslash or a control character")]
    ForbiddenCharacter,
    /// `..;x`, which some servers take for `..`.
    #[error("the path has a dot segment with a parameter")]
    DotSegmentWithParameter,
    /// Encoded over and over.
    #[error("the path is encoded more than {MAX_DECODINGS} times")]
    EncodedTooOften,
}

impl<'a> RequestPath<'a> {
    /// Reads a path; the query is not part of it.
    pub fn parse(raw: &'a str) -> Result<Self, PathError> {
        if !raw.starts_with('/') {
            return Err(PathError::NotAbsolute);
        }
        if is_plain(raw) {
            return Ok(Self { raw, canonical: raw.into(), lenient: Vec::new(), dots_resolved: false });
        }
        let normalized = normalize_escapes(raw)?;
        let segments = || normalized.split('/');
        if segments().any(|segment| is_dot_segment(segment) && segment.contains(';')) {
            return Err(PathError::DotSegmentWithParameter);
        }
        let dots_resolved = segments().any(is_dot_segment);
        let canonical = if dots_resolved { resolve_dot_segments(&normalized) } else { normalized };
        let mut lenient = lenient_readings(raw)?;
        if dots_resolved {
            // What functions receive has readings that what was sent has not.
            lenient.extend(lenient_readings(&canonical)?);
        }
        Ok(Self { raw, canonical: canonical.into(), lenient, dots_resolved })
    }

    /// The form that routes are matched against.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// The form that the function receives: what was sent, unless dot segments had to be resolved.
    pub fn forwarded(&self) -> &str {
        if self.dots_resolved { &self.canonical } else { self.raw }
    }

    /// As it was sent.
    pub fn sent(&self) -> &str {
        self.raw
    }

    /// Every form that a function may read the path in, some of them more than once.
    pub fn readings(&self) -> impl Iterator<Item = &str> {
        [self.raw, &self.canonical].into_iter().chain(self.lenient.iter().map(String::as_str))
    }

    /// Whether a function may find dot segments in it.
    pub fn may_have_dot_segments(&self) -> bool {
        self.dots_resolved || self.lenient.iter().any(|reading| reading.split('/').any(is_dot_segment))
    }

    /// Whether a request for this path needs a token. In doubt it does.
    pub fn need_of_token(&self, scope: &AuthenticationScope) -> Need<'_> {
        let listed = |patterns: &[PathPattern], path: &str| patterns.iter().any(|p| p.matches(path));
        let mut readings = self.readings();
        match scope {
            AuthenticationScope::Everything => Need::Everywhere,
            AuthenticationScope::AllExcept(whitelist) => {
                readings.find(|path| !listed(whitelist, path)).map_or(Need::Whitelisted, Need::NotWhitelisted)
            }
            AuthenticationScope::Only(blacklist) => {
                readings.find(|path| listed(blacklist, path)).map_or(Need::NotBlacklisted, Need::Blacklisted)
            }
        }
    }
}

/// Whether a path needs a token, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need<'a> {
    /// It does, as every path of the domain.
    Everywhere,
    /// It does: no entry of the whitelist matches this reading.
    NotWhitelisted(&'a str),
    /// It does not: every reading is matched by the whitelist.
    Whitelisted,
    /// It does: an entry of the blacklist matches this reading.
    Blacklisted(&'a str),
    /// It does not: no entry of the blacklist matches any reading.
    NotBlacklisted,
}

impl Need<'_> {
    /// Whether a token is needed.
    pub fn is_there(self) -> bool {
        match self {
            Self::Everywhere | Self::NotWhitelisted(_) | Self::Blacklisted(_) => true,
            Self::Whitelisted | Self::NotBlacklisted => false,
        }
    }
}

/// Whether all forms are the same, so that nothing needs to be copied.
fn is_plain(path: &str) -> bool {
    let mut previous = b'\0';
    for byte in path.bytes() {
        let plain = match byte {
            b'%' | b'\\' | 0..=b' ' | 0x7f.. => false,
            b'.' | b'/' => previous != b'/',
            _ => true,
        };
        if !plain {
            return false;
        }
        previous = byte;
    }
    true
}

fn normalize_escapes(raw: &str) -> Result<String, PathError> {
    let mut normalized = String::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        let (byte, escaped) = match byte {
            b'%' => (decode_escape(bytes.next(), bytes.next()).ok_or(PathError::InvalidEscape)?, true),
            _ => (byte, false),
        };
        match byte {
            b'\\' | 0..=0x1f | 0x7f => return Err(PathError::ForbiddenCharacter),
            // RFC 3986, 2.3
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                normalized.push(char::from(byte));
            }
            b' ' | 0x80.. => push_escape(&mut normalized, byte),
            _ if escaped => push_escape(&mut normalized, byte),
            _ => normalized.push(char::from(byte)),
        }
    }
    Ok(normalized)
}

fn decode_escape(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let high = char::from(high?).to_digit(16)?;
    let low = char::from(low?).to_digit(16)?;
    u8::try_from(high * 16 + low).ok()
}

fn push_escape(path: &mut String, byte: u8) {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    path.push('%');
    path.extend(DIGITS.get(usize::from(byte >> 4)));
    path.extend(DIGITS.get(usize::from(byte & 15)));
}

fn is_dot_segment(segment: &str) -> bool {
    let name = segment.split(';').next().unwrap_or_default();
    name == "." || name == ".."
}

/// RFC 3986, 5.2.4, for a path that begins with a slash.
fn resolve_dot_segments(path: &str) -> String {
    let mut resolved: Vec<&str> = Vec::new();
    let mut ends_with_dots = false;
    for segment in path.split('/').skip(1) {
        ends_with_dots = is_dot_segment(segment);
        if !ends_with_dots {
            resolved.push(segment);
        } else if segment.starts_with("..") {
            resolved.pop();
        }
    }
    if ends_with_dots {
        resolved.push("");
    }
    format!("/{}", resolved.join("/"))
}

fn lenient_readings(path: &str) -> Result<Vec<String>, PathError> {
    let mut readings = Vec::new();
    let mut decoded = path.as_bytes().to_vec();
    for _ in 0..=MAX_DECODINGS {
        let text = String::from_utf8_lossy(&decoded).into_owned();
        if text.contains('\\') {
            add_readings(&mut readings, text.replace('\\', "/"));
        }
        add_readings(&mut readings, text);
        let next: Vec<u8> = percent_encoding::percent_decode(&decoded).collect();
        if next.len() == decoded.len() {
            return Ok(readings);
        }
        decoded = next;
    }
    Err(PathError::EncodedTooOften)
}

/// As it is, and with slashes merged before or after the dot segments are resolved: a `..` behind two
/// slashes leads to different places.
fn add_readings(readings: &mut Vec<String>, path: String) {
    let merged = merge_slashes(&path);
    let resolved = resolve_dot_segments(&path);
    readings.extend([resolve_dot_segments(&merged), merge_slashes(&resolved), merged, resolved, path]);
}

fn merge_slashes(path: &str) -> String {
    let mut merged = String::with_capacity(path.len());
    for character in path.chars() {
        if !(character == '/' && merged.ends_with('/')) {
            merged.push(character);
        }
    }
    merged
}

#[cfg(test)]
mod tests;
