//! How functions read the names of parameters: the one place that decides whether a parameter that a client
//! sends is, to some function, a mapped one.
//!
//! Frameworks differ in what they make of a name before they look it up. Each difference is a *reading*, a
//! rule that some family of them follows; a name counts as the mapped one when any reading makes it that.
//! What no reading takes for a mapped name is another parameter and is left alone, byte for byte.
//!
//! | reading | what it makes of a name | seen in |
//! | --- | --- | --- |
//! | percent-decoding | `%75id` is `uid`, `+` is a space | all |
//! | stray `%` | a `%` without two digits is dropped: `%uid`, `uid%`, `uid%2` | CherryPy 18, busboy 0.3 |
//! | `%uXXXX` | `%u0075id` is `uid` | CGI.pm 4 |
//! | decoded again | `%2575id` is `uid` | what decodes in two layers |
//! | list and object | `uid[]`, `uid[0]`, `uid[a][b]` are `uid` | PHP, Rack, qs, body-parser |
//! | brackets around | `[uid]`, `[uid]]`, `[[uid]]`, `]uid`, `[]uid`, `[uid`, `uid]` are `uid` | qs 6, Rack 2.2 |
//! | dots | `.uid` and `uid.x` are `uid`, in bodies, of names mapped to a form | co-body (koa-body) |
//! | underscore | a space, a dot and an open bracket are `_`: `user.id` is `user_id` | PHP 5 to 8 |
//! | NUL | what follows it is not part of the name | PHP, C libraries |
//! | white space | around a name it is dropped, Unicode's included | PHP, Tornado, WebOb, cookies everywhere |
//! | no text | control characters, BOM and bytes that are not UTF-8 are dropped | Django, Rack, koa, undici, Bottle |
//! | seven bits | bytes beyond ASCII lose their highest bit: `\xF5id` is `uid` | formidable 3, in bodies |
//! | overlong UTF-8 | `%C1%B5id` is `uid` | decoders from before RFC 3629 |
//! | quotes | around a name they are dropped | WebOb, Python's `http.cookies` |
//! | slashes | before the name of a part they are dropped | aiohttp 3 |
//! | `?`, `#` | before a name they are dropped | WHATWG `URLSearchParams`, `php -S`; query-string 7 |
//! | cookie prefixes | `__Host-uid` and `__Secure-uid` are `uid` | Sanic 22 to 25 |
//!
//! Some names change how a function reads all others, claims too, and count as mapped names: behind `.defaults`
//! CGI.pm forgets all parameters, and Jetty 9.4 decodes the others by a part that is called `_charset_`.
//!
//! Headers have one reading: CGI makes one character of each that is not a letter or a digit
//! (RFC 3875 section 4.1.18; lighttpd, WSGI, Rack), which [`same_header`] compares by.

mod decodings;
mod header;
#[cfg(test)]
mod tests;

use decodings::Decodings;
pub use decodings::overlong;
pub use header::{header_begins_with, same_header};

/// Where a name was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamePlace {
    /// In the query, percent-encoded.
    Query,
    /// In an urlencoded form, percent-encoded.
    Urlencoded,
    /// In the Content-Disposition of a part, between its quotes.
    Multipart,
    /// In a Cookie field.
    Cookie,
}

/// Names of mapped parameters, all of which are looked for in one pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MappedNames {
    names: Vec<MappedName>,
    /// The fewest letters, digits and bytes beyond ASCII that one of the names has.
    least_letters: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct MappedName {
    text: String,
    /// Whether functions read it from bodies, where some take a dot for a bracket.
    is_in_form: bool,
}

/// Looks for mapped names. It keeps its memory from one name to the next, as a form may have a million.
#[derive(Debug)]
pub struct NameReader<'n> {
    mapped: &'n MappedNames,
    decodings: Decodings,
}

impl MappedNames {
    /// Names as they were configured, that functions read from the query or cookies.
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut set = Self::default();
        names.into_iter().for_each(|name| set.add(name, false));
        set
    }

    /// With names that functions read from forms.
    #[must_use]
    pub fn and_in_forms<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Self {
        names.into_iter().for_each(|name| self.add(name, true));
        self
    }

    fn add(&mut self, name: &str, is_in_form: bool) {
        if let Some(known) = self.names.iter_mut().find(|known| known.text == name) {
            known.is_in_form |= is_in_form;
            return;
        }
        let letters = name.bytes().filter(|&byte| is_letter(byte)).count();
        self.least_letters = if self.names.is_empty() { letters } else { self.least_letters.min(letters) };
        self.names.push(MappedName { text: name.to_owned(), is_in_form });
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The position of a name as it was configured.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known.text == name)
    }

    /// A letter that is not among these bytes, and that no mapped name consists of: a parameter whose name is of this
    /// letter alone is another one.
    pub fn unmapped_letter(&self, bytes: &[u8]) -> Option<u8> {
        let is_mapped =
            |letter: u8| self.names.iter().any(|name| name.text.bytes().all(|byte| byte == letter));
        let mut letters = (b'a'..=b'z').rev().chain(b'A'..=b'Z');
        letters.find(|letter| !bytes.contains(letter) && !is_mapped(*letter))
    }

    /// What looks for them.
    pub fn reader(&self) -> NameReader<'_> {
        NameReader { mapped: self, decodings: Decodings::default() }
    }
}

