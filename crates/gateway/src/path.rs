//! The path of a request in the forms that decisions are taken on.
//!
//! Functions differ in how much of a path they undo before they act on it: some decode `%2F`, merge
//! slashes, decode twice, or take `..;x` for `..`. A rule that judged only one reading could be
//! passed with another, so a whitelist has to match every reading and a blacklist any of them. One reader
//! may pass on to the next, so a reading is what any order of these steps makes of a path.
//!
//! | reading | what it makes of a path | seen in |
//! | --- | --- | --- |
//! | canonical | `/%61dmin`, `/x/../admin` are `/admin` | all |
//! | decoded | `/admin%2Fx` is `/admin/x` | Werkzeug, Express 5, Tomcat with `allowEncodedSlash` |
//! | decoded again | `/%2561dmin` is `/admin` | what decodes in two layers |
//! | overlong UTF-8 | `/%C0%AFadmin` is `//admin` | decoders from before RFC 3629 |
//! | backslash | `/x%5C..%5Cadmin` is `/admin` | servers of Windows |
//! | merged | `//admin` is `/admin` | nginx, Tomcat, Go |
//! | without parameters | `/admin;x/y`, `/;/admin/y` are `/admin/y` | Tomcat, Jetty |
//! | without a host | `//x/admin` is `/admin` | Node's `new URL`, PHP's `parse_url` |
//! | without case | `/ADMIN` is `/admin`, `/%E2%84%AAey` is `/key`; of blacklists alone | Express, find-my-way, IIS |
//! | without a trailing slash | `/admin/` is `/admin`; of blacklists alone | Express, Flask, Rails |
//! | without a format | `/admin.json` is `/admin`; of blacklists alone | Rails |

use std::borrow::Cow;

use claimgate_config::readings::overlong;
use claimgate_config::snapshot::{AuthenticationScope, FunctionTarget, PathPattern, Route};

/// Decodings beyond which a path is refused rather than followed further.
const MAX_DECODINGS: usize = 4;

/// Readings beyond which a path is refused; paths that no attacker made have some fifteen at most.
const MAX_READINGS: usize = 64;

/// Bytes of all readings together beyond which a path is refused, which bounds the time that one takes.
const MAX_BYTES_OF_READINGS: usize = 128 * 1024;

