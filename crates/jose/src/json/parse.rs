//! A recursive-descent parser for one JSON text.
use super::{Number, Object, Value, is_same_name};
use std::collections::HashSet;

/// How deep arrays and objects may be nested.
pub const MAX_DEPTH: usize = 128;

/// Up to this many members, comparing each name with the others is faster than a hash table.
const FEW_MEMBERS: usize = 16;

/// Where and why a text is not acceptable JSON. Holds nothing of the text itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{message} at line {line}, column {column}")]
pub struct JsonError {
    /// Position in bytes from the start of the text.
    pub offset: usize,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: &'static str,
}

pub(super) fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    let failure = |offset, message| locate(bytes, Failure { offset, message });
    let text = std::str::from_utf8(bytes).map_err(|error| failure(error.valid_up_to(), "invalid UTF-8"))?;
    if text.starts_with('\u{feff}') {
        return Err(failure(0, "a byte order mark is not allowed"));
    }
    let mut parser = Parser { text, at: 0, depth: 0 };
    parser.whole_text().map_err(|failure| locate(bytes, failure))
}

fn locate(bytes: &[u8], Failure { offset, message }: Failure) -> JsonError {
    let before = bytes.get(..offset).unwrap_or(bytes);
    let last_line = before.rsplit(|&byte| byte == b'\n').next().unwrap_or(before);
    JsonError {
        offset,
        line: 1 + before.iter().filter(|&&byte| byte == b'\n').count(),
        // Continuation bytes of UTF-8 do not start a character.
        column: 1 + last_line.iter().filter(|&&byte| byte & 0xC0 != 0x80).count(),
        message,
    }
}

struct Failure {
    offset: usize,
    message: &'static str,
}

struct Parser<'a> {
    text: &'a str,
    /// The next byte to read.
    at: usize,
    /// How many arrays and objects are open.
    depth: usize,
}

impl<'a> Parser<'a> {
    fn whole_text(&mut self) -> Result<Value, Failure> {
        let mut value = Value::Null;
        self.value(&mut value)?;
        self.skip_white_space();
        match self.peek() {
            None => Ok(value),
            Some(_) => Err(self.failure("nothing may follow the value")),
        }
    }

    /// Reads a value to its place, which costs much less than to move it there.
    fn value(&mut self, to: &mut Value) -> Result<(), Failure> {
        self.skip_white_space();
        *to = match self.peek() {
            Some(b'{') => Value::Object(self.object()?),
            Some(b'[') => Value::Array(self.array()?),
            Some(b'"') => Value::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => Value::Number(self.number()?),
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            Some(_) => return Err(self.failure("expected a value")),
            None => return Err(self.failure("the text ends where a value is expected")),
        };
        Ok(())
    }

    fn object(&mut self) -> Result<Object, Failure> {
        self.open()?;
        let mut members = Members::default();
        if self.depth == 1 {
            // A token's claims, mostly.
            members.list.reserve(FEW_MEMBERS);
        }
        self.skip_white_space();
        if self.take(b'}') {
            self.depth -= 1;
            return Ok(Object::new());
        }
        loop {
            self.skip_white_space();
            if self.peek() != Some(b'"') {
                return Err(self.failure("expected a member name in double quotes"));
            }
            let name_at = self.at;
            let name = self.string()?;
            if !members.is_new(&name) {
                return Err(Failure { offset: name_at, message: "this object has two members of this name" });
            }
            self.skip_white_space();
            if !self.take(b':') {
                return Err(self.failure("expected a colon"));
            }
            let (_, value) = members.list.push_mut((name, Value::Null));
            self.value(value)?;
            self.skip_white_space();
            if self.take(b'}') {
                self.depth -= 1;
                return Ok(Object(members.list));
            }
            if !self.take(b',') {
                return Err(self.failure("expected a comma or a closing brace"));
            }
        }
    }

    fn array(&mut self) -> Result<Vec<Value>, Failure> {
        self.open()?;
        let mut items = Vec::new();
        self.skip_white_space();
        if self.take(b']') {
            self.depth -= 1;
            return Ok(items);
        }
        loop {
            self.value(items.push_mut(Value::Null))?;
            self.skip_white_space();
            if self.take(b']') {
                self.depth -= 1;
                return Ok(items);
            }
            if !self.take(b',') {
                return Err(self.failure("expected a comma or a closing bracket"));
            }
        }
    }