impl NameReader<'_> {
    /// The position of the mapped name that a function may take a written one for; one behind all positions for a
    /// name that would change how it reads them.
    pub fn find(&mut self, written: &[u8], place: NamePlace) -> Option<usize> {
        let names = self.mapped.names.as_slice();
        // Each escape may be a letter.
        let may_be_letters = written.iter().filter(|&&byte| is_letter(byte) || byte == b'%').count();
        if may_be_letters < self.mapped.least_letters || written.is_empty() {
            return None;
        }
        // Nothing is dropped from a name of letters, digits, `_` and `-`.
        if written.iter().all(|&byte| is_plain(byte)) {
            let unprefixed = without_cookie_prefix(written, place);
            if governs_others(written, place) {
                return Some(names.len());
            }
            return names.iter().position(|name| name.is_folded(written) || name.is_folded(unprefixed));
        }
        self.decodings.each(written, |decoded| named_by(names, decoded, place))
    }
}

/// The name that a decoded one stands for: behind what is dropped at its beginning, and before what ends a
/// name.
fn named_by(names: &[MappedName], decoded: &[u8], place: NamePlace) -> Option<usize> {
    let is_body = matches!(place, NamePlace::Urlencoded | NamePlace::Multipart);
    if governs_others(decoded, place) {
        return Some(names.len());
    }
    let unclosed = is_unclosed(decoded);
    let mut rest = decoded;
    let mut dot_was_dropped = false;
    loop {
        let unprefixed = without_cookie_prefix(rest, place);
        let is_named = |name: &MappedName| {
            let dots = is_body && name.is_in_form;
            (dots || !dot_was_dropped)
                && (name.begins(rest, unclosed, dots) || name.begins(unprefixed, unclosed, dots))
                || dots && name.is_path_of(decoded)
        };
        if let Some(position) = names.iter().position(is_named) {
            return Some(position);
        }
        let dropped = match rest {
            [b'[' | b']' | b'?' | b'#' | b'"' | b'\'' | b'\\', ..] => 1,
            [b'.', ..] if is_body => {
                dot_was_dropped = true;
                1
            }
            [b'/', ..] if place == NamePlace::Multipart => 1,
            _ => white_space_at_start(rest),
        };
        if dropped == 0 {
            return None;
        }
        rest = rest.get(dropped..).unwrap_or_default();
    }
}

/// Whether a parameter of this name changes how a function reads the others.
fn governs_others(name: &[u8], place: NamePlace) -> bool {
    match place {
        NamePlace::Cookie => false,
        NamePlace::Query | NamePlace::Urlencoded => name == b".defaults",
        NamePlace::Multipart => name == b".defaults" || name == b"_charset_",
    }
}

impl MappedName {
    /// Whether a plain name is this one, as PHP reads it.
    fn is_folded(&self, plain: &[u8]) -> bool {
        let folded = |(one, other): (u8, &u8)| one == *other || folded(one) == folded(*other);
        self.text.len() == plain.len() && self.text.bytes().zip(plain).all(folded)
    }

    /// Whether a decoded name leads to the same member of an object, or into it: `user[id]` for `user.id`.
    fn is_path_of(&self, decoded: &[u8]) -> bool {
        let pieces = |name: &'_ [u8]| -> Vec<Vec<u8>> {
            let pieces = name.split(|byte| b"[].".contains(byte)).filter(|piece| !piece.is_empty());
            pieces.map(<[u8]>::to_vec).collect()
        };
        self.text.contains('.') && pieces(decoded).starts_with(&pieces(self.text.as_bytes()))
    }

    /// Whether a decoded text begins with this name, and behind it the name is over.
    fn begins(&self, text: &[u8], unclosed: bool, dots: bool) -> bool {
        let Some((start, mut rest)) = text.split_at_checked(self.text.len()) else {
            return false;
        };
        // PHP takes an open bracket for `_` where nothing closes it.
        let same = |(wanted, &found): (u8, &u8)| {
            found == wanted || folded(wanted) == b'_' && (folded(found) == b'_' || found == b'[' && unclosed)
        };
        if !self.text.bytes().zip(start).all(same) {
            return false;
        }
        loop {
            match rest {
                [] | [b'[' | b']' | b'\0', ..] => return true,
                [b'.', ..] if dots => return true,
                [b'"' | b'\'', behind @ ..] => rest = behind,
                _ => match white_space_at_start(rest) {
                    0 => return false,
                    length => rest = rest.get(length..).unwrap_or_default(),
                },
            }
        }
    }
}

/// PHP reads all of these as `_`.
fn folded(byte: u8) -> u8 {
    match byte {
        b' ' | b'.' | b'_' => b'_',
        other => other,
    }
}

fn is_unclosed(name: &[u8]) -> bool {
    let count = |bracket: u8| name.iter().filter(|&&byte| byte == bracket).count();
    count(b'[') > count(b']')
}

/// Prefixes of names that browsers know (RFC 6265bis, 4.1.3), which some servers look a cookie up without.
fn without_cookie_prefix(name: &[u8], place: NamePlace) -> &[u8] {
    if place != NamePlace::Cookie {
        return name;
    }
    [&b"__Host-"[..], b"__Secure-"].into_iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name)
}

/// The length of a character of white space at the beginning, in UTF-8 or in Latin-1, or 0.
fn white_space_at_start(text: &[u8]) -> usize {
    match text {
        [b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0x1c..=0x1f | 0x85 | 0xa0, ..] => 1,
        [0xc2, 0x85 | 0xa0, ..] => 2,
        // U+1680, U+2000 to U+200D, U+2028, U+2029, U+202F, U+205F, U+2060, U+3000, U+FEFF.
        [0xe1, 0x9a, 0x80, ..]
        | [0xe2, 0x80, 0x80..=0x8d | 0xa8 | 0xa9 | 0xaf, ..]
        | [0xe2, 0x81, 0x9f | 0xa0, ..]
        | [0xe3, 0x80, 0x80, ..]
        | [0xef, 0xbb, 0xbf, ..] => 3,
        _ => 0,
    }
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii()
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}
