//! What the reasons of log and metric mean, from the page that documents them.

/// The page; its tables are the only place where reasons are explained.
const PAGE: &str = include_str!("../../../docs/reasons.md");

/// What a reason means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Explanation {
    /// What happened.
    pub what_happened: &'static str,
    /// What to do about it.
    pub what_to_do: &'static str,
}

/// Looks a reason up; nothing is said of a word that is none.
pub fn explain(reason: &str) -> Explanation {
    let word = format!("`{reason}`");
    let mut columns: Vec<&str> = Vec::new();
    for line in PAGE.lines() {
        let cells = cells(line);
        if cells.first() == Some(&"reason") {
            columns = cells;
        } else if cells.first().is_some_and(|reasons| reasons.contains(&word)) {
            let cell = |column: &str| {
                let position = columns.iter().position(|name| *name == column);
                position.and_then(|position| cells.get(position)).copied().unwrap_or_default()
            };
            return Explanation { what_happened: cell("what happened"), what_to_do: cell("what to do") };
        }
    }
    Explanation::default()
}

/// The cells of a table's row; none of another line.
fn cells(line: &'static str) -> Vec<&'static str> {
    let row = line.strip_prefix('|').and_then(|row| row.strip_suffix('|'));
    row.map(|row| row.split('|').map(str::trim).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn every_row_of_the_page_explains() {
        let rows: Vec<_> = PAGE.lines().map(cells).filter(|cells| !cells.is_empty()).collect();
        let mut words = 0;
        for row in rows.iter().filter(|row| row[0].contains('`')) {
            for word in row[0].split('`').skip(1).step_by(2) {
                let Explanation { what_happened, what_to_do } = explain(word);
                assert!(!what_happened.is_empty() && !what_to_do.is_empty(), "{word}");
                words += 1;
            }
        }
        assert!(words > 50, "{words}");
        assert_eq!(explain("missing"), Explanation::default());
        assert!(explain("expired").what_happened.contains("`exp` has passed"));
    }
}
