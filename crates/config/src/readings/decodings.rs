//! What becomes of a written name before it is compared: the ways in which functions decode it.

/// Decodings one over the other beyond which a name is not followed.
const MOST_LAYERS: usize = 3;

/// Memory for decoded names.
#[derive(Debug, Default)]
pub(super) struct Decodings {
    layers: [Vec<u8>; 2],
    text: Vec<u8>,
}

impl Decodings {
    /// Asks a question of each decoding of a name, and of each as text, until it is answered.
    pub(super) fn each<T>(&mut self, written: &[u8], mut ask: impl FnMut(&[u8]) -> Option<T>) -> Option<T> {
        let answer = self.each_layer(written.iter().copied(), &mut ask);
        if answer.is_some() || written.is_ascii() {
            return answer;
        }
        self.each_layer(written.iter().map(|byte| byte & 0x7f), &mut ask)
    }

    fn each_layer<T>(
        &mut self,
        written: impl Iterator<Item = u8>,
        mut ask: impl FnMut(&[u8]) -> Option<T>,
    ) -> Option<T> {
        let Self { layers: [current, next], text } = self;
        current.clear();
        current.extend(written);
        let answer = ask_as_text(current, text, &mut ask);
        if answer.is_some() {
            return answer;
        }
        for layer in 0..MOST_LAYERS {
            let is_first = layer == 0;
            for stray in [Stray::Kept, Stray::Dropped] {
                next.clear();
                let had_stray = decode(current, next, stray, is_first);
                if next != current {
                    let answer = ask_as_text(next, text, &mut ask);
                    if answer.is_some() {
                        return answer;
                    }
                }
                if !had_stray {
                    break;
                }
            }
            next.clear();
            decode(current, next, Stray::Kept, is_first);
            if next == current {
                return None;
            }
            std::mem::swap(current, next);
        }
        None
    }
}

/// What becomes of a `%` that begins no escape.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stray {
    Kept,
    /// CherryPy 18, `unquote_plus`.
    Dropped,
}

/// Undoes percent-encoding, and in the first layer `+` for a space too; gives whether a `%` began no escape
/// (WHATWG URL, 1.3). `%uXXXX` is CGI.pm's.
fn decode(text: &[u8], decoded: &mut Vec<u8>, stray: Stray, plus_is_space: bool) -> bool {
    let mut had_stray = false;
    let mut rest = text;
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        match (first, behind) {
            (b'+', _) if plus_is_space => decoded.push(b' '),
            (b'%', [b'u' | b'U', a, b, c, d, behind @ ..]) if number(&[*a, *b, *c, *d]).is_some() => {
                let code = number(&[*a, *b, *c, *d]).and_then(char::from_u32).unwrap_or_default();
                decoded.extend_from_slice(code.encode_utf8(&mut [0; 4]).as_bytes());
                rest = behind;
            }
            (b'%', [a, b, behind @ ..]) if number(&[*a, *b]).is_some() => {
                decoded.extend(number(&[*a, *b]).and_then(|byte| u8::try_from(byte).ok()));
                rest = behind;
            }
            // CherryPy decodes one digit at the end, busboy 0.3 drops it.
            (b'%', [digit]) if stray == Stray::Dropped && digit.is_ascii_hexdigit() => {
                had_stray = true;
                decoded.extend(number(&[*digit]).and_then(|byte| u8::try_from(byte).ok()));
                rest = &[];
            }
            (b'%', _) => {
                had_stray = true;
                if stray == Stray::Kept {
                    decoded.push(first);
                }
            }
            _ => decoded.push(first),
        }
    }
    had_stray
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, &digit| Some(number * 16 + char::from(digit).to_digit(16)?))
}

/// Asks of a name as it is; and where it is not all printable ASCII, of the text in it: with overlong UTF-8
/// decoded or dropped, whole or up to a NUL.
fn ask_as_text<T>(name: &[u8], text: &mut Vec<u8>, ask: &mut impl FnMut(&[u8]) -> Option<T>) -> Option<T> {
    let answer = ask(name);
    if answer.is_some() || name.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return answer;
    }
    let up_to_nul = name.split(|&byte| byte == 0).next().unwrap_or_default();
    for part in [name, up_to_nul] {
        for overlong_is_read in [false, true] {
            copy_text(part, text, overlong_is_read);
            let answer = ask(text);
            if answer.is_some() {
                return answer;
            }
        }
    }
    None
}

/// The printable text of a name: control characters, U+FEFF and bytes that are not UTF-8 are left out.
fn copy_text(name: &[u8], text: &mut Vec<u8>, overlong_is_read: bool) {
    text.clear();
    let mut rest = name;
    while !rest.is_empty() {
        let read = if overlong_is_read { overlong(rest) } else { None };
        let (char, length) = match read {
            Some((byte, length)) => (Some(char::from(byte)), length),
            None => first_char(rest),
        };
        if let Some(char) = char.filter(|&char| !char.is_control() && char != '\u{feff}') {
            text.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
        }
        rest = rest.get(length..).unwrap_or_default();
    }
}

/// The character at the beginning and its length, or no character in one byte.
fn first_char(bytes: &[u8]) -> (Option<char>, usize) {
    let longest = bytes.get(..4).unwrap_or(bytes);
    let valid = longest.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    match valid.chars().next() {
        Some(char) => (Some(char), char.len_utf8()),
        None => (None, 1),
    }
}

/// An ASCII character at the beginning that is written in two or three bytes, and their number.
pub fn overlong(bytes: &[u8]) -> Option<(u8, usize)> {
    match bytes {
        [first @ 0xc0..=0xc1, second @ 0x80..=0xbf, ..] => Some(((first & 1) << 6 | second & 0x3f, 2)),
        [0xe0, second @ 0x80..=0x81, third @ 0x80..=0xbf, ..] => Some(((second & 1) << 6 | third & 0x3f, 3)),
        _ => None,
    }
}
