//! Ranges of keys.

/// The first string after all that begin with this prefix, in the order of bytes; `None` when there is
/// none, as all strings begin with the empty one.
pub(super) fn end_of(prefix: &str) -> Option<String> {
    let mut end = prefix.to_owned();
    while let Some(last) = end.pop() {
        // UTF-8 keeps the order of code points, and a range of characters leaves out what is none.
        if let Some(next) = (last..=char::MAX).nth(1) {
            end.push(next);
            return Some(end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_comes_after_all_keys_with_the_prefix() {
        assert_eq!(end_of("a/").as_deref(), Some("a0"));
        assert_eq!(end_of("a\u{7f}").as_deref(), Some("a\u{80}"));
        assert_eq!(end_of("a\u{d7ff}").as_deref(), Some("a\u{e000}"));
        assert_eq!(end_of("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(end_of("\u{10ffff}"), None);
        assert_eq!(end_of(""), None);
    }
}