/// A request's path in the forms that it may be read in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestPath<'a> {
    /// As it was sent.
    raw: &'a str,
    /// Unreserved characters decoded, other escapes in upper case, dot segments resolved (RFC 3986,
    /// 6.2.2); what routes are matched against.
    canonical: Cow<'a, str>,
    /// What could be made of it by any order of [`STEPS`]; empty when all of these leave it as it is.
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
    /// `..` behind an encoded slash or encoded twice, where the path must stay below that of its route.
    #[error("the path has an encoded dot segment that leads out of the folder of its route")]
    HiddenDotSegment,
    /// Encoded over and over.
    #[error("the path is encoded more than {MAX_DECODINGS} times")]
    EncodedTooOften,
    /// A name behind a semicolon, where Fastify 4 begins the query.
    #[error("the path has a mapped parameter behind a semicolon, where some servers begin the query")]
    MappedParameter,
    /// With more to undo than is followed.
    #[error("the path can be read in too many ways: merge its slashes, and encode it once")]
    TooManyReadings,
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
        let normalized = normalize_escapes(raw.as_bytes())?;
        if normalized.split('/').any(|segment| segment.contains(';') && is_dot_segment(segment.as_bytes())) {
            return Err(PathError::DotSegmentWithParameter);
        }
        let dots_resolved = has_dot_segment(normalized.as_bytes());
        let canonical = if dots_resolved {
            String::from_utf8_lossy(&resolve_dot_segments(normalized.as_bytes())).into_owned()
        } else {
            normalized
        };
        let lenient = lenient_readings(raw)?;
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

    /// Whether dot segments were resolved.
    pub fn has_dot_segments(&self) -> bool {
        self.dots_resolved
    }

    /// Refuses a path that may lead out of the folder which a route, or its function's URL, names.
    pub fn check_folder(&self, route: &Route) -> Result<(), PathError> {
        let has_base_path = matches!(
            &route.function.target,
            FunctionTarget::Url { base_path, .. } if !base_path.is_empty()
        );
        let names_folder = has_base_path || route.path != "/*";
        if names_folder && self.may_leave_its_folder() { Err(PathError::HiddenDotSegment) } else { Ok(()) }
    }

    /// Whether a function may find dot segments in what is forwarded, which lead out of a folder: behind
    /// `%2F`, or encoded twice.
    pub fn may_leave_its_folder(&self) -> bool {
        let leaves = |readings: &[String]| readings.iter().any(|reading| has_dot_segment(reading.as_bytes()));
        if self.dots_resolved {
            lenient_readings(&self.canonical).map_or(true, |readings| leaves(&readings))
        } else {
            leaves(&self.lenient)
        }
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
            AuthenticationScope::Only(blacklist) => readings
                .find(|path| blacklist.iter().any(|pattern| may_mean(pattern, path)))
                .map_or(Need::NotBlacklisted, Need::Blacklisted),
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
            b'%' | b'\\' | b';' | 0..=b' ' | 0x7f.. => false,
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

fn normalize_escapes(raw: &[u8]) -> Result<String, PathError> {
    let mut normalized = String::with_capacity(raw.len());
    let mut bytes = raw.iter().copied();
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

fn has_dot_segment(path: &[u8]) -> bool {
    path.split(|&byte| byte == b'/').any(is_dot_segment)
}

fn is_dot_segment(segment: &[u8]) -> bool {
    matches!(without_parameter(segment), b"." | b"..")
}

/// RFC 3986, 5.2.4, for a path that begins with a slash.
fn resolve_dot_segments(path: &[u8]) -> Vec<u8> {
    let mut resolved: Vec<&[u8]> = vec![b""];
    let mut ends_with_dots = false;
    for segment in path.split(|&byte| byte == b'/').skip(1) {
        ends_with_dots = is_dot_segment(segment);
        if !ends_with_dots {
            resolved.push(segment);
        } else if segment.starts_with(b"..") && resolved.len() > 1 {
            resolved.pop();
        }
    }
    if ends_with_dots || resolved.len() == 1 {
        resolved.push(b"");
    }
    resolved.join(&b'/')
}

type Step = fn(&[u8]) -> Vec<u8>;

/// What a reader may do to a path before it acts on it, in any order and over and over.
const STEPS: [Step; 8] = [
    |path| percent_encoding::percent_decode(path).collect(),
    |path| normalize_escapes(path).map_or_else(|_| path.to_vec(), String::into_bytes),
    decode_overlong,
    |path| path.iter().map(|&byte| if byte == b'\\' { b'/' } else { byte }).collect(),
    merge_slashes,
    without_parameters,
    without_authority,
    resolve_dot_segments,
];

/// Everything that some order of the steps makes of a path, itself first.
fn lenient_readings(path: &str) -> Result<Vec<String>, PathError> {
    check_decodings(path)?;
    let mut readings = vec![path.as_bytes().to_vec()];
    let mut bytes = path.len();
    let mut next = 0;
    while let Some(reading) = readings.get(next).cloned() {
        next += 1;
        for read in STEPS {
            let further = read(&reading);
            if !readings.contains(&further) {
                bytes += further.len();
                readings.push(further);
            }
        }
        if readings.len() > MAX_READINGS || bytes > MAX_BYTES_OF_READINGS {
            return Err(PathError::TooManyReadings);
        }
    }
    Ok(readings.iter().map(|path| String::from_utf8_lossy(path).into_owned()).collect())
}

fn check_decodings(path: &str) -> Result<(), PathError> {
    let mut decoded = path.as_bytes().to_vec();
    for _ in 0..=MAX_DECODINGS {
        let next: Vec<u8> = percent_encoding::percent_decode(&decoded).collect();
        if next.len() == decoded.len() {
            return Ok(());
        }
        decoded = next;
    }
    Err(PathError::EncodedTooOften)
}

fn merge_slashes(path: &[u8]) -> Vec<u8> {
    let mut merged = path.to_vec();
    merged.dedup_by(|byte, before| (*byte, *before) == (b'/', b'/'));
    merged
}

/// What follows the segment behind two slashes, which some take for the name of a host.
fn without_authority(path: &[u8]) -> Vec<u8> {
    if !path.starts_with(b"//") {
        return path.to_vec();
    }
    let host = path.iter().position(|&byte| byte != b'/').unwrap_or(path.len());
    let behind = path.get(host..).unwrap_or_default();
    match behind.iter().position(|&byte| byte == b'/') {
        Some(slash) => behind.get(slash..).unwrap_or_default().to_vec(),
        None => b"/".to_vec(),
    }
}

/// Each segment up to its `;`.
fn without_parameters(path: &[u8]) -> Vec<u8> {
    let segments: Vec<&[u8]> = path.split(|&byte| byte == b'/').map(without_parameter).collect();
    segments.join(&b'/')
}

fn without_parameter(segment: &[u8]) -> &[u8] {
    segment.split(|&byte| byte == b';').next().unwrap_or_default()
}

/// With a character for each that was written in more bytes than it needs.
fn decode_overlong(path: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&first, behind)) = rest.split_first() {
        match overlong(rest) {
            Some((byte, length)) => {
                decoded.push(byte);
                rest = rest.get(length..).unwrap_or_default();
            }
            None => {
                decoded.push(first);
                rest = behind;
            }
        }
    }
    decoded
}

