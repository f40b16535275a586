//! Operations on bytes that several models need.

/// Where `part` begins in `text`.
pub fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    let first = part.first()?;
    let mut at = 0;
    loop {
        at += text.get(at..)?.iter().position(|byte| byte == first)?;
        if text[at..].starts_with(part) {
            return Some(at);
        }
        at += 1;
    }
}

/// `find`, with ASCII letters of either case taken for equal.
pub fn find_ignoring_case(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len().max(1)).position(|window| window.eq_ignore_ascii_case(part))
}

/// Whether `text` begins with `part` in either case.
pub fn begins_ignoring_case(text: &[u8], part: &[u8]) -> bool {
    text.get(..part.len()).is_some_and(|start| start.eq_ignore_ascii_case(part))
}

/// What is before and behind the first `separator`.
pub fn split_once(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|&byte| byte == separator)?;
    Some((&text[..at], &text[at + 1..]))
}

/// Name and value of `name=value`, or all of the text and no value.
pub fn pair(text: &[u8]) -> (&[u8], &[u8]) {
    split_once(text, b'=').unwrap_or((text, b""))
}

/// Without the bytes at both ends that `is_trimmed` is true for.
pub fn trim(text: &[u8], is_trimmed: impl Fn(u8) -> bool) -> &[u8] {
    let text = trim_start(text, &is_trimmed);
    let end = text.iter().rposition(|&byte| !is_trimmed(byte)).map_or(0, |last| last + 1);
    &text[..end]
}

/// Without the bytes at the start that `is_trimmed` is true for.
pub fn trim_start(text: &[u8], is_trimmed: impl Fn(u8) -> bool) -> &[u8] {
    let start = text.iter().position(|&byte| !is_trimmed(byte)).unwrap_or(text.len());
    &text[start..]
}

/// White space as `isspace` of C and `\s` of regular expressions on bytes have it.
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Space and tab.
pub fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// `text` with every `from` replaced by `to`.
pub fn replaced(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = find(rest, from) {
        result.extend_from_slice(&rest[..at]);
        result.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    result.extend_from_slice(rest);
    result
}

/// The byte of a `%` and two hexadecimal digits at the start.
pub fn escape(text: &[u8]) -> Option<u8> {
    let digits = text.strip_prefix(b"%")?.get(..2)?;
    digits.iter().try_fold(0, |byte, &digit| {
        let value = char::from(digit).to_digit(16)?;
        Some(byte << 4 | u8::try_from(value).ok()?)
    })
}

/// Undoes percent-encoding. What is not two digits behind a `%` stays.
pub fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, behind)) = rest.split_first() {
        let byte = escape(rest);
        decoded.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &rest[3..] } else { behind };
    }
    decoded
}

/// Undoes the encoding of forms: `+` is a space, and percent-encoding.
pub fn form_decoded(text: &[u8]) -> Vec<u8> {
    percent_decoded(&replaced(text, b"+", b" "))
}

/// Undoes `\` before three octal digits of a byte, and before every other character.
pub fn backslashes_undone(text: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        match (first, behind) {
            (b'\\', [high @ b'0'..=b'3', middle @ b'0'..=b'7', low @ b'0'..=b'7', behind @ ..]) => {
                result.push((high - b'0') << 6 | (middle - b'0') << 3 | (low - b'0'));
                rest = behind;
            }
            (b'\\', [escaped, behind @ ..]) if *escaped != b'\n' => {
                result.push(*escaped);
                rest = behind;
            }
            _ => result.push(first),
        }
    }
    result
}

/// The length of `\w{3},\s[\w-]{9,11}\s[\d:]{8}\sGMT` at the start, a date as in `expires`. The day may have spaces in it
/// or not.
pub fn date_length(text: &[u8], with_spaces: bool) -> Option<usize> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let space = |at: usize| text.get(at).is_some_and(|&byte| is_space(byte));
    let all = |from: usize, to: usize, is_part: &dyn Fn(&u8) -> bool| {
        text.get(from..to).is_some_and(|part| part.iter().all(is_part))
    };
    let begins = all(0, 3, &is_word) && text.get(3) == Some(&b',') && space(4);
    let day_end = (14..=16).rev().find(|&end| {
        all(5, end, &|byte| is_word(byte) || with_spaces && is_space(*byte) || *byte == b'-')
            && space(end)
            && all(end + 1, end + 9, &|byte| byte.is_ascii_digit() || *byte == b':')
            && space(end + 9)
            && text.get(end + 10..end + 13) == Some(b"GMT")
    });
    day_end.filter(|_| begins).map(|end| end + 13)
}
