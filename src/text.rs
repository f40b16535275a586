//! Foreign text for a terminal.

/// The text with every character escaped that is not shown as itself, as what moves the cursor or turns
/// the writing direction.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\'' | '\\' => shown.push(character),
            _ => shown.extend(character.escape_debug()),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_escaped() {
        assert_eq!(printable("a \"b\" \\ 'c' é 東 🗝"), "a \"b\" \\ 'c' é 東 🗝");
        for (text, shown) in [
            ("\u{1b}[31m", "\\u{1b}[31m"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("\u{2066}", "\\u{2066}"),
            ("\r\n\0\u{7f}", "\\r\\n\\0\\u{7f}"),
            ("\u{200b}\u{feff}", "\\u{200b}\\u{feff}"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }
}