/// Whether a pattern of a blacklist means a path, to functions that compare paths without case, without a slash
/// at their end, or without the format that a resource is asked for in.
fn may_mean(pattern: &PathPattern, path: &str) -> bool {
    let (PathPattern::Prefix(pattern_path) | PathPattern::Exact(pattern_path)) = pattern;
    // Its letters beyond ASCII are escaped, which has no case.
    let decoded = percent_encoding::percent_decode_str(pattern_path).decode_utf8_lossy();
    let spellings = [pattern_path.as_str(), &decoded];
    let spellings =
        if pattern_path.contains('%') { &spellings[..] } else { spellings.get(..1).unwrap_or_default() };
    spellings.iter().any(|spelling| match pattern {
        PathPattern::Prefix(_) => without_case(path).starts_with(&*without_case(spelling)),
        PathPattern::Exact(_) => {
            let exact = without_case(without_slash(spelling));
            let path = without_case(without_slash(path));
            path == exact || without_format(&path) == exact
        }
    })
}

/// A path as those compare it that ignore case. Some fold to upper case, where `\u{17f}` is `S`, some to lower case,
/// where `\u{212a}` is `k` and, character by character, `\u{130}` is `i`; one after the other, so that a letter and what
/// either makes of it come to the same.
fn without_case(path: &str) -> Cow<'_, str> {
    if path.is_ascii() {
        return if path.bytes().any(|byte| byte.is_ascii_uppercase()) {
            path.to_ascii_lowercase().into()
        } else {
            path.into()
        };
    }
    // Of `\u{130}` full folding leaves a dot behind the `i`.
    let chars =
        path.chars().map(|char| if char == '\u{130}' { 'i' } else { char }).filter(|char| *char != '\u{307}');
    chars.flat_map(char::to_lowercase).flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

fn without_slash(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}

/// Without what follows the last dot of the last segment.
fn without_format(path: &str) -> &str {
    let segment = path.rfind('/').map_or(0, |slash| slash + 1);
    match path.rfind('.') {
        Some(dot) if dot > segment => path.get(..dot).unwrap_or(path),
        _ => path,
    }
}

#[cfg(test)]
mod tests;
