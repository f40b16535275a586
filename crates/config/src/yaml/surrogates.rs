//! JSON escapes a character beyond U+FFFF as a pair of surrogates, `\ud83d\ude00` (RFC 8259
//! section 7). YAML has one longer escape for it, `\U0001F600`.
use crate::place::Location;

/// A text whose surrogate pairs were written as YAML escapes, and the way back to its columns.
#[derive(Debug)]
pub(super) struct Shortened {
    text: String,
    /// The place in the shortened text right after each escape, in order.
    escapes: Vec<Location>,
}

/// Twelve characters became ten.
const LOST: usize = 2;

impl Shortened {
    pub(super) fn new(text: &str) -> Shortened {
        let mut shortened = Shortened { text: String::with_capacity(text.len()), escapes: Vec::new() };
        for (index, line) in text.split_inclusive('\n').enumerate() {
            shortened.add_line(index + 1, line);
        }
        shortened
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where a place of the shortened text stands in the original.
    pub(super) fn original(&self, place: Location) -> Location {
        let line_start = Location { line: place.line, column: 0 };
        let before_line = self.escapes.partition_point(|escape| *escape < line_start);
        let before_place = self.escapes.partition_point(|escape| *escape <= place);
        let lost = before_place.saturating_sub(before_line) * LOST;
        Location { column: place.column + lost, ..place }
    }

    fn add_line(&mut self, number: usize, line: &str) {
        let mut column = 1;
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            if let Some(character) = surrogate_pair(rest) {
                self.text.push_str(&format!("\\U{:08X}", u32::from(character)));
                column += 10;
                self.escapes.push(Location { line: number, column });
                rest = rest.get(12..).unwrap_or_default();
                continue;
            }
            // A backslash takes what follows with it, so that `\\ud83d` is no escape.
            let taken =
                if first == '\\' { rest.chars().take(2).map(char::len_utf8).sum() } else { first.len_utf8() };
            let (piece, after) = rest.split_at_checked(taken).unwrap_or((rest, ""));
            self.text.push_str(piece);
            column += piece.chars().count();
            rest = after;
        }
    }
}

/// The character that a text begins with as a pair of escapes.
fn surrogate_pair(text: &str) -> Option<char> {
    let high = text.strip_prefix("\\u")?.get(..4)?;
    let low = text.get(6..)?.strip_prefix("\\u")?.get(..4)?;
    let units = [unit(high)?, unit(low)?];
    if !(0xd800..0xdc00).contains(&units[0]) {
        return None;
    }
    let mut decoded = char::decode_utf16(units);
    decoded.next()?.ok()
}

fn unit(digits: &str) -> Option<u16> {
    let only_digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    only_digits.then(|| u16::from_str_radix(digits, 16).ok()).flatten()
}