    fn open(&mut self) -> Result<(), Failure> {
        if self.depth == MAX_DEPTH {
            return Err(self.failure("nested too deeply"));
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    /// A string; the opening quote is the next byte.
    fn string(&mut self) -> Result<String, Failure> {
        self.at += 1;
        let plain = self.plain_characters();
        if self.take(b'"') { Ok(plain.to_owned()) } else { self.string_from(plain.to_owned()) }
    }

    /// A string of which a part is read; what follows is not its end.
    #[cold]
    fn string_from(&mut self, mut text: String) -> Result<String, Failure> {
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escape()?),
                Some(_) => return Err(self.failure("a control character in a string must be escaped")),
                None => return Err(self.failure("the text ends inside a string")),
            }
            text.push_str(self.plain_characters());
        }
    }

    /// The characters up to the next quote, backslash or control character.
    fn plain_characters(&mut self) -> &'a str {
        let start = self.at;
        self.at += plain_length(self.text.as_bytes().get(start..).unwrap_or_default());
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// An escape sequence; the backslash is the next byte.
    fn escape(&mut self) -> Result<char, Failure> {
        let start = self.at;
        self.at += 1;
        let character = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(start),
            _ => return Err(Failure { offset: start, message: "unknown escape sequence" }),
        };
        self.at += 1;
        Ok(character)
    }

    /// `\uXXXX`, or the two of a surrogate pair; the `u` is the next byte.
    fn unicode_escape(&mut self, start: usize) -> Result<char, Failure> {
        let lone = Failure { offset: start, message: "a lone surrogate is no character" };
        let first = self.four_hex_digits()?;
        if !(0xD800..0xDC00).contains(&first) {
            return char::from_u32(first).ok_or(lone);
        }
        if !self.take(b'\\') || self.peek() != Some(b'u') {
            return Err(lone);
        }
        let second = self.four_hex_digits()?;
        if !(0xDC00..0xE000).contains(&second) {
            return Err(lone);
        }
        char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)).ok_or(lone)
    }

    /// The digits after a `u`, which is the next byte.
    fn four_hex_digits(&mut self) -> Result<u32, Failure> {
        self.at += 1;
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            code = code * 16 + digit.ok_or_else(|| self.failure("expected four hexadecimal digits"))?;
            self.at += 1;
        }
        Ok(code)
    }

    fn number(&mut self) -> Result<Number, Failure> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(Number::from_literal(self.text.get(start..self.at).unwrap_or_default()))
    }

    fn digits(&mut self) -> Result<(), Failure> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.failure("expected a digit"));
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Failure> {
        if !self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(self.failure("expected a value"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn skip_white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn failure(&self, message: &'static str) -> Failure {
        Failure { offset: self.at, message }
    }
}

/// The number of bytes before the first quote, backslash or control character.
fn plain_length(bytes: &[u8]) -> usize {
    // Eight bytes at a time: most of a token's payload is within strings.
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let special = special_bytes(u64::from_le_bytes(*word));
        if special != 0 {
            return 8 * index + special.trailing_zeros() as usize / 8;
        }
    }
    let in_rest = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1F));
    8 * words.len() + in_rest.unwrap_or(rest.len())
}

/// Marks the first of eight bytes, from the lowest one up, that is a quote, a backslash or a control
/// character: by its high bit. Of the bytes behind it others may be marked.
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([0x01; 8]);
    const HIGH_BITS: u64 = u64::from_le_bytes([0x80; 8]);
    // A byte that is less than what is taken from it borrows into its high bit, which tells unless it was
    // set before. The borrow reaches only bytes behind it.
    let control = word.wrapping_sub(ONES * 0x20);
    let quote = (word ^ (ONES * u64::from(b'"'))).wrapping_sub(ONES);
    let backslash = (word ^ (ONES * u64::from(b'\\'))).wrapping_sub(ONES);
    (control | quote | backslash) & !word & HIGH_BITS
}

/// The members of an object that is being read.
#[derive(Default)]
struct Members {
    list: Vec<(String, Value)>,
    /// The names of an object with many members: comparing all with all would let a small text
    /// cost much time.
    names: HashSet<String>,
}

impl Members {
    /// Whether no member has this name yet. Asked once for each member, just before it is added.
    fn is_new(&mut self, name: &str) -> bool {
        if self.list.len() < FEW_MEMBERS {
            return self.list.iter().all(|(known, _)| !is_same_name(known, name));
        }
        if self.list.len() == FEW_MEMBERS {
            self.names = self.list.iter().map(|(known, _)| known.clone()).collect();
        }
        self.names.insert(name.to_owned())
    }
}
