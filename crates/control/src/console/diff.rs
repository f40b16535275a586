//! What differs between two texts, line by line.

use similar::{ChangeTag, TextDiff};

/// Lines around a difference that are shown too.
const CONTEXT: usize = 3;

/// A line of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub kind: LineKind,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// In both.
    Same,
    /// In the second text only.
    Added,
    /// In the first text only.
    Removed,
    /// Stands for lines that are in both and far from any difference.
    Omitted,
}

/// The lines that differ, with some around them; empty when the texts are the same.
pub fn diff(before: &str, after: &str) -> Vec<Line> {
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let diff = TextDiff::from_slices(&before, &after);
    let mut lines = Vec::new();
    let mut next = 0;
    for group in diff.grouped_ops(CONTEXT) {
        if group.first().is_some_and(|first| first.old_range().start > next) {
            lines.push(Line::omitted());
        }
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            let kind = match change.tag() {
                ChangeTag::Equal => LineKind::Same,
                ChangeTag::Insert => LineKind::Added,
                ChangeTag::Delete => LineKind::Removed,
            };
            lines.push(Line { kind, text: change.value().to_owned() });
        }
        next = group.last().map_or(next, |last| last.old_range().end);
    }
    if !lines.is_empty() && next < before.len() {
        lines.push(Line::omitted());
    }
    lines
}

impl Line {
    fn omitted() -> Self {
        Self { kind: LineKind::Omitted, text: String::new() }
    }
}

impl LineKind {
    /// The class in the style sheet.
    pub fn class(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Omitted => "omitted",
        }
    }

    /// What stands before the line.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Same => " ",
            Self::Added => "+",
            Self::Removed => "−",
            Self::Omitted => "⋯",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(before: &str, after: &str) -> String {
        diff(before, after).iter().map(|line| format!("{}{}\n", line.kind.sign(), line.text)).collect()
    }

    #[test]
    fn lines_that_differ_are_shown_with_some_around_them() {
        assert_eq!(shown("a\nb", "a\nb"), "");
        assert_eq!(shown("", "a\n"), "+a\n");
        assert_eq!(shown("a\nb\nc\n", "a\nx\nc\n"), " a\n−b\n+x\n c\n");
        assert_eq!(shown("a\nb\nc\nd", "b\nd\ne"), "−a\n b\n−c\n d\n+e\n");
        let long: String = (0..20).map(|line| format!("{line}\n")).collect();
        let changed = long.replace("10\n", "ten\n");
        assert_eq!(shown(&long, &changed), "⋯\n 7\n 8\n 9\n−10\n+ten\n 11\n 12\n 13\n⋯\n");
    }
}
