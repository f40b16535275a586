//! JSON as the events that the YAML parser gives for it. That parser takes a text that begins with a brace
//! apart to its end before it gives the first event, which of a long one takes gigabytes.
use claimgate_jose::json;
use saphyr_parser::{Event, ScalarStyle};

use crate::place::Location;

/// Why reading ended early.
pub(super) enum Stopped<E> {
    /// The text is no JSON; it may be YAML all the same.
    NotJson,
    /// Whoever takes the events wants no more.
    Refused(E),
}

/// Gives the events of a JSON text (RFC 8259) and where each begins to `take`, which refuses deep nesting.
pub(super) fn read<'a, E>(
    text: &'a str,
    take: impl FnMut(Event<'a>, Location) -> Result<(), E>,
) -> Result<(), Stopped<E>> {
    let mut reader = Reader { text, at: 0, located: 0, location: Location::START, take };
    reader.value()?;
    match reader.next() {
        None => Ok(()),
        Some(_) => Err(Stopped::NotJson),
    }
}

struct Reader<'a, T> {
    text: &'a str,
    /// The next byte to read.
    at: usize,
    /// The byte whose location is known.
    located: usize,
    location: Location,
    take: T,
}

impl<'a, E, T: FnMut(Event<'a>, Location) -> Result<(), E>> Reader<'a, T> {
    fn value(&mut self) -> Result<(), Stopped<E>> {
        match self.next() {
            Some(b'{') => self.collection(b'}', Event::MappingStart(0, None), Event::MappingEnd, |reader| {
                if reader.next() != Some(b'"') {
                    return Err(Stopped::NotJson);
                }
                reader.string()?;
                reader.expect(b':')?;
                reader.value()
            }),
            Some(b'[') => {
                self.collection(b']', Event::SequenceStart(0, None), Event::SequenceEnd, Self::value)
            }
            Some(b'"') => self.string(),
            _ => self.word(),
        }
    }

    fn collection(
        &mut self,
        end: u8,
        opened: Event<'a>,
        closed: Event<'a>,
        mut item: impl FnMut(&mut Self) -> Result<(), Stopped<E>>,
    ) -> Result<(), Stopped<E>> {
        self.give(opened)?;
        self.at += 1;
        if self.next() != Some(end) {
            item(self)?;
            while self.next() == Some(b',') {
                self.at += 1;
                item(self)?;
            }
        }
        if self.next() != Some(end) {
            return Err(Stopped::NotJson);
        }
        self.give(closed)?;
        self.at += 1;
        Ok(())
    }

    /// A string; its first quote is the next byte.
    fn string(&mut self) -> Result<(), Stopped<E>> {
        let rest = self.rest();
        let mut is_escaped = false;
        let end = rest.bytes().skip(1).position(|byte| {
            let is_end = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            is_end
        });
        let literal = end.and_then(|end| rest.get(..end + 2)).ok_or(Stopped::NotJson)?;
        let content = literal.get(1..literal.len() - 1).unwrap_or_default();
        let is_plain = !content.bytes().any(|byte| byte == b'\\' || byte < b' ');
        let text = if is_plain {
            content.into()
        } else {
            match json::Value::parse(literal.as_bytes()) {
                Ok(json::Value::String(text)) => text.into(),
                _ => return Err(Stopped::NotJson),
            }
        };
        self.give(Event::Scalar(text, ScalarStyle::DoubleQuoted, 0, None))?;
        self.at += literal.len();
        Ok(())
    }

    /// A number, or one of the three names.
    fn word(&mut self) -> Result<(), Stopped<E>> {
        let rest = self.rest();
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        let end = rest.bytes().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default();
        if json::Value::parse(word.as_bytes()).is_err() {
            return Err(Stopped::NotJson);
        }
        self.give(Event::Scalar(word.into(), ScalarStyle::Plain, 0, None))?;
        self.at += word.len();
        Ok(())
    }

    fn expect(&mut self, byte: u8) -> Result<(), Stopped<E>> {
        if self.next() != Some(byte) {
            return Err(Stopped::NotJson);
        }
        self.at += 1;
        Ok(())
    }

    /// The next byte behind white space, which is passed over.
    fn next(&mut self) -> Option<u8> {
        let rest = self.rest().as_bytes();
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let space = rest.iter().position(|byte| !is_space(byte)).unwrap_or(rest.len());
        self.at += space;
        rest.get(space).copied()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Gives an event that begins at the next byte.
    fn give(&mut self, event: Event<'a>) -> Result<(), Stopped<E>> {
        let passed = self.text.get(self.located..self.at).unwrap_or_default();
        for character in passed.chars() {
            match character {
                '\n' => self.location = Location { line: self.location.line + 1, column: 1 },
                _ => self.location.column += 1,
            }
        }
        self.located = self.at;
        (self.take)(event, self.location).map_err(Stopped::Refused)
    }
}
