//! What the processes of a function printed and how they ended, for whoever looks at it now.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// How many lines are kept, of all instances together.
const LINES: usize = 200;

/// How many bytes the kept lines may have together.
const BYTES: usize = 64 * 1024;

/// The latest of one function.
#[derive(Debug, Default)]
pub(super) struct Recent(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<Arc<OutputLine>>,
    bytes: usize,
    last_end: Option<InstanceEnd>,
}

/// A line that a process has printed.
#[derive(Debug)]
pub struct OutputLine {
    /// When it was read.
    pub at: SystemTime,
    /// The instance that printed it.
    pub instance: String,
    /// `stdout` or `stderr`.
    pub stream: &'static str,
    /// The line, without what acts on a terminal.
    pub line: String,
}

/// How an instance ended, or did not begin.
#[derive(Debug, Clone)]
pub struct InstanceEnd {
    /// When.
    pub at: SystemTime,
    /// Which.
    pub instance: String,
    /// Why, in words.
    pub why: String,
    /// Whether it ended by itself, or did not become ready.
    pub is_failure: bool,
}

impl Recent {
    pub(super) fn note_line(&self, instance: &str, stream: &'static str, line: &str) {
        let line = OutputLine {
            at: SystemTime::now(),
            instance: instance.to_owned(),
            stream,
            line: line.to_owned(),
        };
        let mut state = self.lock();
        state.bytes += line.line.len();
        state.lines.push_back(Arc::new(line));
        while state.lines.len() > LINES || state.bytes > BYTES {
            let Some(oldest) = state.lines.pop_front() else { break };
            state.bytes -= oldest.line.len();
        }
    }

    pub(super) fn note_end(&self, instance: &str, why: String, is_failure: bool) {
        let end = InstanceEnd { at: SystemTime::now(), instance: instance.to_owned(), why, is_failure };
        self.lock().last_end = Some(end);
    }

    /// The kept lines, the oldest first.
    pub(super) fn lines(&self) -> Vec<Arc<OutputLine>> {
        self.lock().lines.iter().cloned().collect()
    }

    pub(super) fn last_end(&self) -> Option<InstanceEnd> {
        self.lock().last_end.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn lines_and_bytes_are_bounded() {
        let recent = Recent::default();
        for number in 0..LINES * 2 {
            recent.note_line("a", "stdout", &number.to_string());
        }
        assert_eq!(recent.lines().len(), LINES);
        assert_eq!(recent.lines().last().unwrap().line, (LINES * 2 - 1).to_string());
        let long = "x".repeat(BYTES / 8);
        for _ in 0..100 {
            recent.note_line("a", "stderr", &long);
        }
        assert_eq!(recent.lines().len(), 8);
    }
}
