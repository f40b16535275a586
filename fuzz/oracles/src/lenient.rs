//! How forgiving functions read names.

/// Undoes percent-encoding once; a `%` without two hexadecimal digits stands for itself.
pub fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, behind)) = rest.split_first() {
        let escape = (first == b'%').then(|| behind.get(..2)).flatten();
        match escape.and_then(|digits| Some((hexadecimal(digits[0])? << 4) | hexadecimal(digits[1])?)) {
            Some(byte) => {
                decoded.push(byte);
                rest = &behind[2..];
            }
            None => {
                decoded.push(first);
                rest = behind;
            }
        }
    }
    decoded
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Whether a decoded name can be read as the parameter: with white space around it, with a `[` or a NUL
/// behind it, or with characters that PHP writes as `_`.
pub fn reads_as(name: &[u8], parameter: &str) -> bool {
    let white_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'\x0c');
    let php = |byte: &u8| if b" .[".contains(byte) { b'_' } else { *byte };
    let start = name.iter().position(|byte| !white_space(byte)).unwrap_or(name.len());
    let name = &name[start..];
    if name.len() < parameter.len() {
        return false;
    }
    let (written, behind) = name.split_at(parameter.len());
    written.iter().map(php).eq(parameter.bytes().map(|byte| php(&byte)))
        && matches!(behind.iter().find(|byte| !white_space(byte)), None | Some(b'[' | 0))
}
