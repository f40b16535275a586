//! What processes print, line by line into the log.

use std::sync::Arc;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::output_limit::OutputLimit;
use super::recent::Recent;

/// Longer lines come in pieces, in bytes.
const MAX_LINE: usize = 8 * 1024;

/// How much is read at once at least, in bytes: as much as a pipe holds.
const READ: usize = 64 * 1024;

/// Whose output it is.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) function: String,
    pub(super) instance: String,
    /// Where the latest lines are kept.
    pub(super) recent: Arc<Recent>,
    /// How much is logged.
    pub(super) limit: Arc<OutputLimit>,
}

/// Writes what comes into the log, as far as the function's limit goes; `name` is that of the stream.
pub(super) async fn log(stream: impl AsyncRead + Unpin, name: &'static str, source: Source) {
    let Source { function, instance, recent, limit } = source;
    split(stream, |line| {
        if limit.admits(line.len()) {
            let line = printable(line);
            recent.note_line(&instance, name, &line);
            tracing::info!(function, instance, stream = name, line, "function output");
        }
    })
    .await;
}

/// Splits what comes into lines of at most [`MAX_LINE`] bytes.
async fn split(mut stream: impl AsyncRead + Unpin, mut each: impl FnMut(&[u8])) {
    let mut pending = BytesMut::new();
    loop {
        pending.reserve(READ);
        let is_end = !matches!(stream.read_buf(&mut pending).await, Ok(1..));
        let mut rest: &[u8] = &pending;
        while let Some((line, after)) = first_line(rest) {
            each(line);
            rest = after;
        }
        let done = pending.len() - rest.len();
        pending.advance(done);
        if is_end {
            break;
        }
    }
    if !pending.is_empty() {
        each(&pending);
    }
}

/// The first line without its end, or the first piece of one that is too long, and what follows it.
fn first_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let within = text.get(..=MAX_LINE).unwrap_or(text);
    match memchr::memchr(b'\n', within) {
        Some(end) => Some((text.get(..end)?, text.get(end + 1..)?)),
        None => text.split_at_checked(MAX_LINE).filter(|(_, after)| !after.is_empty()),
    }
}

/// Text in which nothing acts on a terminal.
fn printable(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let shown = |character: char| match character {
        '\t' => '\t',
        control if control.is_control() => char::REPLACEMENT_CHARACTER,
        other => other,
    };
    String::from_utf8_lossy(line).chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    async fn lines(output: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        split(output, |line| lines.push(printable(line))).await;
        lines
    }

    #[tokio::test]
    async fn lines_end_with_lf_or_crlf_or_the_output() {
        assert_eq!(lines(b"a\nb\r\n\nc").await, ["a", "b", "", "c"]);
        assert!(lines(b"").await.is_empty());
    }

    #[tokio::test]
    async fn long_lines_come_in_pieces_and_nothing_is_lost() {
        for length in [1, MAX_LINE - 1, MAX_LINE, MAX_LINE + 1, 3 * MAX_LINE, 100_000] {
            let line = "x".repeat(length);
            let found = lines(format!("{line}\nnext\n").as_bytes()).await;
            assert!(found.iter().all(|piece| piece.len() <= MAX_LINE), "{length}");
            assert_eq!(found.len(), length.div_ceil(MAX_LINE) + 1, "{length}");
            assert_eq!(found.concat(), format!("{line}next"), "{length}");
        }
    }

    #[tokio::test]
    async fn what_acts_on_a_terminal_is_replaced() {
        assert_eq!(lines(b"\x1b[31mred\tok\xff\n").await, ["\u{FFFD}[31mred\tok\u{FFFD}"]);
    }
}
